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
      cluster c({.replicas = 3, .seed = seed, .router = {.snapshot_after_bytes = 3}, .durable = true});
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

TEST_CASE("trap 18: what follows on a snapshot of the own log outlives a restart") {
  std::size_t hit = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    // A disk that takes its time, and clients that do not wait: entries are in the log already that stand
    // behind a snapshot when it is taken.
    cluster c({.replicas = 3,
               .seed = seed,
               .router = {.snapshot_after_bytes = 3},
               .storage_takes = 1ms,
               .durable = true});
    CHECK(c.elect() != nobody);
    for (int i = 0; i < 50; ++i) {
      c.ask(kv::put{"key" + std::to_string(i), std::string(60, 'v')},
            replica_id{static_cast<std::uint16_t>(0xC000 + i)});
      c.run_for(200us);
    }
    c.run_for(1s);
    for (auto id : c.ids()) {
      const auto base = c.core(id).log().base_index();
      const auto last = c.core(id).log().last_index();
      hit += base > log_index{} && last > base ? 1 : 0;
      c.crash(id);
      c.start(id);
      CHECK(c.core(id).log().base_index() == base);
      CHECK(c.core(id).log().last_index() == last);
    }
    CHECK(c.elect() != nobody);
    const auto broken = c.verify();
    CHECK_MESSAGE(broken.empty(), broken.front());
  }
  CHECK(hit >= 10);
}

TEST_CASE("trap 18: nothing of another past comes back behind a snapshot after a restart") {
  std::size_t hit = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    cluster c({.replicas = 3, .seed = seed, .router = {.snapshot_after_bytes = 2'000}, .durable = true});
    const auto lost = c.elect();
    CHECK(c.put("first", "value"));
    c.isolate({lost});
    // Of these nobody else hears. They make its log longer than the others' will be.
    for (int i = 0; i < 200; ++i)
      c.ask(kv::put{"lost", "x"}, replica_id{static_cast<std::uint16_t>(0xC100 + i)}, lost,
            {.repeat_after = 0ms});
    c.run_for(10ms);
    const auto far = c.core(lost).log().last_index();
    REQUIRE(far > log_index{150});
    c.run_for(5s);
    for (int i = 0; i < 30; ++i)
      CHECK(c.put("key" + std::to_string(i), std::string(100, 'v')));
    c.heal();
    c.run_until([&] { return c.core(lost).log().base_index() > log_index{}; }, c.now() + 3s);
    c.run_for(100us); // until the snapshot is stored
    const auto base = c.core(lost).log().base_index();
    const auto last = c.core(lost).log().last_index();
    hit += base > log_index{} && last < far ? 1 : 0;
    c.crash(lost);
    c.start(lost);
    CHECK(c.core(lost).log().last_index() == last);
    c.run_for(3s);
    const auto broken = c.verify();
    CHECK_MESSAGE(broken.empty(), broken.front());
  }
  CHECK(hit == 10);
}

TEST_CASE("when all have been started again nobody is answered a second time, but for what was last") {
  for (const std::size_t replicas : {1U, 3U}) {
    CAPTURE(replicas);
    virtual_stage t(replicas, 1, true);
    auto leader = t.elect();
    for (int i = 0; i < 50; ++i)
      REQUIRE(t.put_ok(leader, "key" + std::to_string(i), "value"));
    REQUIRE(t.answers.size() == 50);
    for (auto id : t.cluster.ids())
      t.cluster.crash(id);
    t.cluster.start_all();
    t.cluster.run_until(t.cluster.now() + 1ms);
    for (auto id : t.cluster.ids()) // at once, and not when somebody leads
      CHECK(t.cluster.core(id).commit_index() > log_index{45});
    CHECK(t.value(t.elect(), "key0") == "value");
    CHECK(t.answers.size() <=
          50 + 1 + 2); // that get, and what was committed when nothing was written any more
    CHECK(t.cluster.violations().empty());
  }
}
