#include "cluster/history/prospects.hpp"

#include <algorithm>
#include <limits>

namespace troupe::history {

namespace {

constexpr std::uint32_t most_looked_at = 64; ///< an empty value can grow into all that was observed
constexpr int most_looks = 128; ///< for what leads to values: they may consist of thousands of pieces

bool has_to_meet(const step& s) {
  return (s.kind == step_kind::read || s.kind == step_kind::swap) && s.seen != step::nothing;
}

bool makes_one_value(const step& s) { return s.kind == step_kind::set || s.kind == step_kind::swap; }

} // namespace

prospects::prospects(const key_history& history)
    : history_(history), observed_(history.values.observed()), pieces_(history.pieces.size()) {
  for (std::uint32_t i = 0; i < history.pieces.size(); ++i)
    if (const auto piece = history.pieces[i]; !piece.empty()) {
      piece_numbers_.emplace(piece, i);
      piece_lengths_.insert(piece.size());
    }
  for (const auto* steps : {&history.steps, &history.open_steps})
    for (const auto& s : *steps) {
      if (makes_one_value(s) && s.made >= makers_.size())
        makers_.resize(s.made + 1);
      if (makes_one_value(s) && makers_[s.made] == 0) {
        const auto begun = history.values.extensions(s.made);
        for (auto i = begun.first; i < begun.last; ++i)
          observed_[i].beginnings.push_back(s.made);
      }
      add(s);
    }
}

bool prospects::lost_by(const step& s, value_id value, value_id made) const {
  const auto lost = history_.values.extensions(value), kept = history_.values.extensions(made);
  const auto end = std::min(lost.last, lost.first + most_looked_at);
  int looks = most_looks;
  const auto missed = [&](std::uint32_t i) {
    const bool meets_it = s.kind == step_kind::swap && s.required && i == lost.first;
    return !kept.contains(i) && observed_[i].needed > (meets_it ? 1 : 0) && !can_be_made(i, s, looks);
  };
  for (auto i = lost.first; i < end; ++i)
    if (missed(i))
      return true;
  if (s.kind != step_kind::append || pieces_[s.piece] > 1)
    return false;
  const auto& uses = history_.uses[s.piece];
  return std::any_of(uses.begin(), uses.end(), missed);
}

bool prospects::lost_without(const step& s, value_id value) const {
  if (history_.values.grows() || !s.is_write() || s.made == value)
    return false;
  const auto made = history_.values.extensions(s.made);
  return made.first < made.last && makers_[s.made] == 1 && observed_[made.first].needed > 0;
}

std::int32_t prospects::wanted(value_id value) const {
  const auto there = history_.values.extensions(value);
  if (there.last - there.first > most_looked_at)
    return std::numeric_limits<std::int32_t>::max();
  std::int32_t count = 0;
  for (auto i = there.first; i < there.last; ++i)
    count += observed_[i].wanted;
  return count;
}

bool prospects::hopeful(value_id initial) const {
  if (history_.values.grows())
    return true;
  const auto there = history_.values.extensions(initial);
  for (std::uint32_t i = 0; i < observed_.size(); ++i) {
    int looks = most_looks;
    if (!there.contains(i) && observed_[i].needed > 0 && !can_be_made(i, {}, looks))
      return false;
  }
  return true;
}

/// By those that make a beginning of it, and by the pieces that have to follow: there may be fewer of one
/// than it takes. When there are no looks left, everything can.
bool prospects::can_be_made(std::uint32_t observed, const step& without, int& looks) const {
  const auto text = history_.values.observed(observed);
  std::vector<std::size_t> lengths; // of beginnings that can be made
  for (const auto b : observed_[observed].beginnings) {
    if (looks-- <= 0)
      return true;
    if (makers_[b] > 0)
      lengths.push_back(history_.values.extensions(b).length);
  }
  while (!lengths.empty()) {
    const auto at = lengths.back();
    if (at == text.size())
      return true;
    lengths.pop_back();
    for (const auto length : piece_lengths_) {
      if (at + length > text.size())
        break;
      if (looks-- <= 0)
        return true;
      const auto piece = piece_numbers_.find(text.substr(at, length));
      if (piece == piece_numbers_.end())
        continue;
      const bool is_spent = without.kind == step_kind::append && without.piece == piece->second;
      if (pieces_[piece->second] > (is_spent ? 1 : 0))
        lengths.push_back(at + length);
    }
  }
  return false;
}

void prospects::count(const step& s, std::int32_t change) {
  if (has_to_meet(s)) {
    auto& o = met_by(s);
    o.wanted += change;
    if (s.required)
      o.needed += change;
  }
  if (makes_one_value(s))
    makers_[s.made] += change;
  if (s.kind == step_kind::append)
    pieces_[s.piece] += change;
}

} // namespace troupe::history
