#include "test/process/sim_support.hpp"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>

using namespace troupe::test;

namespace {

// Fifteen processes may have to start on a machine that does other things: who has not said hello by then is
// dead.
const std::string opening = R"({"start_wait": 1.5, "end_wait": 0.5, "replicas": 5, "mix": 0.3, )";
const std::string lenient = R"("tests": {"maximum_get_generation_fail_fraction": 1,
  "benchmarks": {"total_msgs": [10, 20, 100000], "failures": [1, 2, 3], "duplicates": [1, 2, 3],
                 "median_latency": [100, 200, 300]}}})";
const std::string short_run = opening + R"("lifetime": 0.5, "requests": 60, )" + lenient;

/// Plays one short scenario against replicas with this fault.
outcome play(const std::string& fault, const std::string& scenario = short_run) {
  const scratch_folder folder;
  return simulate(folder, {"--real", "--seed", "1", "--replica", folder.replica(fault),
                           folder.write("short.json", scenario)});
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A call that must be refused: in one line, with status 2.
void refused(const scratch_folder& folder, const std::vector<std::string>& arguments,
             const std::string& because) {
  CAPTURE(because);
  simulator sim(folder, arguments);
  CHECK(sim.wait() == 2);
  const auto err = sim.err();
  CHECK(has(err, because));
  CHECK(std::count(err.begin(), err.end(), '\n') == 1);
  CHECK(sim.out().empty());
}

} // namespace

TEST_CASE("replicas that do right pass, and every figure is reported") {
  const auto o = play("none");
  CHECK(o.status == 0);
  CHECK(has(o.out, "short         1/1"));
  CHECK(has(o.err, "0003: started as "));
  CHECK_FALSE(has(o.err, "\r"));
  CHECK_FALSE(has(o.out, "\033"));
  REQUIRE(o.report.IsObject());
  const auto& run = o.run();
  CHECK(std::string(run["scenario"].GetString()) == "short");
  CHECK(std::string(run["mode"].GetString()) == "real");
  CHECK(run["seed"].GetInt() == 1);
  CHECK(run["passed"].GetBool() == true);
  CHECK(run["puts"].GetInt() > 0);
  CHECK(run["total_msgs"].GetInt() == run["puts"].GetInt() * 8);
  CHECK(run["msgs_by_type"]["copy"].GetInt() == run["puts"].GetInt() * 4);
  CHECK(run["redirects"].GetInt() > 0);
  CHECK(run["median_latency"].GetDouble() > 0);
  CHECK(run["p99_latency"].GetDouble() >= run["median_latency"].GetDouble());
  CHECK(run["duplicates"].GetInt() == 0);
  CHECK(run["incorrect"].GetInt() == 0);
  CHECK(run["tiers"][0].GetInt() == 2);
  CHECK(run["tiers"][2].GetInt() == 0);
  CHECK(run["tiers"][3].GetInt() == 0);
  CHECK(run["complaints"].Empty());
  CHECK(o.report["tier_sum"].GetInt() == 2 + run["tiers"][1].GetInt());
}

TEST_CASE("events hit real processes: kills are no deaths, partitions lose messages") {
  const auto o = play("none", opening + R"("lifetime": 1, "requests": 60, "events": [
    {"type": "kill_non_leader", "time": 0.3}, {"type": "part_easy", "time": 0.5}, {"type": "part_end", "time": 0.9}], )" +
                                  lenient);
  CHECK(o.run()["deaths"].Empty());
  CHECK(o.run()["complaints"].Empty());
  CHECK(o.run()["lost_by_partition"].GetInt() > 0);
  CHECK(o.run()["to_the_dead"].GetInt() > 0);
  REQUIRE(o.run()["events"].Size() == 3);
  CHECK(o.run()["events"][0]["replicas"].Size() == 1);
  CHECK(o.run()["events"][1]["replicas"].Size() == 3);
}

TEST_CASE("catches: answers before commit and loses it with the leader") {
  const auto o = play("loses", opening + R"("lifetime": 2, "requests": 100,
    "events": [{"type": "kill_leader", "time": 0.5}], )" +
                                   lenient);
  CHECK(o.status == 1);
  CHECK(o.failed("incorrect"));
  CHECK(std::string(o.run()["events"][0]["replicas"][0].GetString()) == "0000");
  CHECK(o.run()["deaths"].Empty());
}

TEST_CASE("catches: forgets what it stored") {
  const auto o = play("forgets");
  CHECK(o.status == 1);
  CHECK(o.failed("returned \"\" instead of"));
  CHECK(o.complaints().count("0000 wrong value") == 1);
  CHECK(o.run()["tiers"][3].GetInt() == 3);
}

TEST_CASE("catches: answers twice") {
  const auto o = play("twice");
  CHECK(o.complaints().count("0000 answered twice") == 1);
  CHECK(o.run()["duplicates"].GetInt() > 10);
  CHECK(o.run()["tiers"][2].GetInt() == 3);
}

TEST_CASE("catches: sends garbage") {
  const auto o = play("garbage");
  CHECK(o.complaints() == std::set<std::string>{"0000 garbage"});
  CHECK(has(o.out, "0000 garbage: not JSON"));
}

TEST_CASE("catches: dies") {
  const auto o = play("dies");
  CHECK(o.status == 1);
  CHECK(o.failed("died: 0000 exit: exited with status 3"));
  CHECK(o.complaints().count("0000 exit") == 1);
}

TEST_CASE("catches: never says hello") {
  const auto o = play("nohello");
  CHECK(o.status == 1);
  CHECK(o.failed("died: 0004 no hello"));
  CHECK(o.complaints() == std::set<std::string>{"0004 no hello"});
}

TEST_CASE("catches: answers with a wrong MID") {
  const auto o = play("wrongmid");
  CHECK(o.status == 1);
  CHECK(o.failed("wrong MID"));
  CHECK(o.complaints().count("0000 wrong MID") == 1);
}

TEST_CASE("catches: returns a wrong value") {
  const auto o = play("wrongvalue");
  CHECK(o.status == 1);
  CHECK(o.failed("incorrect"));
  CHECK(o.complaints() == std::set<std::string>{"0000 wrong value"});
}

TEST_CASE("catches: a storm of messages, and stops the run early") {
  const auto o =
      play("storm", opening + R"("lifetime": 60, "requests": 60, "max_packets": 3000, )" + lenient);
  CHECK(has(o.out, "message storm"));
  CHECK(o.run()["stopped_at_max_packets"].GetBool() == true);
  CHECK(o.run()["total_msgs"].GetInt() >= 3000);
  CHECK(o.run()["total_msgs"].GetInt() < 3000 + 4); // the last one may have gone to all four others
  CHECK(o.run()["took"].GetDouble() < 50);
}

TEST_CASE("catches: replicas that send a client round in circles") {
  // Two requests only: on a busy machine sixty would share what few turns there are.
  const auto o = play("loop", opening + R"("lifetime": 0.5, "requests": 2, )" + lenient);
  CAPTURE(o.out);
  CHECK(o.status == 1);
  CHECK(has(o.out, "redirect storm"));
}

TEST_CASE("catches: silence") {
  const auto o = play("silent");
  CHECK(o.status == 1);
  CHECK(o.failed("nothing was stored"));
  CHECK(o.failed("puts unanswered"));
  CHECK(o.complaints().count("0002 silence") == 1);
}

TEST_CASE("catches: speaks in another's name") {
  CHECK(play("impostor").complaints() == std::set<std::string>{"0000 wrong source"});
}

TEST_CASE("fail answers are failures") {
  const auto o = play("fails");
  CHECK(o.run()["fails"].GetInt() > 3);
  CHECK(o.run()["failures"].GetInt() >= o.run()["fails"].GetInt());
  CHECK(o.run()["tiers"][1].GetInt() == 3);
}

TEST_CASE("a replica that prints without end blocks neither itself nor the simulator") {
  const auto o = play("chatter");
  CAPTURE(o.out);
  CHECK(o.status == 0);
  CHECK(has(o.err, "(prints too much: the rest is not shown)"));
}

TEST_CASE("runs count up the seed and may go on side by side") {
  const scratch_folder folder;
  const auto o = simulate(folder, {"--replica", folder.replica("none"), "--seed", "5", "--runs", "3",
                                   "--jobs", "3", folder.write("short.json", short_run)});
  CAPTURE(o.out);
  CHECK(o.status == 0);
  REQUIRE(o.report["runs"].Size() == 3);
  for (int i = 0; i < 3; ++i)
    CHECK(o.run(static_cast<rapidjson::SizeType>(i))["seed"].GetInt() == 5 + i);
  CHECK(has(o.out, "short         3/3"));
  REQUIRE(o.report["scenarios"].Size() == 1);
  CHECK(o.report["scenarios"][0]["passed"].GetInt() == 3);
}

TEST_CASE("nobody survives a run, not even who ignores SIGTERM and has children") {
  const scratch_folder folder;
  simulator sim(folder, {"--replica", folder.replica("stubborn"), folder.write("short.json", short_run)});
  const auto groups = sim.await_replicas(5);
  CHECK(groups.size() == 5);
  CHECK(sim.wait() == 0);
  CHECK(all_gone(groups));
}

TEST_CASE("nobody survives the simulator, however it ends") {
  const auto long_run = opening + R"("lifetime": 600, "requests": 600, )" + lenient;
  for (int signal : {SIGKILL, SIGINT, SIGTERM}) {
    CAPTURE(signal);
    const scratch_folder folder;
    simulator sim(folder, {"--jobs", "2", "--runs", "2", "--replica", folder.replica("stubborn"),
                           folder.write("long.json", long_run)});
    const auto groups = sim.await_replicas(10);
    CHECK(groups.size() == 10);
    sim.signal(SIGUSR1); // is for replicas
    sim.signal(signal);
    CHECK(sim.wait() == (signal == SIGKILL ? 1000 + SIGKILL : 130));
    CHECK(all_gone(groups));
  }
}

TEST_CASE("bad input is refused in one line that says what and where") {
  const scratch_folder folder;
  const auto replica = folder.replica("none");
  const auto good = folder.write("good.json", short_run);
  refused(folder, {"--virtual", "--replica", replica, good}, "--virtual excludes --replica");
  refused(folder, {"chaos", "--faults", "flood"}, "\"flood\" is no kind of fault: crash, pause, cut");
  refused(folder, {"chaos", "--seed", "1", "--keep", "f0,x"}, "\"x\" is no item of a schedule");
  refused(folder, {"chaos", "--seed", "-1"}, "--seed: must be a whole number");
  refused(folder, {"chaos", "--runs", "0"}, "--runs");
  refused(folder, {"chaos", "crash-4"}, "crash-4");
  refused(folder, {"--replica", replica, "--colour", good}, "--colour");
  refused(folder, {"--replica", replica, "--seed", "x", good}, "--seed");
  refused(folder, {"--replica", replica, "--seed", "-1", good}, "--seed: must be a whole number");
  refused(folder, {"--replica", replica, "--runs", "0", good}, "--runs");
  refused(folder, {"--replica", replica, "--jobs", "0", good}, "--jobs");
  refused(folder, {"--replica", folder.path("none"), good},
          folder.path("none") + ": no such replica executable");
  refused(folder, {"--replica", good, good}, good + ": the replica is not executable");
  refused(folder, {"--replica", "/", good}, "/: the replica is not executable");
  refused(folder, {"--replica", replica, "--json", "/no/such/folder/x", good},
          "/no/such/folder/x: No such file");
  refused(folder, {"--replica", replica, good, "simple-9"}, "simple-9: no such file");
  refused(folder, {"--json", "", good}, "--json: is empty");
  refused(folder, {"--json", folder.path("x"), "--html", folder.path("./x"), good}, "would be written twice");
  refused(folder, {"chaos", "--html", folder.path("x")}, "--html wants --runs 1");
  refused(folder, {"chaos", "--runs", "1", "--history", "/no/such/x"}, "/no/such/x: No such file");
  refused(folder, {"chaos", "--runs", "1", "--html", "-"}, "- is no place for a page");
  refused(folder, {"chaos", "--runs", "1", "--html", "/no/such/x"}, "/no/such/x: No such file");
  refused(folder, {"chaos", "--runs", "1", "--html", folder.path("x"), "--trace", folder.path("./x")},
          "would be written twice");
  refused(folder, {"chaos", "--runs", "1", "--trace", "-"}, "- is no place for a trace");
  refused(folder, {"simple-1", "--trace", "-"}, "- is no place for a trace");
  refused(folder, {"simple-1", "--html", "-"}, "- is no place for a page");
  refused(folder, {"chaos", "--keep", "f9-3"}, "\"f9-3\" ends before it begins");
  refused(folder, {"chaos", "--for", "nan"}, "--for: must be a number of seconds");
  const auto broken = folder.write("broken.json", "{\n\"lifetime\": 30,,}");
  refused(folder, {"--replica", replica, broken}, broken + ":2:16: ");
  const auto unknown =
      folder.write("unknown.json", R"({"lifetime": 1, "replicas": 5, "requests": 1, "colour": 1})");
  refused(folder, {"--replica", replica, unknown}, unknown + ": colour is not a field of a scenario");
  const auto text = folder.write("text", "no program\n");
  fs::permissions(text, fs::perms::owner_all);
  refused(folder, {"--replica", text, good}, text + ": Exec format error");
}

TEST_CASE("without a mode runs are on virtual time, and the same seed has the same history") {
  const scratch_folder folder;
  const auto first = simulate(folder, {"--seed", "7", "--runs", "2", "crash-4", "simple-1"});
  CHECK(first.status == 0);
  CHECK(std::string(first.run()["mode"].GetString()) == "virtual");
  CHECK(std::string(first.run()["hash"].GetString()).size() == 16);
  const auto second =
      simulate(folder, {"--virtual", "--seed", "7", "--runs", "2", "--jobs", "2", "crash-4", "simple-1"});
  CHECK(first.out == second.out);
  const auto other = simulate(folder, {"--seed", "8", "--runs", "2", "crash-4", "simple-1"});
  CHECK(first.out != other.out);
}

TEST_CASE("chaos runs are told in a few lines, and all of one when asked") {
  const scratch_folder folder;
  simulator some(folder, {"chaos", "--seed", "1", "--runs", "5", "--for", "3"});
  CHECK(some.wait() == 0);
  CHECK(has(some.out(), "5 runs from seed 1: 0 failed"));
  CHECK(some.err().empty());
  simulator one(folder, {"chaos", "--seed", "1", "--runs", "1", "--faults", "crash,cut", "--keep", "r0-9",
                         "--verbose"});
  CHECK(one.wait() == 0);
  CHECK(has(one.out(), "faults: none"));
  CHECK(has(one.err(), "the faults stop"));
  CHECK(has(one.err(), "seed 1: hash "));
}

TEST_CASE("a fraction that stands beside tests is noted") {
  const auto o = play(
      "none", opening + R"("lifetime": 0.1, "requests": 10, "maximum_get_generation_fail_fraction": 1})");
  CHECK(has(o.err, "note: short: maximum_get_generation_fail_fraction stands beside tests"));
  CHECK(o.run()["tiers"].IsNull());
}

// A sanitizer's own memory is terabytes of addresses.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("memory that is used up, in whatever thread, and threads that cannot be started, are told") {
  const scratch_folder folder;
  std::set<std::string> told;
  int status = 2;
  for (int kilobytes = 11'000; status == 2; kilobytes += 1'000) {
    REQUIRE(kilobytes < 1'000'000);
    const auto run = call(folder, {"/bin/sh", "-c",
                                   "ulimit -v " + std::to_string(kilobytes) +
                                       "; exec " TROUPE_SIM " simple-1 --seed 1 --trace t.jsonl"});
    if (run.err.starts_with(TROUPE_SIM ": error while loading")) // not even started
      continue;
    CAPTURE(kilobytes);
    CAPTURE(run.err);
    status = run.status;
    CHECK((status == 0 || status == 2));
    if (status == 2)
      told.insert(run.err);
  }
  CHECK(status == 0);
  CHECK(told.contains("troupe-sim: out of memory\n"));
  for (const auto& line : told)
    CHECK_MESSAGE(
        (line == "troupe-sim: out of memory\n" || line.starts_with("troupe-sim: cannot start a thread: ")),
        line);
}
#endif

TEST_CASE("a long run on virtual time ends with the second signal, and what was ignored stays ignored") {
  const scratch_folder folder;
  simulator sim(folder, {"chaos", "--runs", "1", "--seed", "1", "--for", "86400", "--verbose"});
  REQUIRE(troupe::test::eventually([&] { return !sim.err().empty(); })); // the run has begun
  sim.signal(SIGINT);
  sim.signal(SIGTERM);
  CHECK(sim.wait() == 130);
  const auto hung_up = call(
      folder, {"/bin/sh", "-c",
               "trap '' HUP; " TROUPE_SIM " chaos --runs 100 --seed 1 --verbose 2>told & n=0; "
               "until [ -s told ] || [ $((n += 1)) -gt 300 ]; do sleep 0.1; done; kill -HUP $!; wait $!"});
  CHECK(hung_up.status == 0);
}

TEST_CASE("too few descriptors are told as what they are") {
  const scratch_folder folder;
  folder.write("short.json", short_run);
  int refused = 0;
  int status = 2;
  for (int descriptors = 8; status == 2; ++descriptors) {
    REQUIRE(descriptors < 200);
    const auto run = call(folder, {"/bin/sh", "-c",
                                   "ulimit -n " + std::to_string(descriptors) +
                                       "; exec " TROUPE_SIM " --real --durable short.json"});
    CAPTURE(descriptors);
    CAPTURE(run.err);
    status = run.status;
    CHECK(status <= 2);
    if (status != 2)
      continue;
    ++refused;
    CHECK(has(run.err, ": Too many open files\n"));
  }
  CHECK(refused > 5);
}
