// Files of several processes, put together.

#include "trace/read.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace troupe::trace {

namespace {

/// Numbers are counted in each process; those of the second file begin here, and so on.
constexpr std::uint64_t numbers_of_a_file = 1'000'000'000;

/// How far apart the clocks of processes on one machine may be read.
constexpr std::int64_t slack_ns = 50'000;

/// What both sides record of one message between replicas.
std::string key_of(const std::string& from, const value& message) { return from + ' ' + message.print(); }

} // namespace

std::string why_not_one_run(const std::vector<recording>& files) {
  if (files.size() < 2)
    return {};
  const recording* simulator = nullptr;
  const recording* first = nullptr; // of those that say who is in their cluster
  for (const auto& f : files) {
    if (f.mode != "real")
      return fmt::format("{}: has all of a run on virtual time, and can only be read alone", f.path);
    if (f.replica.empty() && simulator)
      return fmt::format("{}: is of another run than {}: each has a simulator of its own", f.path,
                         simulator->path);
    if (f.replica.empty())
      simulator = &f;
    if (!first && !f.members.empty())
      first = &f;
  }
  for (const auto& f : files) {
    if (simulator && !f.replica.empty() && f.began < simulator->began)
      return fmt::format("{}: is of another run than {}, which began later", f.path, simulator->path);
    if (!f.members.empty() && f.members != first->members)
      return fmt::format("{}: is of another run than {}: its cluster is {}, not {}", f.path, first->path,
                         fmt::join(f.members, " "), fmt::join(first->members, " "));
  }
  if (simulator && first && simulator->replicas != first->members.size())
    return fmt::format("{}: is of another run than {}: its cluster is {}, not {} replicas", first->path,
                       simulator->path, fmt::join(first->members, " "), simulator->replicas);
  return {};
}

std::string missing_members(const std::vector<recording>& files) {
  std::set<std::string> missing;
  for (const auto& f : files)
    missing.insert(f.members.begin(), f.members.end());
  for (const auto& f : files)
    missing.erase(f.replica);
  return fmt::format("{}", fmt::join(missing, ", "));
}

story::story(std::vector<recording> files) : files_(std::move(files)) {
  number_anew();
  if (files_.size() > 1)
    std::stable_sort(records_.begin(), records_.end(), [](const record& a, const record& b) {
      return a.begin < b.begin || (a.begin == b.begin && a.file == b.file && a.line < b.line);
    });
  for (std::size_t i = 0; i < records_.size(); ++i)
    if (records_[i].id != 0)
      by_id_.emplace(records_[i].id, i);
  const bool has_edges = std::any_of(records_.begin(), records_.end(), [](const record& r) {
    return r.kind == event_kind::network && r.cause != 0;
  });
  if (!has_edges)
    join_processes();
  for (std::size_t i = 0; i < records_.size(); ++i)
    if (records_[i].cause != 0)
      by_cause_.emplace(records_[i].cause, i);
}

std::int64_t story::began() const {
  const auto first = std::min_element(files_.begin(), files_.end(),
                                      [](const auto& a, const auto& b) { return a.began < b.began; });
  return first == files_.end() ? 0 : first->began;
}

void story::number_anew() {
  std::size_t count = 0;
  for (const auto& f : files_)
    count += f.records.size();
  records_.reserve(count);
  for (std::size_t f = 0; f < files_.size(); ++f) {
    const auto base = f * numbers_of_a_file;
    for (auto& r : files_[f].records) {
      r.file = f;
      r.id += r.id == 0 ? 0 : base;
      r.cause += r.cause == 0 ? 0 : base;
      records_.push_back(std::move(r));
    }
    files_[f].records.clear();
  }
}

/// A message says the same where it is sent and where it is received. What is repeated word for word is taken
/// for the last one before.
void story::join_processes() {
  struct sending {
    std::int64_t at;
    std::uint64_t id;
  };
  std::map<std::string, std::vector<sending>> sent;     // by sender and content
  std::map<std::string, std::vector<sending>> links;    // by sender, receiver and type
  std::map<std::string, std::vector<sending>> requests; // by replica and MID
  for (const auto& r : records_) {
    if (r.kind == event_kind::network && !r.mid.empty())
      requests[r.to + ' ' + r.mid].push_back({r.begin, r.id});
    if (r.type != "outbound")
      continue;
    const auto content = parse(r.content);
    for (const auto& m : content["messages"].items) {
      sent[key_of(r.replica, m["message"])].push_back({r.begin, r.id});
      links[r.replica + ' ' + m["to"].text + ' ' + m["message"]["type"].text].push_back({r.begin, r.id});
    }
  }
  const auto last_before = [](const std::vector<sending>& list, std::int64_t t) -> std::uint64_t {
    const auto after = std::partition_point(list.begin(), list.end(),
                                            [t](const sending& s) { return s.at <= t + slack_ns; });
    return after == list.begin() ? 0 : std::prev(after)->id;
  };
  for (auto& r : records_) {
    if (r.type == "received" && r.kind == event_kind::message) {
      const auto content = parse(r.content);
      const auto found = sent.find(key_of(content["from"].text, content["message"]));
      const auto datagram = by_id_.find(r.cause);
      if (found != sent.end() && datagram != by_id_.end())
        records_[datagram->second].cause = last_before(found->second, r.begin);
    } else if (r.type == "client_request" && r.kind == event_kind::message) {
      const auto found = requests.find(r.replica + ' ' + parse(r.content)["id"]["MID"].text);
      const auto datagram = by_id_.find(r.cause);
      if (found != requests.end() && datagram != by_id_.end())
        records_[datagram->second].cause = last_before(found->second, r.begin);
    } else if (r.kind == event_kind::network && r.cause == 0) {
      const auto found = links.find(r.from + ' ' + r.to + ' ' + r.type);
      if (found != links.end())
        r.cause = last_before(found->second, r.begin);
    }
  }
}

const record* story::find(std::uint64_t id) const {
  const auto found = id == 0 ? by_id_.end() : by_id_.find(id);
  return found == by_id_.end() ? nullptr : &records_[found->second];
}

std::vector<const record*> story::effects_of(const record& r) const {
  std::vector<std::size_t> places;
  const auto [first, last] = by_cause_.equal_range(r.id);
  for (auto i = first; i != last && r.id != 0; ++i)
    places.push_back(i->second);
  std::sort(places.begin(), places.end());
  std::vector<const record*> all;
  for (const auto place : places)
    all.push_back(&records_[place]);
  return all;
}

std::vector<const record*> story::path_to(const record& r) const {
  std::vector<const record*> path;
  // A damaged file may hold a circle.
  for (const auto* at = &r; at && path.size() <= records_.size(); at = cause_of(*at))
    path.push_back(at);
  std::reverse(path.begin(), path.end());
  return path;
}

} // namespace troupe::trace
