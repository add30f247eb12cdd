// What is told of runs that failed, or did not come to their end, and of files that could not be written.

#include "test/process/sim_support.hpp"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>

using troupe::test::call;
using troupe::test::eventually;
using troupe::test::scratch_folder;
using troupe::test::simulator;

namespace {

bool tells(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("a chaos run that fails is reported, whether or not its files can be written") {
  const scratch_folder f;
  const auto traced =
      call(f, {FAILING_CHAOS, "--seed", "4", "--runs", "2", "--for", "1", "--trace", "t.jsonl"});
  CHECK(traced.status == 1);
  CHECK(tells(traced.err, "seed 5 FAILED: "));
  CHECK(tells(traced.err, "\nthe trace: t-4.jsonl\na page that shows it: t-4.html\n"));
  // It is full: what is written there does not get to where it belongs.
  for (const std::string name : {"full-4.jsonl", "full-5.jsonl", "full.jsonl"})
    std::filesystem::create_symlink("/dev/full", f.path(name));
  const auto full =
      call(f, {FAILING_CHAOS, "--seed", "4", "--runs", "2", "--for", "1", "--trace", "full.jsonl"});
  CHECK(full.status == 1);
  for (const std::string seed : {"4", "5"}) {
    CHECK(tells(full.err, "seed " + seed + " FAILED: "));
    CHECK(tells(full.err,
                "\nits trace could not be written: full-" + seed + ".jsonl: No space left on device\n"));
  }
  CHECK(tells(full.out, "2 runs from seed 4: 2 failed\n"));
  for (const std::string option : {"--trace", "--html", "--history"}) {
    CAPTURE(option);
    const auto only =
        call(f, {FAILING_CHAOS, "--seed", "4", "--runs", "1", "--for", "1", option, "/dev/full"});
    CHECK(only.status == 1);
    CHECK(tells(only.err, "seed 4 FAILED: "));
    CHECK(tells(only.err, "\ntroupe-sim: /dev/full: No space left on device\n"));
  }
  const auto unasked =
      call(f, {"/usr/bin/env", "TMPDIR=/nosuch", FAILING_CHAOS, "--seed", "4", "--runs", "1"});
  CHECK(unasked.status == 1);
  CHECK(tells(unasked.err, "\nits trace could not be written: TMPDIR=/nosuch: No such file or directory\n"));
}

TEST_CASE("where a trace has no place is told before the first run; one that passes and lacks its trace ends "
          "with 2") {
  const scratch_folder f;
  for (const std::string runs : {"1", "5"}) {
    CAPTURE(runs);
    const auto refused =
        call(f, {TROUPE_SIM, "chaos", "--seed", "1", "--runs", runs, "--trace", "/nosuch/t"});
    CHECK(refused.status == 2);
    CHECK(refused.err == "troupe-sim: /nosuch/t: No such file or directory\n");
    CHECK(refused.out.empty());
  }
  const auto full = call(f, {TROUPE_SIM, "chaos", "--seed", "1", "--runs", "1", "--trace", "/dev/full"});
  CHECK(full.status == 2);
  CHECK(full.err == "troupe-sim: /dev/full: No space left on device\n");
  CHECK(tells(full.out, "1 run from seed 1: 0 failed\n"));
}

TEST_CASE("what the signal left of many runs is told as that, and what --max-failures left") {
  const scratch_folder f;
  simulator chaos(f, {"chaos", "--seed", "1", "--runs", "1000000", "--verbose"});
  REQUIRE(eventually([&] { return !chaos.err().empty(); }));
  chaos.signal(SIGINT);
  CHECK(chaos.wait() == 130);
  CHECK(tells(chaos.out(), "\ninterrupted after "));
  CHECK(chaos.out().ends_with(" of 1000000 runs\n"));

  simulator runs(f, {"crash-4", "--seed", "1", "--runs", "100000", "--verbose", "--json", f.path("report")});
  REQUIRE(eventually([&] { return !runs.err().empty(); }));
  runs.signal(SIGINT);
  CHECK(runs.wait() == 130);
  CHECK(tells(runs.out(), "\ninterrupted after "));
  CHECK(runs.out().ends_with(" of 100000 runs\n"));
  rapidjson::Document report;
  report.Parse(troupe::test::contents(f.path("report")));
  REQUIRE(report.IsObject());
  CHECK(report["interrupted"].GetBool());
  CHECK(report["planned_runs"].GetInt() == 100'000);
  CHECK(report["runs"].Size() < 100'000);
  const auto all = troupe::test::simulate(f, {"simple-1", "--seed", "1", "--runs", "2"});
  CHECK_FALSE(all.report["interrupted"].GetBool());
  CHECK(all.report["planned_runs"].GetInt() == 2);

  const auto enough = call(f, {FAILING_CHAOS, "--seed", "1", "--runs", "9", "--max-failures", "2"});
  CHECK(enough.status == 1);
  CHECK(enough.out.starts_with("2 runs from seed 1: 2 failed\n"));
  CHECK(enough.out.ends_with("\nstopped after 2 failures (--max-failures)\n"));
  const auto last = call(f, {FAILING_CHAOS, "--seed", "1", "--runs", "1", "--max-failures", "1"});
  CHECK_FALSE(tells(last.out, "--max-failures"));
}

TEST_CASE("a run is graded also if its trace or its page cannot be written") {
  const scratch_folder f;
  for (const std::string option : {"--trace", "--html"}) {
    CAPTURE(option);
    const auto full = call(f, {TROUPE_SIM, "simple-1", "--seed", "7", option, "/dev/full"});
    CHECK(full.status == 2);
    CHECK(tells(full.out, "simple-1      1/1"));
    CHECK(full.err == "troupe-sim: /dev/full: No space left on device\n");
  }
}

TEST_CASE("a folder for temporary files that is not there is named as the variable that says so") {
  const scratch_folder f;
  f.write("failing.json",
          R"({"lifetime": 3, "replicas": 3, "requests": 60, "mix": 0.5, "start_wait": 1.5, "end_wait": 2,
              "events": [{"type": "kill_leader", "time": 1}, {"type": "kill_non_leader", "time": 1}]})");
  const auto in_nothing = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"/usr/bin/env", "TMPDIR=/nosuch", TROUPE_SIM, "failing.json"};
    words.insert(words.end(), more.begin(), more.end());
    return call(f, words);
  };
  const auto failed = in_nothing({"--seed", "7"});
  CHECK(failed.status == 1);
  CHECK(tells(failed.err, "failing (seed 7) failed; its trace could not be written: TMPDIR=/nosuch: No such "
                          "file or directory\n"));
  const auto durable = in_nothing({"--real", "--durable"});
  CHECK(durable.status == 2);
  CHECK(durable.err == "troupe-sim: TMPDIR=/nosuch: No such file or directory\n");
}

TEST_CASE("replicas of the simulator do not do what the user's variables ask of one replica") {
  const scratch_folder f;
  f.write(
      "short.json",
      R"({"lifetime": 0.5, "replicas": 3, "requests": 10, "mix": 0.5, "start_wait": 1.5, "end_wait": 0.5})");
  const auto run = call(f, {"/usr/bin/env", "TROUPE_DATA=data", "TROUPE_TRACE=trace", TROUPE_SIM, "--real",
                            "--replica", TROUPE_REPLICA, "short.json"});
  CHECK(tells(run.err, "0002: "));
  CHECK(run.status < 2);
  CHECK_FALSE(std::filesystem::exists(f.path("data")));
  CHECK_FALSE(std::filesystem::exists(f.path("trace")));
}
