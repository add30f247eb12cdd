#include "app/trace/filter.hpp"

#include <algorithm>

namespace troupe::trace_app {

namespace {

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool mentions_any(const trace::value& v, std::string_view name, const std::vector<std::string>& wanted) {
  return wanted.empty() ||
         std::any_of(wanted.begin(), wanted.end(), [&](const auto& w) { return mentions(v, name, w); });
}

} // namespace

bool mentions(const trace::value& v, std::string_view name, const std::string& wanted) {
  return std::any_of(v.members.begin(), v.members.end(),
                     [&](const auto& m) {
                       return (m.name == name && m.what.text == wanted) || mentions(m.what, name, wanted);
                     }) ||
         std::any_of(v.items.begin(), v.items.end(),
                     [&](const auto& item) { return mentions(item, name, wanted); });
}

namespace {

/// A lease is prolonged with every heartbeat, and a run is full of them. That it ended says something.
bool only_prolongs_lease(const trace::record& r) {
  const auto change = trace::parse(r.raft);
  return change.members.size() == 1 && change["lease_until"].number() != 0;
}

} // namespace

bool filter::passes(const trace::record& r, std::int64_t began) const {
  using trace::event_kind;
  constexpr double ns_per_s = 1e9;
  const auto t = static_cast<double>(r.begin - began) / ns_per_s;
  if ((from_s && t < *from_s) || (to_s && t > *to_s))
    return false;
  if (changes && r.kind != event_kind::note && (r.raft.empty() || only_prolongs_lease(r)))
    return false;
  const bool on_network = r.kind == event_kind::network;
  if (!replicas.empty() && !contains(replicas, r.replica) &&
      !(on_network && (contains(replicas, r.from) || contains(replicas, r.to))))
    return false;
  if (!actors.empty() && !contains(actors, on_network ? "net" : r.to))
    return false;
  if (types.empty() && terms.empty() && keys.empty() && clients.empty() && mids.empty())
    return true;
  const auto content = trace::parse(r.content);
  const bool right_type = types.empty() || contains(types, r.type) || mentions_any(content, "type", types);
  if (on_network)
    return right_type && terms.empty() && keys.empty() && (mids.empty() || contains(mids, r.mid)) &&
           (clients.empty() || contains(clients, r.from) || contains(clients, r.to));
  return right_type && mentions_any(content, "key", keys) && mentions_any(content, "client", clients) &&
         mentions_any(content, "MID", mids) &&
         (mentions_any(content, "term", terms) || mentions_any(trace::parse(r.raft), "term", terms));
}

} // namespace troupe::trace_app
