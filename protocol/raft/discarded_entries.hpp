#pragma once

#include "protocol/raft/entry.hpp"

#include <deque>
#include <iterator>

namespace troupe::raft {

/// Entries that nobody needs any more, freed a few at a time: ten thousand at once would hold up the whole
/// replica for milliseconds.
class discarded_entries {
 public:
  /// Takes the first `count` out of a log's entries.
  void take_front(std::deque<entry_ptr>& entries, std::size_t count) {
    const auto end = entries.begin() + static_cast<std::ptrdiff_t>(count);
    entries_.insert(entries_.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(end));
    entries.erase(entries.begin(), end);
  }
  /// To be called for each entry that is added: a log that does not grow discards faster than it adds.
  void free_some() {
    constexpr int at_once = 4;
    for (int i = 0; i < at_once && !entries_.empty(); ++i)
      entries_.pop_front();
  }
  std::size_t size() const { return entries_.size(); }

 private:
  std::deque<entry_ptr> entries_;
};

} // namespace troupe::raft
