#include "cluster/history/orders.hpp"

#include "cluster/history/explain.hpp"
#include "cluster/history/search.hpp"
#include "cluster/history/witness.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>

namespace troupe::history {

namespace {

using places = std::vector<std::size_t>;

/// Plays an order, up to the first operation that does not fit.
std::vector<ordered_operation> play(const operations& history, const places& order) {
  std::vector<ordered_operation> played;
  std::string held;
  auto latest_call = std::numeric_limits<std::int64_t>::min();
  for (const auto place : order) {
    const auto& o = history[place];
    auto next = value_after(o, held);
    if (!next || end_of(o) < latest_call)
      break;
    latest_call = std::max(latest_call, o.call);
    held = std::move(*next);
    played.push_back({place, held});
  }
  return played;
}

class key_orders {
 public:
  key_orders(const operations& history, const places& all) : history_(history), all_(all) {
    for (const auto place : all)
      told_.push_back({&history[place], role::as_told});
  }

  /// The places in the order that was found, also if that is only a part of it.
  places search_order(budget& costs, verdict& result) {
    key_history steps(told_);
    search s(steps, costs);
    switch (s.run()) {
    case search_end::explained:
      result = verdict::linearizable;
      return translate(s);
    case search_end::impossible:
      result = verdict::not_linearizable;
      return explain_until_culprit(steps, s.furthest(), costs);
    case search_end::out_of_time:
    case search_end::out_of_memory:
      break;
    }
    result = verdict::unknown;
    return {};
  }

 private:
  /// All that ended before the culprit can be explained, if what ended later took effect or did not.
  places explain_until_culprit(const key_history& steps, std::uint32_t furthest, budget& costs) {
    const auto found = explain(told_, steps, furthest, costs);
    const auto over = found.stretch[found.culprit].done;
    auto told = told_;
    for (auto& t : told)
      if (end_of(*t.operation) >= over)
        t.role = role::never_answered;
    key_history beginning(told);
    search again(beginning, costs);
    return again.run() == search_end::explained ? translate(again) : places{};
  }

  places translate(const search& s) const {
    places order;
    for (const auto number : s.order())
      order.push_back(all_[number]);
    return order;
  }

  const operations& history_;
  const places& all_;
  std::vector<told_operation> told_;
};

/// Whoever knows an order need not search. Nothing if that of the log does not explain the answers.
std::optional<places> logged_order(const operations& history, const places& all, const places& log) {
  operations alone;
  std::unordered_map<std::size_t, std::size_t> numbers;
  for (const auto place : all) {
    numbers[place] = alone.size();
    alone.push_back(history[place]);
  }
  places writes;
  for (const auto place : log)
    writes.push_back(numbers.at(place));
  auto order = place_reads(alone, writes);
  if (order)
    for (auto& place : *order)
      place = all[place];
  return order;
}

/// Those that no search looks at, as they changed nothing and were told nothing (an empty append), come
/// before whatever was called when they were over.
void insert_silent(const operations& history, const places& silent, places& order) {
  places by_end = silent;
  std::stable_sort(by_end.begin(), by_end.end(),
                   [&](auto a, auto b) { return history[a].done < history[b].done; });
  places whole;
  auto next = by_end.begin();
  for (const auto place : order) {
    for (; next != by_end.end() && history[*next].done < history[place].call; ++next)
      whole.push_back(*next);
    whole.push_back(place);
  }
  whole.insert(whole.end(), next, by_end.end());
  order = std::move(whole);
}

/// Those that were never answered may take effect when all is over; which shows nobody.
void add_missing(const operations& history, const places& all, places& order) {
  std::vector<std::size_t> known = order;
  std::sort(known.begin(), known.end());
  places silent;
  places unanswered;
  for (const auto place : all)
    if (!std::binary_search(known.begin(), known.end(), place))
      (history[place].ending == ending::unknown ? unanswered : silent).push_back(place);
  insert_silent(history, silent, order);
  order.insert(order.end(), unanswered.begin(), unanswered.end());
}

} // namespace

std::vector<key_order> find_orders(const operations& history, const std::vector<std::size_t>& writes_in_log,
                                   const check_limits& limits) {
  std::vector<key_order> keys;
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t place = 0; place < history.size(); ++place) {
    if (history[place].ending == ending::refused)
      continue; // it had no effect
    const auto [entry, is_new] = index.try_emplace(history[place].key, keys.size());
    if (is_new)
      keys.push_back({history[place].key, {}, {}});
    keys[entry->second].operations.push_back(place);
  }
  std::vector<places> logs(keys.size());
  for (const auto place : writes_in_log)
    if (const auto entry = index.find(history[place].key); entry != index.end())
      logs[entry->second].push_back(place);
  budget costs(limits);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto& k = keys[i];
    std::stable_sort(k.operations.begin(), k.operations.end(),
                     [&](auto a, auto b) { return history[a].call < history[b].call; });
    auto order = logged_order(history, k.operations, logs[i]);
    if (order)
      k.verdict = verdict::linearizable;
    else
      order = key_orders(history, k.operations).search_order(costs, k.verdict);
    if (k.verdict == verdict::linearizable)
      add_missing(history, k.operations, *order);
    k.order = play(history, *order);
    if (k.verdict != verdict::linearizable)
      if (auto logged = play(history, logs[i]); logged.size() > k.order.size())
        k.order = std::move(logged);
  }
  return keys;
}

} // namespace troupe::history
