#include "cluster/scenario.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace troupe;
using namespace std::chrono_literals;

static const std::string needed = R"("lifetime": 30, "replicas": 5, "requests": 100)";

static scenario parse(const std::string& more) {
  return parse_scenario("{" + needed + (more.empty() ? "" : ", " + more) + "}", "test", "file.json");
}

/// The complaint about a file with these fields besides the needed ones.
static std::string complaint_about_text(const std::string& text) {
  try {
    parse_scenario(text, "test", "file.json");
  } catch (const scenario_error& error) {
    return error.what();
  }
  return "none";
}
static std::string complaint(const std::string& more) {
  return complaint_about_text("{" + needed + ", " + more + "}");
}

TEST_CASE("what a scenario does not say has the course's defaults") {
  const auto s = parse("");
  CHECK(s.lifetime == 30s);
  CHECK(s.start_wait == 5s);
  CHECK(s.end_wait == 2s);
  CHECK(s.mix == 0.8);
  CHECK(s.drops == 0);
  CHECK(s.max_packets == 20000);
  CHECK_FALSE(s.seed);
  CHECK_FALSE(s.benchmarks);
  CHECK(s.maximum_get_fail_fraction == 0.5);
  CHECK(s.maximum_put_fail_fraction == 0.5);
  CHECK(s.maximum_get_generation_fail_fraction == 0.1);
  CHECK(s.maximum_appends_batched_fraction == 0.5);
  CHECK(s.notes.empty());
}

TEST_CASE("everything a scenario can say is read") {
  const auto s =
      parse(R"("seed": 18446744073709551615, "mix": 0.25, "start_wait": 0.5, "end_wait": 0, "drops": 0.125,
    "max_packets": 77, "events": [{"type": "part_end", "time": 9.5}, {"type": "part_hard", "time": 1},
    {"type": "part_easy", "time": 2}, {"type": "kill_leader", "time": 3}, {"type": "kill_non_leader", "time": 4}],
    "tests": {"maximum_get_fail_fraction": 0.1, "maximum_put_fail_fraction": 0.2,
    "maximum_get_generation_fail_fraction": 0.3, "maximum_appends_batched_fraction": 0.4,
    "benchmarks": {"total_msgs": [1,2,3], "failures": [4,5,6], "duplicates": [7,8,9], "median_latency": [0.1,0.2,0.3]}})");
  CHECK(s.seed == 18446744073709551615u);
  CHECK(s.mix == 0.25);
  CHECK(s.start_wait == 500ms);
  CHECK(s.end_wait == 0s);
  CHECK(s.drops == 0.125);
  CHECK(s.max_packets == 77);
  CHECK(s.events == std::vector<event>{{event_type::part_hard, 1s},
                                       {event_type::part_easy, 2s},
                                       {event_type::kill_leader, 3s},
                                       {event_type::kill_non_leader, 4s},
                                       {event_type::part_end, 9500ms}});
  CHECK(s.maximum_get_fail_fraction == 0.1);
  CHECK(s.maximum_put_fail_fraction == 0.2);
  CHECK(s.maximum_get_generation_fail_fraction == 0.3);
  CHECK(s.maximum_appends_batched_fraction == 0.4);
  REQUIRE(s.benchmarks);
  CHECK(s.benchmarks->total_msgs == tier_limits{1, 2, 3});
  CHECK(s.benchmarks->failures == tier_limits{4, 5, 6});
  CHECK(s.benchmarks->duplicates == tier_limits{7, 8, 9});
  CHECK(s.benchmarks->median_latency == tier_limits{0.1, 0.2, 0.3});
  CHECK(s.notes.empty());
}

TEST_CASE("the get generation fraction counts beside tests, too, with a note") {
  const auto s = parse(R"("maximum_get_generation_fail_fraction": 0.2, "tests": {})");
  CHECK(s.maximum_get_generation_fail_fraction == 0.2);
  REQUIRE(s.notes.size() == 1);
  CHECK(s.notes[0].find("beside tests") != std::string::npos);
  CHECK(complaint(R"("maximum_get_generation_fail_fraction": 0.2,
                     "tests": {"maximum_get_generation_fail_fraction": 0.2})") ==
        "file.json: maximum_get_generation_fail_fraction stands both beside and inside tests");
}

TEST_CASE("a broken file is refused with line and column") {
  CHECK(complaint_about_text("{\n  \"lifetime\": 30,\n  \"replicas\" 5}").find("file.json:3:14: ") == 0);
  CHECK(complaint_about_text("").find("file.json:1:1: ") == 0);
  CHECK(complaint_about_text(std::string(1 << 20, '[')).find("file.json:1:") == 0);
  CHECK(complaint_about_text("[]") == "file.json: the scenario must be an object");
}

TEST_CASE("a field that is missing, unknown, repeated, of the wrong type or out of range is named") {
  CHECK(complaint_about_text(R"({"lifetime": 1, "replicas": 5})") == "file.json: requests is missing");
  CHECK(complaint(R"("colour": "red")") == "file.json: colour is not a field of a scenario");
  CHECK(complaint(R"("mix": 0.1, "mix": 0.1)") == "file.json: mix is there twice");
  CHECK(complaint(R"("mix": "0.1")") == "file.json: mix must be a number from 0 to 1");
  CHECK(complaint(R"("drops": 1.5)") == "file.json: drops must be a number from 0 to 1");
  CHECK(complaint(R"("start_wait": -1)") == "file.json: start_wait must be a number from 0 to 86400");
  CHECK(complaint(R"("seed": -1)") ==
        "file.json: seed must be a whole number from 0 to 18446744073709551615");
  CHECK(complaint(R"("max_packets": 0)") ==
        "file.json: max_packets must be a whole number from 1 to 1000000000");
  CHECK(complaint(R"("events": {})") == "file.json: events must be an array of objects");
  CHECK(complaint(R"("events": [3])") == "file.json: events[0] must be an object");
  CHECK(complaint(R"("events": [{"type": "explode", "time": 3}])") ==
        "file.json: events[0].type must be one of kill_leader, kill_non_leader, part_easy, part_hard, "
        "part_end, crash_leader, crash_non_leader, pause_leader, pause_non_leader, resume");
  CHECK(complaint(R"("events": [{"type": "part_end", "time": 3}, {"type": "part_end"}])") ==
        "file.json: events[1].time is missing");
  CHECK(complaint(R"("events": [{"type": "part_end", "time": 33}])") ==
        "file.json: events[0].time lies after the end of the run");
  CHECK(complaint(R"("events": [{"type": "part_end", "time": 3, "who": 1}])") ==
        "file.json: events[0].who is not a field of a scenario");
  CHECK(complaint(R"("tests": [])") == "file.json: tests must be an object");
  CHECK(complaint(R"("tests": {"maximum_get_fail_fraction": 2})") ==
        "file.json: tests.maximum_get_fail_fraction must be a number from 0 to 1");
  CHECK(complaint(R"("tests": {"benchmarks": {"total_msgs": [1, 2, 3]}})") ==
        "file.json: tests.benchmarks.failures is missing");
  CHECK(complaint(R"("tests": {"benchmarks": {"total_msgs": [1, 2]}})") ==
        "file.json: tests.benchmarks.total_msgs must be an array of three limits");
  CHECK(complaint(R"("tests": {"benchmarks": {"total_msgs": [1, 2, null]}})") ==
        "file.json: tests.benchmarks.total_msgs[2] must be a number from 0 to 1000000000000");
  CHECK(complaint(R"("tests": {"benchmarks": {"total_msgs": [1, 3, 2]}})") ==
        "file.json: tests.benchmarks.total_msgs must not decrease");
  for (const char* replicas : {"2", "22", "5.5", "-5", "\"5\""})
    CHECK(
        complaint_about_text(fmt::format(R"({{"lifetime": 1, "requests": 1, "replicas": {}}})", replicas)) ==
        "file.json: replicas must be a whole number from 3 to 21");
  CHECK(
      complaint_about_text(R"({"lifetime": 0, "replicas": 5, "requests": 1})").find("file.json: lifetime") ==
      0);
}

TEST_CASE("the longest field name in an error is cut, and stays on one line") {
  const auto text = complaint("\"a\\nb" + std::string(1000, 'c') + "\": 1");
  CHECK(text.find("file.json: a?bccc") == 0);
  CHECK(text.size() < 120);
}

TEST_CASE("a scenario that is neither built in nor a file is refused with the names there are") {
  try {
    load_scenario("no-such-scenario");
    FAIL("was loaded");
  } catch (const scenario_error& error) {
    const std::string what = error.what();
    CHECK(what.find("no-such-scenario: no such file") == 0);
    CHECK(what.find("advanced-4") != what.npos);
  }
  CHECK_THROWS_AS(load_scenario("/"), scenario_error);
}

TEST_CASE("the seventeen scenarios are built in and complete") {
  const auto names = builtin_scenario_names();
  CHECK(names.size() == 17);
  CHECK(names.front() == "simple-1");
  CHECK(names.back() == "advanced-4");
  for (const auto& name : names) {
    const auto s = load_scenario(name);
    CAPTURE(name);
    CHECK(s.name == name);
    CHECK(s.replicas == 5);
    CHECK(s.lifetime == 30s);
    CHECK(s.benchmarks);
    CHECK(s.notes.empty() == (s.maximum_get_generation_fail_fraction == 0.1));
  }
  const auto s = load_scenario("advanced-2");
  CHECK(s.requests == 300);
  CHECK(s.drops == 0.15);
  CHECK(s.end_wait == 5s);
  CHECK(s.events == std::vector<event>{{event_type::kill_leader, 8s}, {event_type::kill_leader, 16s}});
  CHECK(s.benchmarks->median_latency == tier_limits{0.00015, 0.005, 0.05});
}
