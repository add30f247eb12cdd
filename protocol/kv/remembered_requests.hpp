#pragma once
// The last requests of one client, and what it was told (D 6.3).

#include "protocol/kv/command.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe::kv {

/// A ring with an index of its MIDs. Every write of every client comes by here, so its places are used again:
/// once it is full, a request that is added allocates nothing, and touches the memory of the one that it
/// pushes out.
class remembered_requests {
 public:
  static constexpr std::size_t most = 1'024;

  struct answered {
    std::string mid;
    kv::result result;
  };

  std::size_t size() const { return ring_.size(); }
  bool is_full() const { return ring_.size() == most; }
  /// The n-th, the oldest first. Precondition: n < size().
  const answered& operator[](std::size_t n) const { return ring_[(oldest_ + n) % ring_.size()]; }
  /// What this request was told, or nullptr. Valid until the next one is added.
  const result* find(std::string_view mid) const;
  /// Adds the newest; the oldest is forgotten for it when there are `most`. Precondition: find(mid) is null.
  void add(std::string_view mid, const result& r);

 private:
  /// Where a request stands in the ring, at the place that its MID's hash names or at the next free one.
  struct cell {
    static constexpr std::uint16_t free = 0xFFFF;
    std::uint16_t hash = 0;
    std::uint16_t place = free;
  };

  static std::uint16_t hash_of(std::string_view mid);
  std::size_t next(std::size_t at) const { return (at + 1) & (index_.size() - 1); }
  void enter(cell c);
  void remove(cell c);
  void grow_index();

  std::vector<answered> ring_;
  std::size_t oldest_ = 0;
  std::vector<cell> index_; ///< 0 or a power of two, at least twice as many as there are requests
};

} // namespace troupe::kv
