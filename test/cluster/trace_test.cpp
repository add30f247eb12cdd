// What virtual runs record: all of it, the same each time, and without changing anything.

#include "app/sim/chaos_report.hpp"
#include "app/sim/virtual_run.hpp"
#include "cluster/chaos/run.hpp"
#include "cluster/cluster.hpp"
#include "cluster/history/witness.hpp"
#include "cluster/trace/judge.hpp"
#include "trace/recorder.hpp"

#include <doctest/doctest.h>
#include <map>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

class nobody_watches : public sim::spectator {
 public:
  void replica_said(replica_id, duration, const std::string&) override {}
  void happened(duration, const std::string&) override {}
  void progressed(duration, replica_id) override {}
};

/// Keeps everything.
class memory : public trace::sink {
 public:
  void take(std::string_view records) override { text += trace::print(records); }
  std::string text = format(trace::header{"0", "virtual", "test", 1, "", "", 0});
};

trace::story story_of(const memory& m) {
  std::vector<trace::recording> files;
  files.push_back(trace::read(m.text));
  REQUIRE(files.back().damage == "");
  REQUIRE(files.back().complete);
  return trace::story(std::move(files));
}

sim::run_result play(const scenario& s, std::uint64_t seed, trace::recorder* r) {
  nobody_watches silence;
  return sim::play_virtual({std::make_shared<const scenario>(s), sim::run_mode::virtual_time, seed}, silence,
                           r);
}

sim::run_result play(const char* name, std::uint64_t seed, trace::recorder* r) {
  return play(load_scenario(name), seed, r);
}

void check_links(const trace::story& s) {
  for (const auto& r : s.records()) {
    if (r.cause == 0)
      continue;
    const auto* cause = s.cause_of(r);
    REQUIRE(cause != nullptr);
    CHECK(cause->begin <= r.begin);
    CHECK(cause->lamport < r.lamport);
  }
}

} // namespace

TEST_CASE("trace: a recorded scenario is the same run, and its trace the same bytes each time") {
  for (const auto* name : {"crash-4", "advanced-4", "partition-4"}) {
    CAPTURE(name);
    memory first;
    memory second;
    trace::recorder r1(first);
    trace::recorder r2(second);
    const auto silent = play(name, 7, nullptr);
    CHECK(play(name, 7, &r1).hash == silent.hash);
    CHECK(play(name, 7, &r2).hash == silent.hash);
    const bool same = first.text == second.text;
    CHECK(same);
  }
}

TEST_CASE("trace: a scenario's trace keeps the rules and explains every answer") {
  memory m;
  trace::recorder r(m);
  const auto result = play("crash-4", 7, &r);
  const auto s = story_of(m);
  check_links(s);
  const auto broken = trace::find_violation(s);
  CHECK_MESSAGE(!broken, broken->what);
  const auto told = trace::history_of(s);
  const auto answered = result.figures.gets_ok + result.figures.puts_ok;
  CHECK(told.operations.size() >= answered);
  CHECK_FALSE(history::find_misfit(told.operations, told.writes_in_log));
  std::size_t answers = 0;
  for (const auto& record : s.records()) {
    if (record.type != "client_answer")
      continue;
    ++answers;
    const auto path = s.path_to(record);
    // From the client's request, through the network: nothing happens by itself but timers.
    CHECK(path.size() > 3);
    CHECK((path.front()->kind == trace::event_kind::network || path.front()->from != "edge"));
  }
  CHECK(answers >= answered);
}

TEST_CASE("trace: a recorded chaos run is the same run, and its trace keeps the rules") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const auto schedule = chaos::draw(seed);
    memory m;
    trace::recorder r(m);
    const auto silent = chaos::play(schedule);
    const auto recorded = chaos::play(schedule, nullptr, &r);
    CHECK(recorded.hash == silent.hash);
    CHECK(recorded.violations == silent.violations);
    const auto s = story_of(m);
    check_links(s);
    const auto broken = trace::find_violation(s);
    CHECK_MESSAGE(!broken, broken->what);
  }
}

TEST_CASE("trace: shows what the network did to messages, and what befell replicas") {
  memory m;
  trace::recorder r(m);
  {
    cluster c({.replicas = 3, .seed = 5, .recorder = &r});
    const auto leader = c.elect();
    c.network().set_quality({.loss = 0.3, .repeat = 0.3});
    c.put("k", "v");
    c.isolate({leader});
    c.run_for(2s);
    c.heal();
    c.pause(leader);
    c.run_for(1s);
    c.resume(leader);
    c.crash(leader);
    c.run_for(1s);
    CHECK(c.verify().empty());
    r.end(c.now());
  }
  std::set<std::string> fates;
  std::set<std::string> events;
  const auto text = m.text.substr(0, m.text.find("\n{\"event\":\"end\"") + 1);
  for (const auto& record : trace::read(text).records) {
    events.insert(record.event);
    if (record.kind == trace::event_kind::network)
      fates.insert(record.fate);
  }
  for (const auto* fate : {"sent", "lost", "repeated", "cut", "dead"})
    CHECK_MESSAGE(fates.contains(fate), fate);
  for (const auto* event : {"start", "pause", "resume", "crash"})
    CHECK_MESSAGE(events.contains(event), event);
}

TEST_CASE("trace: a timer's message was caused by what set it") {
  memory m;
  trace::recorder r(m);
  cluster c({.replicas = 3, .seed = 5, .recorder = &r});
  c.elect();
  c.run_for(1s);
  r.end(c.now());
  const auto s = story_of(m);
  std::size_t wakes = 0;
  for (const auto& record : s.records())
    if (record.type == "wake") {
      ++wakes;
      CHECK(record.from == "timer");
      const auto* cause = s.cause_of(record);
      REQUIRE(cause != nullptr);
      CHECK(cause->to == "raft");
      CHECK(cause->replica == record.replica);
    }
  CHECK(wakes > 5);
}

namespace {

std::map<std::string, std::uint64_t> fates_in(const memory& m) {
  std::map<std::string, std::uint64_t> fates;
  for (const auto& record : trace::read(m.text).records)
    if (record.kind == trace::event_kind::network)
      ++fates[record.fate];
  return fates;
}

} // namespace

TEST_CASE("trace: what a partition ate was cut, and what chance took was lost") {
  std::vector<scenario> scenarios;
  for (const auto* name : {"partition-2", "partition-4", "unreliable-3", "advanced-4"})
    scenarios.push_back(load_scenario(name));
  // Some are dead, and on the other side of a partition.
  scenarios.push_back(parse_scenario(
      R"({"lifetime": 20, "replicas": 5, "requests": 200, "mix": 0.5, "drops": 0.1, "events": [
          {"type": "kill_leader", "time": 5}, {"type": "part_easy", "time": 9}, {"type": "part_end", "time": 12},
          {"type": "kill_non_leader", "time": 13}, {"type": "part_easy", "time": 14}]})",
      "test", "test"));
  std::uint64_t cut = 0;
  std::uint64_t lost = 0;
  for (const auto& s : scenarios)
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      CAPTURE(s.name);
      CAPTURE(seed);
      memory m;
      trace::recorder r(m);
      const auto figures = play(s, seed, &r).figures;
      auto fates = fates_in(m);
      CHECK(fates["cut"] == figures.lost_by_partition);
      // On the way to the dead chance and death look the same.
      CHECK(fates["lost"] <= figures.lost_by_drops);
      CHECK(fates["lost"] + fates["dead"] >= figures.lost_by_drops);
      cut += fates["cut"];
      lost += fates["lost"];
    }
  CHECK(cut > 500);
  CHECK(lost > 500);
}

TEST_CASE("trace: the report of a random run that fails names its trace, which holds the failure") {
  auto s = chaos::draw(3);
  s.faults.clear();
  s.requests.resize(10);
  // Nobody can take in what no message can carry, so this one is asked for ever.
  s.requests.front().operation = kv::put{"k0", std::string(100'000, 'x')};
  s.requests.front().manners.repeat_after = 1s;
  memory m;
  trace::recorder r(m);
  const auto run = chaos::play(s, nullptr, &r);
  REQUIRE_FALSE(run.passed());
  const auto violation = trace::find_violation(story_of(m));
  REQUIRE(violation.has_value());
  CHECK(violation->what.find(run.violations.front()) != std::string::npos);

  const auto path = sim::trace_of_one("folder/runs.jsonl", s.seed);
  CHECK(path == "folder/runs-3.jsonl");
  const auto report =
      sim::describe_failure(s, run, {"troupe-sim chaos --seed 3 --runs 1", "  a line", path, "", ""});
  CHECK(report.starts_with("seed 3 FAILED: every request is answered in the end"));
  CHECK(report.find("\nreplay: troupe-sim chaos --seed 3 --runs 1\n") != report.npos);
  CHECK(report.ends_with("\nthe trace: folder/runs-3.jsonl"));
  CHECK(sim::describe_failure(s, run, {"", "", path, "folder/runs-3.html", ""})
            .ends_with("\nthe trace: folder/runs-3.jsonl\na page that shows it: folder/runs-3.html"));
  CHECK(sim::describe_failure(s, run, {"", "", "", "", ""}).find("the trace") == std::string::npos);
}
