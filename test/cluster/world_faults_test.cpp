// Events beyond the course's, and what the report says of requests that are lost with a replica.

#include "test/cluster/stage.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("a crash is a kill without last words") {
  stage t(with_events({{event_type::crash_leader, 1s}, {event_type::kill_non_leader, 2s}}));
  t.hello_all();
  t.tell(0, "0001", {2});
  t.until(7s);
  std::vector<bool> at_once;
  for (const auto& a : t.out)
    if (const auto* k = std::get_if<kill>(&a))
      at_once.push_back(k->at_once);
  CHECK(at_once == std::vector<bool>{true, false});
  CHECK(t.victims()[0] == replica_id{2});
}

TEST_CASE("a paused replica is still spoken to, and resumes with all the others") {
  stage t(with_events(
      {{event_type::pause_leader, 1s}, {event_type::pause_non_leader, 2s}, {event_type::resume, 3s}}));
  t.hello_all();
  t.tell(0, "0001", {2});
  t.until(7s);
  std::vector<replica_id> paused;
  for (const auto& a : t.out)
    if (const auto* p = std::get_if<freeze>(&a))
      paused.push_back(p->victim);
  REQUIRE(paused.size() == 2);
  CHECK(paused[0] == replica_id{2});
  CHECK(paused[1] != replica_id{2});
  t.taken();
  t.tell(0, "0002");
  CHECK(t.receivers() == std::vector<replica_id>{{2}});
  t.until(8s);
  std::vector<replica_id> resumed;
  for (const auto& a : t.out)
    if (const auto* r = std::get_if<thaw>(&a))
      resumed.push_back(r->victim);
  std::sort(paused.begin(), paused.end());
  CHECK(resumed == paused);
}

TEST_CASE("of a request that is lost with its replica the report says how close to the end it was sent") {
  auto s = with_events({{event_type::kill_leader, 1s}});
  s.mix = 0;
  stage t(s);
  t.hello_all();
  t.tell(0, "0001", {2});
  t.until(5s);
  t.w.finish(t.now);
  const auto count = t.w.figures().unanswered.size();
  REQUIRE(count > 0);
  for (const auto& request : t.w.figures().unanswered)
    CHECK(!request.killed_after);
  std::size_t with_victim = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    stage lost(s, seed);
    lost.hello_all();
    lost.tell(0, "0001", {2});
    lost.until(5900ms);
    lost.until(6s);
    lost.w.finish(lost.now);
    for (const auto& request : lost.w.figures().unanswered) {
      CHECK(request.killed_after.has_value() == (request.asked == replica_id{2}));
      if (request.killed_after)
        CHECK(start + request.sent + *request.killed_after == start + 6s);
      with_victim += request.killed_after ? 1 : 0;
    }
  }
  CHECK(with_victim > 0);
}
