#include "cluster/doctest_fixture.hpp"

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(cluster_of<5>, "fixture: a lost leader is replaced") {
  elect();
  CHECK(put("k", "v"));
  CHECK(crash_leader() != nobody);
  CHECK(get("k") == "v");
}

using three_with_another_seed = cluster_of<3, 11>;

TEST_CASE_FIXTURE(three_with_another_seed, "fixture: a rule that is broken on purpose is named") {
  const auto leader = elect();
  CHECK(put("k", "old"));
  set_clock_rate(leader, 100'000);
  isolate({leader});
  run_for(4s);
  CHECK(put("k", "new"));
  ask(kv::get{"k"}, {0xC009}, leader, {.repeat_after = 0s});
  run_for(10ms);
  expect_violation("one lease holder at a time");
  expect_violation("linearizability");
}

TEST_CASE_FIXTURE(three_with_another_seed,
                  "fixture: a rule that was broken fails the test" * doctest::should_fail()) {
  const auto leader = elect();
  set_clock_rate(leader, 100'000);
  isolate({leader});
  run_for(4s);
}
