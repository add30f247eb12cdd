#include "cluster/course/grade.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::course;
using namespace std::chrono_literals;

static scenario example() {
  scenario s;
  s.requests = 100;
  s.replicas = 5;
  s.mix = 0.2;
  s.benchmarks = benchmarks{{1000, 2000, 3000}, {1, 2, 3}, {0, 2, 5}, {0.001, 0.002, 0.003}};
  return s;
}

static figures good() {
  figures f;
  f.gets = 20;
  f.puts = 80;
  f.puts_ok = 80;
  f.total_msgs = 200; // 100 requests x 5 replicas x 0.8 x 0.5
  f.latencies.puts = {500us};
  return f;
}

static bool passes(const figures& f) { return grade(example(), f).passed(); }

TEST_CASE("a tier is reached only strictly below its limit") {
  const tier_limits limits{10, 20, 30};
  CHECK(tier_of(9.999, limits) == 0);
  CHECK(tier_of(10, limits) == 1);
  CHECK(tier_of(20, limits) == 2);
  CHECK(tier_of(29, limits) == 2);
  CHECK(tier_of(30, limits) == 3);
  CHECK(tier_of(0, {0, 1, 2}) == 1);
}

TEST_CASE("tiers stand in the order messages, failures, duplicates, latency") {
  auto f = good();
  f.total_msgs = 1000;
  f.fails = 1;
  f.gets_unanswered = 1;
  f.duplicates = 5;
  CHECK(grade(example(), f).tiers == tiers{1, 2, 3, 0});
}

TEST_CASE("failures are fail answers and unanswered gets and puts") {
  figures f;
  f.fails = 1;
  f.gets_unanswered = 10;
  f.puts_unanswered = 100;
  CHECK(f.failures() == 111);
}

TEST_CASE("a run that is not correct gets no tier at all") {
  auto f = good();
  f.incorrect = 1;
  f.incorrect_reasons = {"why"};
  const auto v = grade(example(), f);
  CHECK_FALSE(v.passed());
  CHECK(v.tiers == tiers{3, 3, 3, 3});
  CHECK(v.failed_checks == std::vector<std::string>{"1 incorrect: why"});
}

TEST_CASE("a scenario without benchmarks has no tiers") {
  auto s = example();
  s.benchmarks.reset();
  CHECK_FALSE(grade(s, good()).tiers);
}

TEST_CASE("nobody may die, and something must be stored") {
  CHECK(passes(good()));
  auto dead = good();
  dead.deaths = {"0001"};
  CHECK_FALSE(passes(dead));
  auto empty = good();
  empty.puts_ok = 0;
  CHECK_FALSE(passes(empty));
}

TEST_CASE("half of the gets and half of the puts may stay unanswered, and no more") {
  auto f = good();
  f.gets_unanswered = 10;
  f.puts_unanswered = 40;
  CHECK(passes(f));
  f.gets_unanswered = 11;
  CHECK_FALSE(passes(f));
  f.gets_unanswered = 10;
  f.puts_unanswered = 41;
  CHECK_FALSE(passes(f));
}

TEST_CASE("a tenth of the gets may not have been generated, and no more") {
  auto f = good();
  f.gets = 18;
  f.gets_not_generated = 2;
  CHECK(passes(f));
  f.gets = 17;
  f.gets_not_generated = 3;
  CHECK_FALSE(passes(f));
}

TEST_CASE("fewer messages than honest replication takes fail the run") {
  auto f = good();
  f.total_msgs = 199;
  CHECK_FALSE(passes(f));
}

TEST_CASE("the median of an even number is the mean of the middle two") {
  CHECK_FALSE(median_seconds({}));
  CHECK(*median_seconds({3s, 1s, 2s}) == doctest::Approx(2));
  CHECK(*median_seconds({4s, 1s, 2s, 10s}) == doctest::Approx(3));
}

TEST_CASE("the median latency counts gets and puts together, and is the worst tier if there is none") {
  auto f = good();
  f.latencies.gets = {2500us, 2500us};
  CHECK(*f.median_latency() == doctest::Approx(0.0025));
  CHECK(grade(example(), f).tiers->at(3) == 2);
  f.latencies = {};
  CHECK(grade(example(), f).tiers->at(3) == 3);
}

TEST_CASE("99 of 100 latencies do not exceed p99") {
  std::vector<duration> values;
  for (int i = 1; i <= 200; ++i)
    values.push_back(std::chrono::seconds(i));
  CHECK(*p99_seconds(values) == doctest::Approx(198));
  CHECK(*p99_seconds({5s}) == doctest::Approx(5));
  CHECK_FALSE(p99_seconds({}));
}
