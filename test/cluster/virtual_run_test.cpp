#include "app/sim/virtual_run.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace troupe;
using namespace troupe::sim;
using namespace std::chrono_literals;

namespace {

class nobody_watches : public spectator {
 public:
  void replica_said(replica_id, duration, const std::string&) override {}
  void happened(duration, const std::string&) override {}
  void progressed(duration, replica_id) override {}
};

run_result play(const scenario& s, std::uint64_t seed) {
  nobody_watches silence;
  return play_virtual({std::make_shared<const scenario>(s), run_mode::virtual_time, seed}, silence);
}

std::string first_failure(const run_result& r) {
  return r.verdict.passed() ? "" : r.verdict.failed_checks.front();
}

} // namespace

TEST_CASE("virtual run: all scenarios are passed") {
  for (const auto& name : builtin_scenario_names())
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(name);
      CAPTURE(seed);
      const auto run = play(load_scenario(name), seed);
      CHECK(first_failure(run) == "");
      CHECK(run.figures.violations.empty());
      CHECK(run.figures.fails == 0);
    }
}

TEST_CASE("virtual run: only what is sent in the moment of a kill is never answered") {
  for (const auto& name : builtin_scenario_names()) {
    CAPTURE(name);
    for (const auto& request : play(load_scenario(name), 7).figures.unanswered) {
      REQUIRE(request.killed_after.has_value());
      CHECK(*request.killed_after < 100us);
    }
  }
}

TEST_CASE("virtual run: the same seed makes the same history everywhere") {
  const auto scenario = load_scenario("advanced-4");
  const auto run = play(scenario, 42);
  CHECK(play(scenario, 42).hash == run.hash);
  CHECK(play(scenario, 43).hash != run.hash);
  // In every build. Changes whenever what replicas say or when they say it does.
  CHECK(fmt::format("{:016x}", run.hash.value()) == "1bca81a6207fa3fa");
}

TEST_CASE("virtual run: replicas that pause and crash are replaced") {
  auto s = load_scenario("simple-2");
  s.events = {{event_type::pause_leader, 3s},
              {event_type::resume, 7s},
              {event_type::crash_leader, 9s},
              {event_type::pause_non_leader, 12s},
              {event_type::resume, 14s}};
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto run = play(s, seed);
    CAPTURE(seed);
    CHECK(first_failure(run) == "");
    CHECK(run.figures.leader_changes >= 2);
    CHECK(run.figures.events.size() == 5);
  }
}

TEST_CASE("virtual run: where no majority is left, silence breaks no rule") {
  auto s = load_scenario("simple-2");
  REQUIRE(s.replicas == 5);
  s.events = {
      {event_type::crash_leader, 5s}, {event_type::crash_non_leader, 8s}, {event_type::crash_leader, 10s}};
  const auto run = play(s, 1);
  CHECK(run.figures.unanswered.size() > 10);
  CHECK(run.figures.violations.empty());
}
