#pragma once
// How much a call may still cost.

#include "cluster/history/linearizable.hpp"

#include <limits>

namespace troupe::history {

enum class limit { none, time, memory };

class budget {
 public:
  explicit budget(const check_limits& limits) : limits_(limits), end_(now() + limits.time) {}

  /// Asked once for each configuration; looks at the clock now and then.
  limit reached(std::size_t memory_bytes) {
    if (memory_bytes > limits_.memory_bytes)
      return limit::memory;
    if (++configurations_ % configurations_a_look == 0)
      over_ = over_ || now() >= end_;
    return over_ || configurations_ > allowed_ ? limit::time : limit::none;
  }
  /// From now on time counts as over after so many configurations.
  void allow(std::uint64_t configurations) { allowed_ = configurations_ + configurations; }
  /// Looks at the clock at once.
  bool over() { return over_ = over_ || now() >= end_; }
  std::uint64_t configurations() const { return configurations_; }

 private:
  static constexpr std::uint64_t configurations_a_look = 1024;
  std::chrono::nanoseconds now() const {
    return limits_.now ? limits_.now() : std::chrono::steady_clock::now().time_since_epoch();
  }

  const check_limits& limits_;
  std::chrono::nanoseconds end_;
  std::uint64_t configurations_ = 0;
  std::uint64_t allowed_ = std::numeric_limits<std::uint64_t>::max();
  bool over_ = false;
};

} // namespace troupe::history
