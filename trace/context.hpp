#pragma once
// What a thread is about. Whatever happens meanwhile, and is planned for later, was caused by it.

#include <cstdint>
#include <utility>

namespace troupe::trace {

struct context {
  std::uint64_t cause = 0;      ///< the record of what is being handled; 0: nothing that is known
  std::uint64_t lamport = 0;    ///< the stamp of what happened last
  const char* room = "outside"; ///< who handles it
};

inline constinit thread_local context current{};

/// Until its end this is what the thread is about.
class within {
 public:
  explicit within(const context& c) : before_(std::exchange(current, c)) {}
  ~within() { current = before_; }
  within(const within&) = delete;
  within& operator=(const within&) = delete;

 private:
  context before_;
};

} // namespace troupe::trace
