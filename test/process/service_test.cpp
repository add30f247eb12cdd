// Real replicas, stopped and killed while clients use them: service goes on, and nothing that was
// acknowledged is lost.

#include "test/process/sim_support.hpp"

#include <doctest/doctest.h>

using namespace troupe::test;

namespace {

/// A get of what was acknowledged and is gone would fail the run.
outcome play(const std::string& events) {
  const scratch_folder folder;
  const auto scenario = folder.write(
      "service.json",
      R"({"lifetime": 10, "replicas": 5, "requests": 200, "mix": 0.5, "start_wait": 3, "end_wait": 2,
                          "tests": {"maximum_get_generation_fail_fraction": 1}, "events": [)" +
          events + "]}");
  return simulate(folder, {"--real", "--replica", TROUPE_REPLICA, scenario});
}

} // namespace

TEST_CASE("a leader that stands still for six seconds is replaced, and does no harm when it comes back") {
  const auto o = play(R"({"type": "pause_leader", "time": 2}, {"type": "resume", "time": 8})");
  INFO(o.out, o.err);
  CHECK(o.status == 0);
  CHECK(o.run()["failures"].GetUint64() == 0);
  // Nobody would have to take over from one that is back before it is missed. (Clients that had asked it wait
  // for it all the same: they never give up on a replica that is not known to be dead.)
  CHECK(o.run()["leader_changes"].GetUint64() >= 1);
}

TEST_CASE("replicas with a disk serve as those without, and leave nothing behind") {
  const scratch_folder folder;
  const auto scenario = folder.write(
      "s.json",
      R"({"lifetime": 3, "replicas": 3, "requests": 120, "mix": 0.5, "start_wait": 1.5, "end_wait": 1,
                    "tests": {"maximum_get_generation_fail_fraction": 1}})");
  const auto o = simulate(folder, {"--real", "--durable", "--replica", TROUPE_REPLICA, scenario});
  CAPTURE(o.err);
  CHECK(o.status == 0);
  CHECK(o.run()["failures"].GetInt() == 0);
}

TEST_CASE("a minority that stands still or dies at once is not missed") {
  const auto o = play(R"({"type": "pause_non_leader", "time": 1}, {"type": "crash_non_leader", "time": 2},
                         {"type": "resume", "time": 6}, {"type": "crash_leader", "time": 7})");
  INFO(o.out, o.err);
  CHECK(o.status == 0);
  // Only what was sent to a leader just before its end may be lost with it.
  for (const auto& request : o.run()["unanswered"].GetArray())
    CHECK(request["killed_after"].IsDouble());
  CHECK(o.run()["fails"].GetUint64() == 0);
}
