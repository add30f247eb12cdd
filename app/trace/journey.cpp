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
  // MIDs are each client's own, so others may have the same.
  const auto name = [](const std::string& client, const std::string& mid) { return client + ' ' + mid; };
  std::unordered_map<std::string, const trace::record*> asked;
  std::unordered_set<std::string> done;
  std::vector<answered_request> found;
  for (const auto& r : s.records()) {
    if (r.kind == event_kind::network && !r.mid.empty()) {
      asked.emplace(name(r.from, r.mid), &r); // of an answer, too, which nobody looks for
    } else if (r.type == "client_request") {
      const auto content = trace::parse(r.content);
      asked.emplace(name(content["id"]["client"].text, content["id"]["MID"].text), &r);
    } else if (r.type == "client_answer") {
      const auto content = trace::parse(r.content);
      const auto& reply = content["reply"];
      const auto request = name(reply["id"]["client"].text, reply["id"]["MID"].text);
      if (reply["type"].text == "client_ok" && asked.contains(request) && done.insert(request).second)
        found.push_back({asked[request], &r});
    }
  }
  return found;
}

} // namespace troupe::trace_app
