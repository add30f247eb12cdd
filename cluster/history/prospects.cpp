#include "cluster/history/prospects.hpp"

namespace troupe::history {

prospects::prospects(const key_history& history) : known_(!history.values.grows()) {
  if (!known_)
    return;
  counts_.resize(history.values.size());
  for (const auto& s : history.steps)
    add(s);
  for (const auto& s : history.open_steps)
    add(s);
}

bool prospects::hopeful(value_id initial) const {
  for (value_id value = 0; value < counts_.size(); ++value)
    if (value != initial && counts_[value].needed > 0 && counts_[value].makers == 0)
      return false;
  return true;
}

void prospects::count(const step& s, std::int32_t change) {
  if (!known_)
    return;
  if ((s.kind == step_kind::read || s.kind == step_kind::swap) && s.seen != step::nothing) {
    counts_[s.seen].wanted += change;
    if (s.required)
      counts_[s.seen].needed += change;
  }
  if (s.is_write())
    counts_[s.made].makers += change;
}

} // namespace troupe::history
