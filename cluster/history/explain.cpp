#include "cluster/history/explain.hpp"

#include "cluster/history/describe.hpp"
#include "cluster/history/quoted.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace troupe::history {

namespace {

constexpr std::uint64_t least_allowance = 1'000'000;
constexpr std::size_t most_tried_values = 24;
/// So many operations may be searched for values that fit: of long histories fewer values are tried.
constexpr std::size_t most_tried_operations = 100'000;
constexpr std::size_t most_fitting_values = 5;
constexpr std::size_t most_sources = 3;

void carry_out(const operation& o, std::string& value) {
  const bool applied = o.ending == ending::unknown || o.applied;
  if (o.kind == operation_kind::get || !applied || (o.kind == operation_kind::cas && value != o.expected))
    return;
  if (o.kind == operation_kind::append)
    value += o.value;
  else
    value = o.value; // of a delete: ""
}

/// The history up to an event: what ended later counts as never answered, what was called later is left out.
std::vector<told_operation> told_until(std::span<const told_operation> told, const key_history& history,
                                       std::uint32_t place) {
  std::vector<told_operation> until(told.begin(), told.end());
  for (auto& t : until)
    t.role = role::left_out;
  for (const auto& s : history.open_steps)
    if (s.call <= place)
      until[s.operation].role = role::as_told;
  for (const auto& s : history.steps)
    if (s.call < place)
      until[s.operation].role = s.done <= place ? role::as_told : role::never_answered;
  return until;
}

search_end end_of_search(const std::vector<told_operation>& told, budget& costs) {
  if (costs.over())
    return search_end::out_of_time;
  key_history history(told);
  return search(history, costs).run();
}

/// The first end up to which the history is impossible: by halving, since what is impossible stays so. If the
/// limits are reached it is a later one.
const step& culprit_of(std::span<const told_operation> told, const key_history& history,
                       std::uint32_t furthest, budget& costs) {
  std::vector<std::uint32_t> ends;
  for (std::uint32_t place = furthest; place < history.events.size(); ++place)
    if (history.events[place] % 2 == 1)
      ends.push_back(place);
  const auto impossible = [&](std::size_t i) {
    return end_of_search(told_until(told, history, ends[i]), costs) == search_end::impossible;
  };
  std::size_t possible = 0; // so many are known to be
  std::size_t last = ends.size() - 1;
  for (std::size_t step = 1; possible + step - 1 < last; step *= 2) { // it is often the first one
    const auto tried = possible + step - 1;
    if (impossible(tried)) {
      last = tried;
      break;
    }
    possible = tried + 1;
  }
  while (possible < last) {
    const auto middle = possible + (last - possible) / 2;
    if (impossible(middle))
      last = middle;
    else
      possible = middle + 1;
  }
  return history.steps[history.events[ends[last]] / 2];
}

/// The history up to the end of the culprit, of which parts can be made to say less.
///
/// What an operation says must not simply be left out: without a write nobody could have read its value. So
/// an operation that is spared still may take effect between its call and its end, but need not, and its
/// answer counts for nothing. Then sparing more never makes anything impossible, and a stretch that is
/// impossible with all the rest spared is impossible for reasons of its own.
class prefix {
 public:
  prefix(std::span<const told_operation> told, const key_history& history, const step& culprit, budget& costs)
      : told_(told_until(told, history, culprit.done)), costs_(costs),
        allowance_(least_allowance + costs.configurations() / 8), culprit_(culprit.operation) {
    for (const auto& s : history.steps)
      if (s.done < culprit.done)
        others_.push_back(s);
    std::sort(others_.begin(), others_.end(), [](const step& a, const step& b) { return a.done > b.done; });
  }

  using numbers = std::vector<std::uint32_t>; ///< of operations

  /// What ended before the culprit, the last first.
  numbers others() const {
    numbers all;
    for (const auto& s : others_)
      all.push_back(s.operation);
    return all;
  }

  /// Whether the culprit cannot be explained together with these. False as well when the limits are reached:
  /// then less is spared than could be.
  bool impossible_with(const numbers& counted) {
    auto told = told_;
    for (const auto& s : others_)
      told[s.operation].role = role::may_be_missing;
    for (const auto number : counted)
      told[number].role = role::as_told;
    return ended(told) == search_end::impossible;
  }

  /// Whether all that ended before the culprit can be explained if a get had read this in its place.
  bool could_read(const std::string& value) {
    operation get;
    get.kind = operation_kind::get;
    get.call = told_[culprit_].operation->call;
    get.done = told_[culprit_].operation->done;
    get.ending = ending::ok;
    get.result = value;
    auto told = told_;
    told[culprit_].operation = &get;
    return ended(told) == search_end::explained;
  }

  /// What the key holds at the culprit's end in some order that explains all that ended before it.
  std::optional<std::string> held_at_the_end() {
    auto told = told_;
    told[culprit_].role = role::left_out;
    key_history history(told);
    search s(history, costs_);
    costs_.allow(allowance_);
    if (costs_.over() || s.run() != search_end::explained)
      return std::nullopt;
    std::string value;
    for (const auto number : s.order())
      carry_out(*told[number].operation, value);
    return value;
  }

  const operation& at(std::uint32_t number) const { return *told_[number].operation; }
  std::uint32_t culprit() const { return culprit_; }
  bool cut_short() const { return cut_short_; }

  /// All that was called before the culprit's end, the last first.
  std::vector<const operation*> called() const {
    std::vector<const operation*> all;
    for (const auto& t : told_)
      if (t.role != role::left_out && t.operation != told_[culprit_].operation)
        all.push_back(t.operation);
    std::stable_sort(all.begin(), all.end(),
                     [](const operation* a, const operation* b) { return a->call > b->call; });
    return all;
  }

 private:
  search_end ended(const std::vector<told_operation>& told) {
    costs_.allow(allowance_);
    const auto end = end_of_search(told, costs_);
    cut_short_ = cut_short_ || end == search_end::out_of_time || end == search_end::out_of_memory;
    return end;
  }

  std::vector<told_operation> told_;
  std::vector<step> others_;
  budget& costs_;
  std::uint64_t
      allowance_; ///< for one search: so many questions can be asked that none may eat up all the time
  std::uint32_t culprit_;
  bool cut_short_ = false;
};

using numbers = prefix::numbers;

numbers joined(numbers a, const numbers& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// QuickXplain (Junker 2004): of `choice`, in order of preference, a part that is impossible together with
/// `counted`, and of which nothing can be spared. Precondition: with all of `choice` it is impossible. The
/// depth of the recursion is the logarithm of the number of operations.
numbers smallest(prefix& history, const numbers& counted, bool has_changed, const numbers& choice) {
  if (has_changed && history.impossible_with(counted))
    return {};
  if (choice.size() <= 1)
    return choice;
  const auto middle = choice.begin() + static_cast<std::ptrdiff_t>(choice.size() / 2);
  const numbers preferred(choice.begin(), middle);
  const numbers rest(middle, choice.end());
  const auto from_rest = smallest(history, joined(counted, preferred), true, rest);
  const auto from_preferred = smallest(history, joined(counted, from_rest), !from_rest.empty(), preferred);
  return joined(from_rest, from_preferred);
}

/// The fewest of the latest operations that are impossible: how far back one has to look. Doubling first
/// keeps the searches for a culprit with near causes short.
numbers smallest_stretch(prefix& history) {
  const auto all = history.others();
  if (history.impossible_with({}))
    return {};
  for (std::size_t count = 8; count < all.size(); count *= 2) {
    const numbers latest(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    if (history.impossible_with(latest))
      return smallest(history, {}, false, latest);
  }
  return smallest(history, {}, false, all);
}

/// The value that an operation says it met, if it says one.
std::optional<std::string> met(const operation& o) {
  if (o.kind == operation_kind::get || !o.applied)
    return o.result;
  return o.kind == operation_kind::cas ? std::optional(o.expected) : std::nullopt;
}

bool leaves(const operation& o, const std::string& value) {
  if (o.kind == operation_kind::erase)
    return value.empty();
  const bool sets = o.kind == operation_kind::put || (o.kind == operation_kind::cas && o.expected != o.value);
  return sets && o.applied && o.value == value;
}

std::vector<std::string> fitting_values(prefix& history) {
  const auto called = history.called();
  const auto most =
      std::clamp(most_tried_operations / (called.size() + 1), std::size_t{1}, most_tried_values);
  std::vector<std::string> fitting;
  std::set<std::string> tried;
  const auto attempt = [&](const std::string& value) {
    if (tried.size() < most && fitting.size() < most_fitting_values && tried.insert(value).second &&
        history.could_read(value))
      fitting.push_back(value);
  };
  if (const auto held = history.held_at_the_end())
    attempt(*held);
  for (const auto* o : called) {
    if (o->kind == operation_kind::get && o->result && o->ending == ending::ok)
      attempt(*o->result);
    if ((o->kind == operation_kind::put || o->kind == operation_kind::cas) && o->applied)
      attempt(o->value);
  }
  attempt("");
  return fitting;
}

operations sources(const prefix& history, const std::optional<std::string>& value,
                   const operations& stretch) {
  operations found;
  if (!value)
    return found;
  for (const auto* o : history.called())
    if (leaves(*o, *value) && std::find(stretch.begin(), stretch.end(), *o) == stretch.end())
      found.push_back(*o);
  found.resize(std::min(found.size(), most_sources));
  std::reverse(found.begin(), found.end());
  return found;
}

/// What the culprit claims and cannot be.
std::string claim(const operation& o) {
  const auto name = name_of(o);
  if (o.kind == operation_kind::get)
    return fmt::format("{} cannot have read {}", name, quoted(*o.result));
  if (o.applied && o.kind != operation_kind::cas) // only if there was no time to find the culprit
    return fmt::format("what ended until {} did cannot be explained", name);
  if (o.applied)
    return fmt::format("{} cannot have met the {} that it expected", name, quoted(o.expected));
  if (o.result)
    return fmt::format("{} cannot have found {}", name, quoted(*o.result));
  return fmt::format("{} cannot have met anything but the {} that it expected, and yet was not applied", name,
                     quoted(o.expected));
}

std::string reason(const explanation& e) {
  const auto& culprit = e.stretch[e.culprit];
  const bool wants_another = culprit.kind == operation_kind::cas && !culprit.applied && !culprit.result;
  if (e.stretch.size() == 1)
    return fmt::format("no choice of the writes called before its end, in any order, makes {}",
                       wants_another ? "another value" : "that value");
  if (e.stretch.size() > 2)
    return fmt::format("no order of these {} operations explains their answers, whichever others took effect",
                       e.stretch.size());
  const auto& other = e.stretch[1 - e.culprit];
  const auto tie = other.done < culprit.call ? "after" : "together with";
  return fmt::format("{} {} no write makes {} in time", tie, account_of(other),
                     wants_another ? "another value" : "that value");
}

} // namespace

explanation explain(std::span<const told_operation> told, const key_history& history, std::uint32_t furthest,
                    budget& costs) {
  prefix until(told, history, culprit_of(told, history, furthest, costs), costs);
  explanation result;
  const auto& culprit = until.at(until.culprit());
  result.key = culprit.key;
  for (const auto number : smallest_stretch(until))
    result.stretch.push_back(until.at(number));
  result.stretch.push_back(culprit);
  std::stable_sort(result.stretch.begin(), result.stretch.end(),
                   [](const operation& a, const operation& b) { return a.call < b.call; });
  const auto at = std::find(result.stretch.begin(), result.stretch.end(), culprit);
  result.culprit = static_cast<std::size_t>(at - result.stretch.begin());
  result.cut_short = until.cut_short();
  result.sources = sources(until, met(culprit), result.stretch);
  result.would_fit = fitting_values(until);
  result.why = fmt::format("{}: {}", claim(culprit), reason(result));
  return result;
}

} // namespace troupe::history
