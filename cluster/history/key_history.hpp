#pragma once
// What happened to one key, made ready for a search: operations as steps from value to value, and the order
// of their calls and ends.

#include "cluster/history/history.hpp"
#include "cluster/history/value_space.hpp"

#include <span>

namespace troupe::history {

/// How seriously an operation is taken.
enum class role : std::uint8_t {
  as_told,        ///< all that it was told counts
  may_be_missing, ///< it took effect between its call and its end, or never: its answer proves nothing
  never_answered, ///< its ending counts as unknown
  left_out
};

struct told_operation {
  const history::operation* operation = nullptr;
  history::role role = role::as_told;
};

enum class step_kind : std::uint8_t {
  read,   ///< meets `seen`, changes nothing
  avoid,  ///< meets anything but `seen`, changes nothing
  set,    ///< meets anything, leaves `made`
  append, ///< meets anything, adds `piece` to it
  swap    ///< meets `seen`, leaves `made`
};

struct step {
  step_kind kind = step_kind::read;
  bool required = true; ///< false: may be passed over when its end comes
  value_id seen = 0;
  value_id made = 0;
  std::uint32_t piece = 0;
  std::uint32_t call = 0; ///< places in the order of all events, from 0
  std::uint32_t done = 0;
  std::uint32_t slot = 0;      ///< no two steps that overlap have the same
  std::uint64_t effect = 0;    ///< equal for writes that do the same; 0 for others
  std::uint32_t operation = 0; ///< which of the given ones

  /// Meets only this value, which nothing can make.
  static constexpr value_id nothing = 0xFFFFFFFF;

  bool is_write() const { return kind != step_kind::read && kind != step_kind::avoid; }
  /// Whether it can be the next one where the key holds `value`.
  bool fits(value_id value) const {
    switch (kind) {
    case step_kind::read:
    case step_kind::swap:
      return value == seen;
    case step_kind::avoid:
      return value != seen;
    case step_kind::set:
    case step_kind::append:
      return true;
    }
    return false;
  }
};

/// Views into the operations, which must outlive this. Precondition: the values of all of them together have
/// less than 4 GiB.
struct key_history {
  explicit key_history(std::span<const told_operation> told);

  /// By call. What was answered: each has to be fitted in before its end.
  std::vector<step> steps;
  /// By call. Writes that may take effect at any time from their call on, or never.
  std::vector<step> open_steps;
  std::vector<std::string_view> pieces;
  /// By piece, the observed values that it is part of; of very long histories only some.
  std::vector<std::vector<std::uint32_t>> uses;
  value_space values;
  value_id initial = value_space::unobservable;
  /// Calls and ends of `steps` in order: 2 * step is a call, 2 * step + 1 an end.
  std::vector<std::uint32_t> events;
  std::uint32_t slots = 0; ///< how many there are
  bool avoids = false;     ///< whether anything avoids a value
};

} // namespace troupe::history
