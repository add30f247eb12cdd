#include "cluster/history/key_history.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace troupe::history {

namespace {

bool grows(const told_operation& t) {
  return t.role != role::left_out && t.operation->kind == operation_kind::append;
}

/// Only what is told proves anything.
bool answered(const told_operation& t) {
  return t.role == role::as_told && t.operation->ending == ending::ok;
}

/// Whether it may happen after its end, or never.
bool open(const told_operation& t) {
  return t.role == role::never_answered || t.operation->ending == ending::unknown;
}

/// What says nothing and changes nothing need not be looked at.
bool matters(const told_operation& t) {
  const auto& o = *t.operation;
  if (t.role == role::left_out || o.ending == ending::refused)
    return false;
  const bool without_effect = o.kind == operation_kind::get || (o.ending == ending::ok && !o.applied) ||
                              (o.kind == operation_kind::append && o.value.empty()) ||
                              (o.kind == operation_kind::cas && o.value == o.expected);
  if (!without_effect)
    return true;
  return answered(t) && (o.kind == operation_kind::cas || o.result.has_value());
}

/// Whatever somebody must have met or must not have met.
std::vector<std::string_view> observed_values(std::span<const told_operation> told) {
  std::vector<std::string_view> values;
  for (const auto& t : told) {
    if (!matters(t))
      continue;
    if (answered(t) && t.operation->result)
      values.push_back(*t.operation->result);
    if (t.operation->kind == operation_kind::cas)
      values.push_back(t.operation->expected);
  }
  return values;
}

/// Which observed values each appended piece is part of.
struct piece_uses {
  std::unordered_map<std::string_view, std::vector<std::uint32_t>> found;
  bool complete = true; ///< false: there was too much to look through
};

piece_uses uses_of_pieces(std::span<const told_operation> told, const value_space& values) {
  piece_uses uses;
  std::set<std::size_t> lengths;
  for (const auto& t : told)
    if (grows(t) && !t.operation->value.empty() && uses.found.try_emplace(t.operation->value).second)
      lengths.insert(t.operation->value.size());
  std::size_t looks_left = 100'000;
  for (auto i = values.observed(); i-- > 0 && !lengths.empty();) // long values come behind their beginnings
    for (std::size_t at = 0; at < values.observed(i).size(); ++at)
      for (const auto length : lengths) {
        if (at + length > values.observed(i).size())
          break;
        if (looks_left-- == 0) {
          uses.complete = false;
          return uses;
        }
        const auto piece = uses.found.find(values.observed(i).substr(at, length));
        if (piece != uses.found.end() && (piece->second.empty() || piece->second.back() != i))
          piece->second.push_back(static_cast<std::uint32_t>(i));
      }
  return uses;
}

class builder {
 public:
  builder(key_history& into, std::span<const told_operation> told)
      : into_(into), uses_(uses_of_pieces(told, into.values)) {}

  void add(std::uint32_t number, const told_operation& told) {
    auto s = make(told);
    s.operation = number;
    s.required = told.role == role::as_told && !open(told);
    if (s.is_write())
      s.effect = std::uint64_t{static_cast<std::uint8_t>(s.kind)} << 60U | std::uint64_t{s.seen} << 30U |
                 (s.kind == step_kind::append ? s.piece : s.made);
    into_.avoids = into_.avoids || s.kind == step_kind::avoid;
    (open(told) ? into_.open_steps : into_.steps).push_back(s);
  }

 private:
  step make(const told_operation& told) {
    const auto& o = *told.operation;
    if (answered(told) && !o.applied)
      return not_applied(o);
    switch (o.kind) {
    case operation_kind::get:
      return meeting(step_kind::read, *o.result);
    case operation_kind::put:
      return leaving(o.value);
    case operation_kind::erase:
      return leaving("");
    case operation_kind::append:
      return appending(o.value);
    case operation_kind::cas: {
      auto s = meeting(o.value == o.expected ? step_kind::read : step_kind::swap, o.expected);
      s.made = into_.values.find(o.value);
      return s;
    }
    }
    return {};
  }

  step not_applied(const operation& o) {
    if (!o.result)
      return meeting(step_kind::avoid, o.expected);
    auto s = meeting(step_kind::read, *o.result);
    if (o.kind == operation_kind::cas && *o.result == o.expected)
      s.seen = step::nothing; // found what it expected, and yet was not applied: no value explains that
    return s;
  }

  step meeting(step_kind kind, std::string_view value) {
    step s;
    s.kind = kind;
    s.seen = into_.values.find(value);
    return s;
  }

  step leaving(std::string_view value) {
    step s;
    s.kind = step_kind::set;
    s.made = into_.values.find(value);
    return s;
  }

  step appending(std::string_view piece) {
    step s;
    const auto& uses = uses_.found[piece];
    if (uses.empty() && uses_.complete && !piece.empty()) {
      s.kind = step_kind::set; // whatever the key held, nobody can observe what it holds now
      s.made = value_space::unobservable;
      return s;
    }
    s.kind = step_kind::append;
    const auto [entry, made] =
        piece_numbers_.try_emplace(piece, static_cast<std::uint32_t>(into_.pieces.size()));
    if (made) {
      into_.pieces.push_back(piece);
      into_.uses.push_back(uses);
    }
    s.piece = entry->second;
    return s;
  }

  key_history& into_;
  piece_uses uses_;
  std::unordered_map<std::string_view, std::uint32_t> piece_numbers_;
};

/// A moment, and whether it is an end: what is called in the moment of an end may have come first.
struct event {
  std::int64_t time;
  bool is_end;
  std::uint32_t step;
};

bool by_time(const event& a, const event& b) {
  return a.time != b.time ? a.time < b.time : a.is_end < b.is_end;
}

std::vector<event> sorted_events(const key_history& h, std::span<const told_operation> told) {
  std::vector<event> events;
  events.reserve(2 * h.steps.size());
  for (std::uint32_t i = 0; i < h.steps.size(); ++i) {
    const auto& o = *told[h.steps[i].operation].operation;
    events.push_back({o.call, false, i});
    events.push_back({o.done, true, i});
  }
  std::stable_sort(events.begin(), events.end(), by_time);
  return events;
}

void sort_by_call(std::vector<step>& steps, std::span<const told_operation> told) {
  std::stable_sort(steps.begin(), steps.end(), [&](const step& a, const step& b) {
    return told[a.operation].operation->call < told[b.operation].operation->call;
  });
}

/// Steps that overlap get different slots, and slots are used again: as many as there are clients, usually.
void number_events(key_history& h, const std::vector<event>& events) {
  std::vector<std::uint32_t> free;
  for (const auto& e : events) {
    auto& s = h.steps[e.step];
    const auto place = static_cast<std::uint32_t>(h.events.size());
    h.events.push_back(2 * e.step + (e.is_end ? 1U : 0U));
    if (e.is_end) {
      s.done = place;
      free.push_back(s.slot);
      continue;
    }
    s.call = place;
    if (free.empty()) {
      s.slot = h.slots++;
    } else {
      s.slot = free.back();
      free.pop_back();
    }
  }
}

/// Where the open steps stand among the events. Those that were called after the last end can be taken never
/// to have happened: nobody can tell.
void place_open_steps(key_history& h, const std::vector<event>& events,
                      std::span<const told_operation> told) {
  std::size_t place = 0;
  std::size_t kept = 0;
  for (auto& s : h.open_steps) {
    const event call{told[s.operation].operation->call, false, 0};
    while (place < events.size() && by_time(events[place], call))
      ++place;
    if (place == events.size())
      break;
    s.call = static_cast<std::uint32_t>(place);
    ++kept;
  }
  h.open_steps.resize(kept);
}

} // namespace

key_history::key_history(std::span<const told_operation> told)
    : values(observed_values(told), std::any_of(told.begin(), told.end(), grows)), initial(values.find("")) {
  builder build(*this, told);
  for (std::uint32_t i = 0; i < told.size(); ++i)
    if (matters(told[i]))
      build.add(i, told[i]);
  sort_by_call(steps, told);
  sort_by_call(open_steps, told);
  const auto sorted = sorted_events(*this, told);
  number_events(*this, sorted);
  place_open_steps(*this, sorted, told);
}

} // namespace troupe::history
