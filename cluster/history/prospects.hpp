#pragma once
// What the steps that were not taken yet need of each other: which values somebody still has to meet, and who
// can still make them.

#include "cluster/history/key_history.hpp"

namespace troupe::history {

/// Knows nothing, and says so, where values grow: then who can make what depends on the order.
class prospects {
 public:
  explicit prospects(const key_history& history);

  /// A step is taken or passed over; or put back.
  void remove(const step& s) { count(s, -1); }
  void add(const step& s) { count(s, 1); }

  /// Whether somebody would miss `value` for ever, were it replaced by `s` now.
  bool lost_by(const step& s, value_id value) const {
    if (!known_)
      return false;
    const auto& c = counts_[value];
    return c.makers == 0 && c.needed > (s.kind == step_kind::swap && s.required ? 1 : 0);
  }
  /// Whether somebody would miss what `s` makes for ever, were it passed over while the key holds `value`.
  bool lost_without(const step& s, value_id value) const {
    return known_ && s.is_write() && s.made != value && counts_[s.made].makers == 1 &&
           counts_[s.made].needed > 0;
  }
  /// False if nobody looks for this value any more.
  bool wanted(value_id value) const { return !known_ || counts_[value].wanted > 0; }
  /// False if somebody needs a value that nothing makes.
  bool hopeful(value_id initial) const;

 private:
  struct counts {
    std::int32_t needed = 0; ///< steps that have to be taken and have to meet it
    std::int32_t wanted = 0; ///< the same with those that may be missing
    std::int32_t makers = 0; ///< steps that leave it
  };
  void count(const step& s, std::int32_t change);

  bool known_;
  std::vector<counts> counts_; ///< by value
};

} // namespace troupe::history
