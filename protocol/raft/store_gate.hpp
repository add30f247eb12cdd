#pragma once
// Keeps back what promises something until the storage holds what is promised.

#include "protocol/raft/step.hpp"

#include <cstdint>
#include <deque>
#include <utility>

namespace troupe::raft {

/// Messages in the order of the writes that they wait for. A promise waits for all that was to be stored
/// before it, not only for what the same step wrote: the entries that it speaks of may be older and still on
/// their way.
class store_gate {
 public:
  /// Numbers the next write that goes to the storage.
  std::uint64_t next_write() { return ++issued_; }

  /// Takes messages that wait for all writes so far. Returns those that need not wait.
  std::vector<outgoing> hold(std::vector<outgoing> messages) {
    if (completed_ == issued_)
      return messages;
    for (auto& m : messages)
      held_.emplace_back(issued_, std::move(m));
    return {};
  }

  /// The storage has done all writes up to this one. Returns what waited for them, in order.
  std::vector<outgoing> release(std::uint64_t write) {
    completed_ = std::max(completed_, write);
    std::vector<outgoing> result;
    while (!held_.empty() && held_.front().first <= completed_) {
      result.push_back(std::move(held_.front().second));
      held_.pop_front();
    }
    return result;
  }

  std::size_t held() const { return held_.size(); }

 private:
  std::uint64_t issued_ = 0;
  std::uint64_t completed_ = 0;
  std::deque<std::pair<std::uint64_t, outgoing>> held_;
};

} // namespace troupe::raft
