#include "cluster/history/witness.hpp"

#include "cluster/history/describe.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <map>
#include <queue>
#include <string_view>
#include <unordered_map>

namespace troupe::history {

namespace {

constexpr auto never_done = std::numeric_limits<std::int64_t>::max();

/// The operations on one key.
struct one_key {
  std::vector<const operation*> writes; ///< in the order that is proposed
  std::vector<const operation*> reads;
  std::vector<std::size_t> read_places; ///< behind how many writes, once the reads are in order
};

std::optional<std::string> find_misfit(one_key& k) {
  const auto count = k.writes.size();
  // After so many writes: what the key holds, and the latest call among them.
  std::unordered_map<std::string, std::vector<std::size_t>> held;
  std::vector<std::int64_t> latest_call(count + 1, std::numeric_limits<std::int64_t>::min());
  // The earliest end among those that come after so many.
  std::vector<std::int64_t> earliest_end(count + 1, never_done);
  std::string value;
  held[value].push_back(0);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& w = *k.writes[i];
    latest_call[i + 1] = std::max(latest_call[i], w.call);
    if (end_of(w) < latest_call[i + 1])
      return fmt::format("key {}: {} was over before an earlier write in that order began", w.key,
                         name_of(w));
    auto next = value_after(w, value);
    if (!next)
      return fmt::format("key {}: {} met \"{}\", and its answer says something else", w.key, name_of(w),
                         value);
    value = std::move(*next);
    held[value].push_back(i + 1);
  }
  for (std::size_t i = count; i-- > 0;)
    earliest_end[i] = std::min(earliest_end[i + 1], end_of(*k.writes[i]));

  // Each read as early as it can be: that leaves the most room to those that come after it.
  std::sort(k.reads.begin(), k.reads.end(), [](const auto* a, const auto* b) { return a->call < b->call; });
  using placed = std::pair<std::int64_t, std::size_t>; // its end, and its place
  std::priority_queue<placed, std::vector<placed>, std::greater<>> under_way;
  std::size_t passed = 0; // no read that comes now may be before this
  for (const auto* r : k.reads) {
    for (; !under_way.empty() && under_way.top().first < r->call; under_way.pop())
      passed = std::max(passed, under_way.top().second);
    const auto first = static_cast<std::size_t>(
        std::lower_bound(earliest_end.begin(), earliest_end.end(), r->call) - earliest_end.begin());
    const auto places = held.find(r->result.value_or(""));
    if (places == held.end())
      return fmt::format("key {}: {} read \"{}\", which the key never held", r->key, name_of(*r),
                         r->result.value_or(""));
    const auto place =
        std::lower_bound(places->second.begin(), places->second.end(), std::max(first, passed));
    if (place == places->second.end())
      return fmt::format("key {}: {} read \"{}\", which had been replaced before", r->key, name_of(*r),
                         r->result.value_or(""));
    if (latest_call[*place] > r->done)
      return fmt::format("key {}: {} read \"{}\" before that was written", r->key, name_of(*r),
                         r->result.value_or(""));
    under_way.emplace(r->done, *place);
    k.read_places.push_back(*place);
  }
  return std::nullopt;
}

using by_key = std::map<std::string_view, one_key>;

std::optional<std::string> find_misfit(const operations& history, const std::vector<std::size_t>& writes,
                                       by_key& keys) {
  std::vector<bool> listed(history.size());
  for (const auto i : writes) {
    listed[i] = true;
    keys[history[i].key].writes.push_back(&history[i]);
  }
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto& o = history[i];
    if (o.kind == operation_kind::get && o.ending == ending::ok)
      keys[o.key].reads.push_back(&o);
    else if (o.kind != operation_kind::get && o.ending == ending::ok && !listed[i])
      return fmt::format("key {}: {} was answered and never took effect", o.key, name_of(o));
  }
  for (auto& [key, told] : keys)
    if (auto misfit = find_misfit(told))
      return misfit;
  return std::nullopt;
}

/// The writes, and between them the reads by call: of two reads with no write between them neither is over
/// before the other is called, or they are in that order.
std::vector<std::size_t> order_of(const operations& history, const one_key& k) {
  std::vector<std::vector<const operation*>> reads(k.writes.size() + 1);
  for (std::size_t i = 0; i < k.reads.size(); ++i)
    reads[k.read_places[i]].push_back(k.reads[i]);
  std::vector<std::size_t> order;
  const auto add = [&](const operation* o) { order.push_back(static_cast<std::size_t>(o - history.data())); };
  for (std::size_t i = 0; i <= k.writes.size(); ++i) {
    std::for_each(reads[i].begin(), reads[i].end(), add);
    if (i < k.writes.size())
      add(k.writes[i]);
  }
  return order;
}

} // namespace

std::optional<std::string> find_misfit(const operations& history, const std::vector<std::size_t>& writes) {
  by_key keys;
  return find_misfit(history, writes, keys);
}

std::optional<std::vector<std::size_t>> place_reads(const operations& history,
                                                    const std::vector<std::size_t>& writes) {
  by_key keys;
  if (find_misfit(history, writes, keys))
    return std::nullopt;
  std::vector<std::size_t> order;
  for (const auto& [key, told] : keys) {
    const auto of_key = order_of(history, told);
    order.insert(order.end(), of_key.begin(), of_key.end());
  }
  return order;
}

} // namespace troupe::history
