#pragma once
// Records in an order in which causes come first.

#include "trace/read.hpp"

#include <functional>
#include <map>
#include <unordered_map>

namespace troupe::trace {

/// In a file a record stands where its handling ended: what it caused may have ended before. And the clocks
/// of processes may be read in a slightly different order than the one in which things happened. So a record
/// waits here until so many others came, and goes on by when it began, but never before a cause that waits
/// too.
class ordering {
 public:
  static constexpr std::size_t usual_wait = 16384;

  explicit ordering(std::function<void(const record&)> next, std::size_t wait = usual_wait)
      : next_(std::move(next)), wait_(wait) {}
  void take(record r);
  /// Nothing comes any more.
  void finish();

 private:
  using place = std::pair<std::int64_t, std::uint64_t>; ///< a time, and the number of the record
  struct waiting {
    trace::record record;
    int moved = 0;
  };
  void release_first();

  std::function<void(const record&)> next_;
  std::size_t wait_;
  std::multimap<place, waiting> waiting_;
  std::unordered_map<std::uint64_t, place> places_; ///< by number, of those that wait
};

} // namespace troupe::trace
