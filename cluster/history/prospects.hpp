#pragma once
// What the steps that were not taken yet need of each other: which values somebody still has to meet, and who
// can still make them.

#include "cluster/history/key_history.hpp"

#include <set>
#include <string_view>
#include <unordered_map>

namespace troupe::history {

class prospects {
 public:
  /// @param history  must outlive this
  explicit prospects(const key_history& history);

  /// A step is taken or passed over; or put back.
  void remove(const step& s) { count(s, -1); }
  void add(const step& s) { count(s, 1); }

  /// Whether somebody would miss for ever what `value` is or could grow into, or what takes the piece that
  /// `s` adds, were `value` replaced by what `s` makes of it now. It is not found out at any price.
  bool lost_by(const step& s, value_id value, value_id made) const;
  /// Whether somebody would miss what `s` makes for ever, were it passed over while the key holds `value`.
  /// Where values grow this is not found out.
  bool lost_without(const step& s, value_id value) const;
  /// How many look for this value, or for one that it could grow into; many, if that takes long to count.
  std::int32_t wanted(value_id value) const;
  /// False if somebody needs a value that nothing makes. Where values grow this is not found out.
  bool hopeful(value_id initial) const;

 private:
  struct observed_value {
    std::int32_t needed = 0;          ///< steps that have to be taken and have to meet it
    std::int32_t wanted = 0;          ///< the same with those that may be missing
    std::vector<value_id> beginnings; ///< those that sets or swaps make, the whole of it included
  };
  void count(const step& s, std::int32_t change);
  observed_value& met_by(const step& s) { return observed_[history_.values.extensions(s.seen).first]; }
  bool can_be_made(std::uint32_t observed, const step& without, int& looks) const;

  const key_history& history_;
  std::vector<observed_value> observed_;
  std::vector<std::int32_t> makers_; ///< sets and swaps that leave a value, by value_id
  std::vector<std::int32_t> pieces_; ///< appends that add a piece, by its number
  std::unordered_map<std::string_view, std::uint32_t> piece_numbers_; ///< those that are not empty
  std::set<std::size_t> piece_lengths_;
};

} // namespace troupe::history
