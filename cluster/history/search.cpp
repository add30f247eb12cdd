#include "cluster/history/search.hpp"

#include <algorithm>

namespace troupe::history {

namespace {

std::size_t words_for(std::size_t bits) { return (bits + 63) / 64; }

} // namespace

search::search(key_history& history, budget& costs)
    : history_(history), costs_(costs), head_(static_cast<std::uint32_t>(history.events.size())),
      slot_words_(words_for(history.slots)), open_words_(words_for(history.open_steps.size())),
      list_(history.events.size() + 1), configuration_(1 + slot_words_ + open_words_),
      seen_(1 + slot_words_, open_words_), prospects_(history), value_(history.initial) {
  for (std::uint32_t place = 0; place <= head_; ++place)
    list_[place] = {place == 0 ? head_ : place - 1, place == head_ ? 0 : place + 1};
}

search_end search::run() {
  settle();
  if (!prospects_.hopeful(value_))
    return search_end::impossible;
  while (!ended()) {
    if (is_new())
      choices_.push_back({taken_.size(), value_, frontier_, 0, 0, avoided()});
    switch (costs_.reached(seen_.memory_bytes())) {
    case limit::time:
      return search_end::out_of_time;
    case limit::memory:
      return search_end::out_of_memory;
    case limit::none:
      break;
    }
    for (;;) {
      if (choices_.empty())
        return search_end::impossible;
      auto& c = choices_.back();
      take_back(c.taken);
      value_ = c.value;
      if (advance(c))
        break;
      choices_.pop_back();
    }
    settle();
  }
  return search_end::explained;
}

/// Whether there is such a step among those that have an end and can be the next one.
template <class Condition>
bool search::any_callable(Condition condition) const {
  for (auto place = list_[head_].after; place != frontier_; place = list_[place].after)
    if (condition(history_.steps[history_.events[place] / 2]))
      return true;
  return false;
}

std::vector<std::uint32_t> search::order() const {
  std::vector<std::uint32_t> numbers;
  for (const auto number : taken_)
    numbers.push_back((number & is_open) != 0 ? history_.open_steps[number & ~is_open].operation
                                              : history_.steps[number].operation);
  return numbers;
}

/// Takes all that can be taken with no alternative (rules 1 and 6), and finds the frontier.
void search::settle() {
  do
    take_fitting();
  while (take_forgotten());
  if (!ended())
    furthest_ = std::max(furthest_, frontier_);
}

/// Rule 1.
void search::take_fitting() {
  auto place = list_[head_].after;
  for (; place != head_; place = list_[place].after) {
    const auto event = history_.events[place];
    if (event % 2 == 1)
      break;
    if (const auto& s = history_.steps[event / 2]; !s.is_write() && s.fits(value_))
      take(event / 2); // its end goes too, so the frontier may be further on
  }
  frontier_ = place;
}

/// Rule 6, once: whether there was such a step.
bool search::take_forgotten() {
  if (ended() || !unwanted(value_))
    return false;
  value_ = value_space::unobservable; // as good as that, and the same for all
  for (auto place = list_[head_].after; place != frontier_; place = list_[place].after) {
    const auto number = history_.events[place] / 2;
    const auto& s = history_.steps[number];
    if (s.kind == step_kind::set && prospects_.wanted(s.made) == readers_at_hand(s.made)) {
      value_ = s.made;
      take(number);
      return true;
    }
  }
  return false;
}

/// How many that read the value could be next.
std::int32_t search::readers_at_hand(value_id value) const {
  std::int32_t count = 0;
  for (auto place = list_[head_].after; place != frontier_; place = list_[place].after) {
    const auto& s = history_.steps[history_.events[place] / 2];
    if (s.kind == step_kind::read && s.seen == value)
      ++count;
  }
  return count;
}

/// The steps that could be next and end behind a place, by their ends.
void search::find_alternatives(std::uint32_t behind) {
  alternatives_.clear();
  for (auto place = list_[head_].after; place != frontier_; place = list_[place].after)
    if (const auto end = history_.steps[history_.events[place] / 2].done; end > behind)
      alternatives_.emplace_back(end, place);
  std::sort(alternatives_.begin(), alternatives_.end());
}

/// Takes the next alternative. False if there is none.
bool search::advance(choice& c) {
  frontier_ = c.frontier;
  if (c.cursor != head_) {
    find_alternatives(c.cursor);
    alternatives_.emplace_back(head_, frontier_);
    for (const auto& [end, place] : alternatives_) {
      c.cursor = end;
      if (try_event(place))
        return true;
    }
  }
  while (c.open < history_.open_steps.size() && history_.open_steps[c.open].call <= frontier_)
    if (try_open(c.open++, c.avoided))
      return true;
  return false;
}

/// A call: its step is taken. The end at the frontier: its step is passed over, if that is allowed.
bool search::try_event(std::uint32_t place) {
  const auto number = history_.events[place] / 2;
  const auto& s = history_.steps[number];
  if (history_.events[place] % 2 == 1) {
    if (s.required || prospects_.lost_without(s, value_))
      return false;
    take(number);
    return true;
  }
  if (!s.is_write() || !s.fits(value_) || earlier_twin(s))
    return false;
  const auto made = after(s);
  if (prospects_.lost_by(s, value_, made))
    return false;
  value_ = made;
  take(number);
  return true;
}

bool search::try_open(std::uint32_t number, bool avoided) {
  const auto& s = history_.open_steps[number];
  if (is_taken(number) || !s.fits(value_))
    return false;
  const auto made = after(s);
  if (made == value_ || prospects_.lost_by(s, value_, made) || has_twin(number))
    return false;
  const bool wanted = (history_.avoids && history_.values.grows()) || prospects_.wanted(made) > 0;
  if (!avoided && (!wanted || !noticed(number, made)))
    return false;
  value_ = made;
  take(number | is_open);
  return true;
}

void search::take(std::uint32_t number) {
  taken_.push_back(number);
  prospects_.remove(step_of(number));
  if ((number & is_open) != 0) {
    const auto open = number & ~is_open;
    open_taken()[open / 64] |= std::uint64_t{1} << open % 64U;
    return;
  }
  const auto& s = history_.steps[number];
  configuration_[1 + s.slot / 64] ^= std::uint64_t{1} << s.slot % 64U;
  unlink(s.done); // first, so that the call still knows what comes after it
  unlink(s.call);
}

/// Puts steps back, the last first, until only so many are taken.
void search::take_back(std::size_t count) {
  for (; taken_.size() > count; taken_.pop_back()) {
    const auto number = taken_.back();
    prospects_.add(step_of(number));
    if ((number & is_open) != 0) {
      const auto open = number & ~is_open;
      open_taken()[open / 64] &= ~(std::uint64_t{1} << open % 64U);
      continue;
    }
    const auto& s = history_.steps[number];
    configuration_[1 + s.slot / 64] ^= std::uint64_t{1} << s.slot % 64U;
    relink(s.call);
    relink(s.done);
  }
}

bool search::is_new() {
  configuration_[0] = std::uint64_t{frontier_} << 32U | value_;
  return seen_.insert(configuration_);
}

void search::unlink(std::uint32_t place) {
  const auto [before, after] = list_[place];
  list_[before].after = after;
  list_[after].before = before;
}

void search::relink(std::uint32_t place) {
  const auto [before, after] = list_[place];
  list_[before].after = place;
  list_[after].before = place;
}

value_id search::after(const step& s) {
  return s.kind == step_kind::append ? history_.values.append(value_, history_.pieces[s.piece]) : s.made;
}

/// Rule 2. What has to be taken is not spared by taking what may be missing in its place.
bool search::earlier_twin(const step& s) const {
  const auto forgotten = [&](const step& w) { return w.kind == step_kind::set && unwanted(w.made); };
  const bool is_forgotten = forgotten(s);
  return any_callable([&](const step& other) {
    return other.done < s.done && (other.required || !s.required) &&
           (other.effect == s.effect || (is_forgotten && forgotten(other)));
  });
}

/// Rule 2 for an open step.
bool search::has_twin(std::uint32_t number) const {
  const auto effect = history_.open_steps[number].effect;
  for (std::uint32_t i = 0; i < number; ++i)
    if (history_.open_steps[i].effect == effect && !is_taken(i))
      return true;
  return any_callable([&](const step& other) { return other.effect == effect; });
}

/// Rule 3, for steps that avoid a value: all of them that could be next avoid this one, or they would have
/// been taken. So any other value serves them.
bool search::avoided() const {
  return any_callable([](const step& s) { return s.kind == step_kind::avoid; });
}

/// Rule 3, for all others.
bool search::noticed(std::uint32_t number, value_id made) const {
  if (made == value_space::unobservable && !history_.avoids)
    return false; // appending to it leads to nothing else
  const auto depends = [&](const step& s) {
    return s.kind != step_kind::set && s.kind != step_kind::avoid && s.fits(made);
  };
  if (any_callable(depends))
    return true;
  for (std::uint32_t i = 0; i < history_.open_steps.size(); ++i) {
    const auto& s = history_.open_steps[i];
    if (s.call > frontier_)
      break;
    if (i != number && !is_taken(i) && depends(s))
      return true;
  }
  return false;
}

} // namespace troupe::history
