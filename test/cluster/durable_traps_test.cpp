// The traps of docs/traps.md that touch disks, with replicas whose power goes.

#include "cluster/cluster.hpp"
#include "test/cluster/virtual_stage.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace troupe;
using namespace troupe::test;

namespace {

replica_id other_than(const std::vector<replica_id>& all, std::set<replica_id> these) {
  return *std::find_if(all.begin(), all.end(), [&](replica_id id) { return !these.contains(id); });
}

} // namespace

TEST_CASE("trap 2: term, vote and log are on the disk when the power has gone, wherever it went") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    virtual_stage t(3, seed, true);
    const auto leader = t.elect();
    REQUIRE(t.put_ok(leader, "key", "value"));
    for (auto id : t.cluster.ids()) {
      const auto& c = t.cluster.core(id);
      const auto term = c.term();
      const auto vote = c.voted_for();
      const auto last = c.log().last_index();
      t.cluster.crash(id);
      t.cluster.start(id);
      CHECK(t.cluster.core(id).term() == term);
      CHECK(t.cluster.core(id).voted_for() == vote);
      CHECK(t.cluster.core(id).log().last_index() == last);
    }
    CHECK(t.value(t.elect(), "key") == "value");
    CHECK(t.cluster.violations().empty());
  }
}

TEST_CASE("trap 2: no second vote in a term, wherever the power goes during an election") {
  for (std::size_t operations = 1; operations <= 12; ++operations)
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      CAPTURE(seed);
      CAPTURE(operations);
      cluster c({.replicas = 3, .seed = seed, .durable = true});
      for (auto id : c.ids())
        c.crash_in_write(id, operations + id.value);
      for (int i = 0; i < 30; ++i) {
        c.run_for(200ms);
        c.start_all();
      }
      CHECK(c.elect() != nobody);
      const auto broken = c.verify(); // the judges remember every vote that was told
      CHECK_MESSAGE(broken.empty(), broken.front());
    }
}

TEST_CASE("trap 16: an entry that a disk may have lost is neither acknowledged nor counted") {
  // Before the write, before the sync, and when it is durable but nobody has heard of that.
  for (const std::size_t operations : {1, 2, 3})
    for (const bool of_leader : {false, true})
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        CAPTURE(seed);
        CAPTURE(operations);
        CAPTURE(of_leader);
        virtual_stage t(3, seed, true);
        const auto leader = t.elect();
        REQUIRE(t.put_ok(leader, "key", "old"));
        const auto away = other_than(t.cluster.ids(), {leader});
        const auto victim = of_leader ? leader : other_than(t.cluster.ids(), {leader, away});
        t.cut({away}); // so that both others have to store it
        t.cluster.run_until(t.cluster.now() + 10ms);
        t.cluster.crash_in_write(victim, operations);
        const auto question = t.put(leader, "key", "new");
        t.cluster.run_until([&] { return !t.cluster.running(victim); }, t.cluster.now() + 100ms);
        REQUIRE_FALSE(t.cluster.running(victim));
        CHECK(t.answers.count(question) == 0);
        t.cluster.start(victim);
        t.heal();
        CHECK(t.put_ok(t.elect(), "other", "value"));
        const auto now = t.value(t.elect(), "key");
        CHECK((now == "new" || (now == "old" && t.answers.count(question) == 0)));
        CHECK(t.cluster.violations().empty());
      }
}

TEST_CASE("trap 18: a follower whose power goes while it gets a snapshot has its old log or the new state") {
  std::size_t hit = 0;
  for (std::size_t operations = 1; operations <= 30; ++operations)
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(seed);
      CAPTURE(operations);
      cluster c({.replicas = 3, .seed = seed, .router = {.snapshot_after_bytes = 2'000}, .durable = true});
      const auto leader = c.elect();
      const auto follower = other_than(c.ids(), {leader});
      CHECK(c.put("first", "value"));
      c.crash(follower);
      for (int i = 0; i < 60; ++i)
        CHECK(c.put("key" + std::to_string(i % 20), std::string(60, 'v')));
      REQUIRE(c.core(leader).log().base_index() > log_index{2}); // it can only get a snapshot
      c.crash_in_write(follower, operations);
      c.start(follower);
      c.run_for(1s);
      hit += c.running(follower) ? 0 : 1;
      c.start(follower);
      c.run_for(3s);
      REQUIRE(c.running(follower));
      CHECK(c.core(follower).commit_index() == c.core(c.elect()).commit_index());
      CHECK(c.state(follower).get("first") == "value");
      const auto broken = c.verify();
      CHECK_MESSAGE(broken.empty(), broken.front());
    }
  CHECK(hit > 30);
}
