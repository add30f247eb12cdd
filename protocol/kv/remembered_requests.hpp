#pragma once
// The last requests of one client, and what it was told (D 6.3).

#include "protocol/kv/command.hpp"
#include "protocol/kv/place_index.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe::kv {

/// A ring with an index of its MIDs. Every write of every client comes by here, so its places are used again:
/// once it is full, a request that is added allocates nothing, and touches the memory of the one that it
/// pushes out.
class remembered_requests {
 public:
  static constexpr std::size_t most = 1'024;

  class answered {
   public:
    answered(std::string_view its_mid, const kv::result& r) : mid(its_mid) { note(r); }
    answered(const answered& other) : answered(other.mid, other.result()) {}
    answered(answered&&) = default;
    answered& operator=(answered&&) = default;

    const kv::result& result() const { return special_ ? *special_ : plain(); }
    void note(const kv::result& r) {
      if (r == plain())
        special_.reset();
      else
        special_ = std::make_unique<kv::result>(r);
    }

    std::string mid;

   private:
    static const kv::result& plain();

    /// Null: what nearly all are told, which then takes no room.
    std::unique_ptr<kv::result> special_;
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
  static std::uint16_t hash_of(std::string_view mid);

  std::vector<answered> ring_;
  std::size_t oldest_ = 0;
  place_index<std::uint16_t, std::uint16_t> index_; ///< of places in the ring, counted from 1
};

} // namespace troupe::kv
