#pragma once
// Finds by a hash where something stands.

#include <cstddef>
#include <utility>
#include <vector>

namespace troupe::kv {

/// A table of (hash, place), each at the cell that its hash names or at the next free one. It knows nothing
/// of what stands at the places. Every write looks into several such tables, whose memory is mostly in no
/// cache: so a cell is small, and one is found without going through others.
///
/// @tparam Hash   an unsigned number; part of a hash will do, if it names more cells than there will be
/// @tparam Place  where something stands; a value made by default stands for nowhere
template <class Hash, class Place>
class place_index {
 public:
  /// The first place with this hash for which `is_it(place)`, or nowhere.
  template <class IsIt>
  Place find(Hash hash, IsIt&& is_it) const {
    if (cells_.empty())
      return {};
    auto at = home(hash);
    while (cells_[at].place != Place{} && !(cells_[at].hash == hash && is_it(cells_[at].place)))
      at = next(at);
    return cells_[at].place;
  }

  void add(Hash hash, Place place) {
    if (2 * ++size_ > cells_.size())
      grow();
    enter({hash, place});
  }

  /// And moves those behind it up that stand there only because its cell was taken: nobody is to find a gap
  /// before what it looks for. Precondition: it was added.
  void remove(Hash hash, Place place) {
    auto gap = home(hash);
    while (cells_[gap].place != place)
      gap = next(gap);
    for (auto at = next(gap); cells_[at].place != Place{}; at = next(at)) {
      if (distance(home(cells_[at].hash), at) < distance(gap, at))
        continue;
      cells_[gap] = cells_[at];
      gap = at;
    }
    cells_[gap] = {};
    --size_;
  }

 private:
  struct cell {
    Hash hash{};
    Place place{};
  };

  std::size_t mask() const { return cells_.size() - 1; }
  std::size_t home(Hash hash) const { return hash & mask(); }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  std::size_t distance(std::size_t from, std::size_t to) const { return (to - from) & mask(); }

  void enter(cell c) {
    auto at = home(c.hash);
    while (cells_[at].place != Place{})
      at = next(at);
    cells_[at] = c;
  }

  void grow() {
    constexpr std::size_t least = 8;
    const auto before = std::exchange(cells_, std::vector<cell>(cells_.empty() ? least : 2 * cells_.size()));
    for (const auto& c : before)
      if (c.place != Place{})
        enter(c);
  }

  std::vector<cell> cells_; ///< none, or a power of two, at least twice as many as are taken
  std::size_t size_ = 0;
};

} // namespace troupe::kv
