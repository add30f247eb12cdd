#pragma once

#include "protocol/raft/entry.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

namespace troupe::raft {

/// Entries that nobody needs any more, freed a few at a time: ten thousand at once would hold up the whole
/// replica for milliseconds.
class discarded_entries {
 public:
  /// Takes the first `count` out of a log's entries. Costs what the shorter part costs to move: a snapshot
  /// leaves next to nothing of a log of any length.
  void take_front(std::deque<entry_ptr>& entries, std::size_t count) {
    std::deque<entry_ptr> front;
    const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(count);
    if (count <= entries.size() / 2) {
      std::move(entries.begin(), middle, std::back_inserter(front));
      entries.erase(entries.begin(), middle);
    } else {
      std::deque<entry_ptr> rest(std::make_move_iterator(middle), std::make_move_iterator(entries.end()));
      entries.resize(count);
      front = std::exchange(entries, std::move(rest));
    }
    if (!front.empty())
      parts_.push_back(std::move(front));
  }
  /// To be called for each entry that is added: a log that does not grow discards faster than it adds.
  void free_some() {
    constexpr int at_once = 4;
    for (int i = 0; i < at_once && !parts_.empty(); ++i) {
      parts_.front().pop_front();
      if (parts_.front().empty())
        parts_.pop_front();
    }
  }
  std::size_t size() const {
    std::size_t sum = 0;
    for (const auto& part : parts_)
      sum += part.size();
    return sum;
  }

 private:
  std::deque<std::deque<entry_ptr>> parts_; ///< none of them empty
};

} // namespace troupe::raft
