#include "cluster/history/linearizable.hpp"

#include "cluster/history/explain.hpp"
#include "cluster/history/quoted.hpp"

#include <fmt/format.h>
#include <stdexcept>
#include <unordered_map>

namespace troupe::history {

namespace {

struct key_part {
  std::string_view key;
  std::vector<told_operation> told;
};

/// In the order in which the keys come up.
std::vector<key_part> split_by_key(const operations& history) {
  std::vector<key_part> keys;
  std::unordered_map<std::string_view, std::size_t> index;
  for (const auto& o : history) {
    if (o.ending != ending::unknown && o.done < o.call)
      throw std::invalid_argument(fmt::format("an operation on key {} is done at {}, before its call at {}",
                                              quoted(o.key), o.done, o.call));
    const auto [entry, made] = index.try_emplace(o.key, keys.size());
    if (made)
      keys.push_back({o.key, {}});
    keys[entry->second].told.push_back({&o, role::as_told});
  }
  return keys;
}

} // namespace

std::string_view to_string(verdict v) {
  switch (v) {
  case verdict::linearizable:
    return "linearizable";
  case verdict::not_linearizable:
    return "not linearizable";
  case verdict::unknown:
    return "unknown";
  }
  return "";
}

check_result check(const operations& history, const check_limits& limits) {
  check_result result;
  budget costs(limits);
  const auto keys = split_by_key(history);
  result.keys = keys.size();
  for (const auto& [key, told] : keys) {
    key_history steps(told);
    search s(steps, costs);
    const auto end = s.run();
    if (end == search_end::impossible) {
      result.verdict = verdict::not_linearizable;
      result.undecided.clear();
      result.explanation = explain(told, steps, s.furthest(), costs);
      break;
    }
    if (end == search_end::explained)
      continue;
    result.verdict = verdict::unknown;
    if (result.undecided.empty())
      result.undecided =
          fmt::format("key {}: {}", quoted(key),
                      end == search_end::out_of_time ? "the time is over" : "the memory is used up");
  }
  result.configurations = costs.configurations();
  return result;
}

} // namespace troupe::history
