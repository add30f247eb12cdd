#include "app/trace/journey.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>
#include <unordered_set>

namespace troupe::trace_app {

using trace::event_kind;

std::string spent_in(const trace::record& before, const trace::record& after) {
  if (before.kind == event_kind::network || after.kind == event_kind::network ||
      (after.kind == event_kind::message && after.from == "edge"))
    return "network";
  if (after.from == "timer")
    return "timer";
  return fmt::format("{} of {}", after.to, after.replica);
}

std::map<std::string, std::int64_t> spent_on(const std::vector<const trace::record*>& path,
                                             std::int64_t since) {
  std::map<std::string, std::int64_t> spent;
  for (std::size_t i = 1; i < path.size(); ++i)
    if (path[i]->begin > since)
      spent[spent_in(*path[i - 1], *path[i])] += path[i]->begin - std::max(path[i - 1]->begin, since);
  return spent;
}

std::vector<answered_request> first_answers(const trace::story& s) {
  // Requests of one client have MIDs of their own; where the network is recorded, only the MID is.
  std::unordered_map<std::string, const trace::record*> asked;
  std::unordered_set<std::string> done;
  std::vector<answered_request> found;
  for (const auto& r : s.records()) {
    if (r.kind == event_kind::network && !r.mid.empty()) {
      asked.emplace(r.mid, &r);
    } else if (r.type == "client_request") {
      asked.emplace(trace::parse(r.content)["id"]["MID"].text, &r);
    } else if (r.type == "client_answer") {
      const auto content = trace::parse(r.content);
      const auto& reply = content["reply"];
      const auto& mid = reply["id"]["MID"].text;
      if (reply["type"].text == "client_ok" && asked.contains(mid) && done.insert(mid).second)
        found.push_back({asked[mid], &r});
    }
  }
  return found;
}

} // namespace troupe::trace_app
