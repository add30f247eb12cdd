// Is an export what Perfetto and chrome://tracing read? The trace event format, as their document has it.

#include "test/trace/exported.hpp"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <map>
#include <set>

using namespace troupe;
using namespace troupe::test;

namespace {

using json = rapidjson::Value;

struct slice {
  std::int64_t begin;
  std::int64_t end;
  std::uint64_t id; ///< the record's; 0 for a role
  bool operator<(const slice& other) const {
    return begin != other.begin ? begin < other.begin : end > other.end;
  }
};

/// From microseconds with three decimals.
std::int64_t ns(const json& us) {
  REQUIRE(us.IsNumber());
  return std::llround(us.GetDouble() * 1000);
}

std::string text(const json& e, const char* name) {
  REQUIRE_MESSAGE((e.HasMember(name) && e[name].IsString()), name);
  return e[name].GetString();
}

std::uint64_t number(const json& e, const char* name) {
  REQUIRE_MESSAGE((e.HasMember(name) && e[name].IsUint64()), name);
  return e[name].GetUint64();
}

using thread = std::pair<std::uint64_t, std::uint64_t>;
thread thread_of(const json& e) { return {number(e, "pid"), number(e, "tid")}; }

struct arrow {
  const json* begin = nullptr;
  const json* end = nullptr;
};

/// The events of an export, by what they are.
struct sorted_events {
  explicit sorted_events(const rapidjson::Document& d) {
    REQUIRE(d.IsObject());
    CHECK(text(d, "displayTimeUnit") == "ns");
    REQUIRE(d.HasMember("traceEvents"));
    REQUIRE(d["traceEvents"].IsArray());
    for (const auto& e : d["traceEvents"].GetArray())
      take(e);
  }

  void take(const json& e) {
    REQUIRE(e.IsObject());
    const auto phase = text(e, "ph");
    if (phase == "M")
      return name(e);
    ns(e["ts"]);
    CHECK(process_names.contains(number(e, "pid"))); // before the first event
    CHECK(thread_names.contains(thread_of(e)));
    if (phase == "X") {
      const auto is_role = text(e, "cat") == "role";
      CHECK(!text(e, "name").empty());
      const auto begin = ns(e["ts"]);
      slices[thread_of(e)].push_back({begin, begin + ns(e["dur"]), is_role ? 0 : number(e["args"], "id")});
      if (!is_role)
        by_record[number(e["args"], "id")] = &e;
    } else if (phase == "s" || phase == "f") {
      CHECK(text(e, "cat") == "cause"); // category, name and id make the pair
      CHECK(text(e, "name") == "cause");
      auto& half = phase == "s" ? arrows[number(e, "id")].begin : arrows[number(e, "id")].end;
      CHECK(half == nullptr);
      half = &e;
      if (phase == "f")
        CHECK(text(e, "bp") == "e");
    } else if (phase == "C") {
      for (const auto& m : e["args"].GetObject())
        CHECK(m.value.IsUint64());
      counters[{number(e, "pid"), text(e, "name")}].emplace_back(ns(e["ts"]), number(e["args"], "value"));
    } else {
      CHECK(phase == "i");
      const auto scope = text(e, "s");
      CHECK((scope == "g" || scope == "p"));
      moments.push_back(text(e, "name"));
    }
  }

  void name(const json& e) {
    const auto what = text(e, "name");
    if (what == "process_name")
      CHECK(process_names.emplace(number(e, "pid"), text(e["args"], "name")).second);
    else if (what == "thread_name")
      CHECK(thread_names.emplace(thread_of(e), text(e["args"], "name")).second);
    else if (what == "process_sort_index")
      process_places[number(e["args"], "sort_index")] = process_names[number(e, "pid")];
    else if (what == "thread_sort_index")
      number(e["args"], "sort_index");
    else
      FAIL_CHECK(what);
  }

  std::map<std::uint64_t, std::string> process_names;
  std::map<std::uint64_t, std::string> process_places;
  std::map<thread, std::string> thread_names;
  std::map<thread, std::vector<slice>> slices;
  std::map<std::uint64_t, const json*> by_record;
  std::map<std::uint64_t, arrow> arrows;
  std::map<std::pair<std::uint64_t, std::string>, std::vector<std::pair<std::int64_t, std::uint64_t>>>
      counters;
  std::vector<std::string> moments;
};

/// Viewers that take times as floating point see it so too: Speedscope draws everything that follows inside
/// of a slice that ends a rounding error after the next one begins.
void check_gaps(const rapidjson::Document& d) {
  std::map<thread, std::vector<std::pair<double, double>>> all;
  for (const auto& e : d["traceEvents"].GetArray())
    if (text(e, "ph") == "X")
      all[thread_of(e)].emplace_back(e["ts"].GetDouble(), e["ts"].GetDouble() + e["dur"].GetDouble());
  for (auto& [where, slices] : all) {
    std::sort(slices.begin(), slices.end());
    for (std::size_t i = 1; i < slices.size(); ++i)
      CHECK(slices[i - 1].second < slices[i].first);
  }
}

/// In a thread a slice lies within another, or they have nothing in common.
void check_nesting(sorted_events& all) {
  for (auto& [where, slices] : all.slices) {
    std::sort(slices.begin(), slices.end());
    std::vector<std::int64_t> open; // the ends of those around
    for (const auto& s : slices) {
      CHECK(s.end > s.begin);
      while (!open.empty() && open.back() <= s.begin)
        open.pop_back();
      if (!open.empty())
        CHECK(s.end <= open.back());
      open.push_back(s.end);
    }
  }
}

/// An arrow begins and ends where the slices begin that it binds to, in their threads.
void check_arrows(const sorted_events& all, const std::vector<trace::record>& records) {
  std::size_t expected = 0;
  for (const auto& r : records) {
    if (r.cause == 0 || r.from == "timer")
      continue;
    ++expected;
    const auto found = all.arrows.find(r.id);
    REQUIRE(found != all.arrows.end());
    const auto [begin, end] = found->second;
    REQUIRE(begin != nullptr);
    REQUIRE(end != nullptr);
    for (const auto& [half, id] : {std::pair(begin, r.cause), std::pair(end, r.id)}) {
      const auto& bound = *all.by_record.at(id);
      CHECK(thread_of(*half) == thread_of(bound));
      CHECK(ns((*half)["ts"]) == ns(bound["ts"]));
    }
    CHECK(ns((*begin)["ts"]) < ns((*end)["ts"]));
  }
  CHECK(all.arrows.size() == expected);
}

/// Slices stand where things happened: a few nanoseconds make room for what happened at one moment.
void check_stamps(const sorted_events& all, const std::vector<trace::record>& records) {
  constexpr std::int64_t most_moved_ns = 2000;
  std::size_t expected = 0;
  for (const auto& r : records) {
    if (r.kind == trace::event_kind::note)
      continue;
    ++expected;
    const auto& e = *all.by_record.at(r.id);
    const auto moved = ns(e["ts"]) - r.begin;
    CHECK(moved >= 0);
    CHECK(moved <= most_moved_ns);
    CHECK((moved != 0) == e["args"].HasMember("begin_ns"));
    CHECK(ns(e["dur"]) >= r.end - r.begin - moved - 1);
    const auto where = all.thread_names.at(thread_of(e));
    CHECK(where == (r.kind == trace::event_kind::network ? "wire" : r.to));
    if (r.kind == trace::event_kind::message)
      CHECK(all.process_names.at(number(e, "pid")) == "replica " + r.replica);
  }
  CHECK(all.by_record.size() == expected);
}

void check_counters(const sorted_events& all, const std::vector<trace::record>& records) {
  std::map<std::string, std::vector<std::uint64_t>> commits; // by replica
  std::map<std::string, std::uint64_t> deepest;              // by replica and actor
  for (const auto& r : records) {
    if (r.kind != trace::event_kind::message)
      continue;
    auto& most = deepest[r.replica + "mailbox depth of " + r.to];
    most = std::max(most, r.depth);
    if (const auto change = trace::parse(r.raft); change.has("commit"))
      commits[r.replica].push_back(change["commit"].number());
  }
  std::size_t found = 0;
  for (const auto& [where, values] : all.counters) {
    const auto replica = all.process_names.at(where.first).substr(8);
    CHECK(std::is_sorted(values.begin(), values.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; }));
    if (where.second == "commit index") {
      ++found;
      std::vector<std::uint64_t> shown;
      for (const auto& [t, n] : values)
        shown.push_back(n);
      CHECK(shown == commits[replica]);
    } else {
      const auto most = std::max_element(values.begin(), values.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      CHECK(most->second == deepest.at(replica + where.second));
      deepest.erase(replica + where.second);
    }
  }
  CHECK(found == commits.size());
  CHECK(deepest.empty());
}

} // namespace

TEST_CASE("perfetto: slices nest, arrows bind to them, counters count and everybody has a name") {
  for (const auto& run : traced_runs()) {
    CAPTURE(run.name);
    const auto out = export_as(target::perfetto, run.story);
    const auto d = parsed(out.text);
    sorted_events all(d);
    check_nesting(all);
    check_gaps(d);
    check_arrows(all, out.records);
    check_stamps(all, out.records);
    check_counters(all, out.records);
    const auto notes = std::count_if(out.records.begin(), out.records.end(), [](const auto& r) {
      return r.kind == trace::event_kind::note && r.event != "end";
    });
    CHECK(all.moments.size() == static_cast<std::size_t>(notes));
  }
}

TEST_CASE("perfetto: a run with crashes shows them, who led, and processes in order") {
  const auto d = parsed(export_as(target::perfetto, traced_runs().front().story).text);
  const sorted_events all(d);
  CHECK(std::count(all.moments.begin(), all.moments.end(), "crash") == 2);
  std::set<std::string> roles;
  for (const auto& e : d["traceEvents"].GetArray())
    if (text(e, "ph") == "X" && text(e, "cat") == "role")
      roles.insert(text(e, "name").substr(0, text(e, "name").find(',')));
  CHECK(roles.contains("leader"));
  CHECK(roles.contains("follower"));
  std::vector<std::string> names;
  for (const auto& [place, name] : all.process_places)
    names.push_back(name);
  CHECK(std::is_sorted(names.begin() + 1, names.begin() + 6)); // the replicas
  CHECK(names[0] == "world");
  CHECK(names[1] == "replica 0000");
  CHECK(names[6] == "client C000");
}
