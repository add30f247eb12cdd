#include "test/cluster/virtual_stage.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::test;

namespace {

replica_id other_than(replica_id leader) { return leader == replica_id{0} ? replica_id{1} : replica_id{0}; }

} // namespace

TEST_CASE("virtual cluster: one leader is elected and all follow it") {
  for (std::size_t replicas : {1u, 3u, 5u, 21u}) {
    virtual_stage t(replicas, replicas);
    const auto leader = t.elect();
    REQUIRE(leader != nobody);
    t.cluster.run_until(t.cluster.now() + 1s);
    for (auto id : t.cluster.ids())
      CHECK(t.cluster.core(id).known_leader() == leader);
    CHECK(t.cluster.violations().empty());
  }
}

TEST_CASE("virtual cluster: what is put is there, on every replica in the end") {
  virtual_stage t(5);
  const auto leader = t.elect();
  CHECK(t.put_ok(leader, "key", "value"));
  CHECK(t.value(leader, "key") == "value");
  t.cluster.run_until(t.cluster.now() + 1s);
  for (auto id : t.cluster.ids())
    CHECK(t.cluster.state(id).get("key") == "value");
  t.cluster.compare();
  CHECK(t.cluster.violations().empty());
}

TEST_CASE("virtual cluster: time jumps, and stops where it is told to") {
  virtual_stage t(3);
  CHECK(t.cluster.now() == instant{1s});
  t.cluster.run_until(instant{1h});
  CHECK(t.cluster.now() == instant{1h});
  CHECK(t.cluster.leader().has_value());
}

TEST_CASE("virtual cluster: when the leader crashes another one is elected that has what was answered") {
  virtual_stage t(5);
  const auto first = t.elect();
  CHECK(t.put_ok(first, "key", "value"));
  t.cluster.crash(first);
  CHECK_FALSE(t.cluster.running(first));
  const auto second = t.elect();
  REQUIRE(second != nobody);
  CHECK(second != first);
  CHECK(t.value(second, "key") == "value");
  CHECK(t.cluster.violations().empty());
}

TEST_CASE("virtual cluster: a leader that is cut off neither writes nor reads, the majority does") {
  virtual_stage t(5);
  const auto old = t.elect();
  CHECK(t.put_ok(old, "key", "old"));
  t.cut({old});
  const auto lost = t.put(old, "key", "lost");
  t.cluster.run_until(t.cluster.now() + 4s);
  CHECK(t.answers.count(lost) == 0);
  const auto current = t.elect();
  REQUIRE(current != old);
  CHECK(t.put_ok(current, "key", "new"));
  CHECK(t.value(old, "key") != "old");
  t.heal();
  t.cluster.run_until(t.cluster.now() + 4s);
  CHECK(t.cluster.state(old).get("key") == "new");
  t.cluster.compare();
  CHECK(t.cluster.violations().empty());
}

TEST_CASE("virtual cluster: a paused leader is replaced, and reads nothing stale when it goes on") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    virtual_stage t(3, seed);
    const auto old = t.elect();
    CHECK(t.put_ok(old, "key", "old"));
    t.cluster.pause(old);
    CHECK(t.cluster.paused(old));
    const auto question = t.get(old, "key");
    // The paused one still believes that it leads, so the stage's word for it is somebody of a later term.
    REQUIRE(t.cluster.run_until([&] { return t.cluster.leader() != old; }, t.cluster.now() + 5s));
    CHECK(t.put_ok(t.elect(), "key", "new"));
    CHECK(t.answers.count(question) == 0);
    t.cluster.resume(old);
    REQUIRE(t.answered(question));
    const auto& answer = t.answers.find(question)->second;
    CHECK((answer.kind != wire::message_kind::ok || answer.value == "new"));
    t.cluster.run_until(t.cluster.now() + 2s);
    CHECK(t.cluster.state(old).get("key") == "new");
    CHECK(t.cluster.violations().empty());
  }
}

TEST_CASE("virtual cluster: a replica that restarts has what its storage kept, and catches up on the rest") {
  virtual_stage t(3);
  const auto leader = t.elect();
  const auto other = other_than(leader);
  CHECK(t.put_ok(leader, "first", "1"));
  t.cluster.crash(other);
  CHECK(t.put_ok(leader, "second", "2"));
  const auto term = t.cluster.core(leader).term();
  t.cluster.start(other);
  CHECK(t.cluster.core(other).term() == term);
  t.cluster.run_until(t.cluster.now() + 2s);
  CHECK(t.cluster.state(other).get("second") == "2");
  CHECK(t.cluster.violations().empty());
}

TEST_CASE("virtual cluster: all may crash at once and nothing that was answered is lost") {
  virtual_stage t(3);
  CHECK(t.put_ok(t.elect(), "key", "value"));
  for (auto id : t.cluster.ids())
    t.cluster.crash(id);
  CHECK_FALSE(t.cluster.leader().has_value());
  t.cluster.start_all();
  CHECK(t.value(t.elect(), "key") == "value");
  CHECK(t.cluster.violations().empty());
}

TEST_CASE("virtual cluster: a broken rule is told in words, and ends nothing but the replica") {
  virtual_stage t(3);
  const auto leader = t.elect();
  const auto victim = other_than(leader);
  t.cut({victim});
  CHECK(t.put_ok(leader, "key", "value"));
  // The third one votes for whoever lacks the entry, as no replica of ours would.
  const auto liar = replica_id{static_cast<std::uint16_t>(3 - leader.value - victim.value)};
  wire::codec forger({to_string(liar), {to_string(leader), to_string(victim)}}, {});
  const auto forge = [&](const peer_message& m) {
    std::string bytes;
    forger.encode(m, victim, nobody, bytes);
    t.cluster.deliver(victim, bytes, t.cluster.now());
  };
  const auto has_role = [&](raft::role_kind role) {
    return [&t, victim, role] { return t.cluster.core(victim).role() == role; };
  };
  REQUIRE(t.cluster.run_until(has_role(raft::role_kind::pre_candidate), t.cluster.now() + 5s));
  const auto term = t.cluster.core(victim).term();
  forge(pre_vote_reply{term, term + 1, true});
  REQUIRE(t.cluster.run_until(has_role(raft::role_kind::candidate), t.cluster.now() + 1s));
  forge(vote_reply{term + 1, true, {}});
  REQUIRE(t.cluster.run_until(has_role(raft::role_kind::leader), t.cluster.now() + 1s));
  REQUIRE(t.cluster.violations().size() >= 1);
  CHECK(t.cluster.violations().front().find("leader completeness") == 0);
}

TEST_CASE("virtual cluster: the same seed makes the same history, to the byte and the nanosecond") {
  const auto history = [](std::uint64_t seed) {
    virtual_stage t(5, seed);
    const auto leader = t.elect();
    t.put_ok(leader, "key", "value");
    t.cluster.crash(leader);
    t.put_ok(t.elect(), "key", "other");
    t.cluster.start(leader);
    t.cluster.run_until(t.cluster.now() + 5s);
    return t.sent;
  };
  CHECK(history(1) == history(1));
  CHECK(history(1) != history(2));
}

TEST_CASE("virtual cluster: a message to a replica that does not run is lost") {
  virtual_stage t(3);
  const auto leader = t.elect();
  t.cluster.crash(leader);
  const auto mid = t.get(leader, "key");
  t.cluster.run_until(t.cluster.now() + 1s);
  t.cluster.start(leader);
  t.cluster.run_until(t.cluster.now() + 3s);
  CHECK(t.answers.count(mid) == 0);
}

TEST_CASE("virtual cluster: a storage that takes time holds nothing before, and nothing is answered before") {
  virtual_stage t(1);
  const auto only = t.elect();
  CHECK(t.put_ok(only, "key", "old"));
  t.cluster.set_storage_delay(only, 100ms);
  const auto late = t.put(only, "key", "new");
  CHECK_FALSE(t.answered(late, 90ms));
  t.cluster.crash(only);
  t.cluster.start(only);
  CHECK(t.value(t.elect(), "key") == "old");
  CHECK(t.put_ok(only, "key", "newer"));
  CHECK(t.value(only, "key") == "newer");
  CHECK(t.cluster.violations().empty());
}

TEST_CASE("virtual cluster: a replica can end in the middle of a moment, and what it has answered stays") {
  std::size_t answered = 0;
  for (std::size_t steps = 1; steps <= 12; ++steps) {
    virtual_stage t(1);
    const auto only = t.elect();
    t.cluster.after_steps(only, steps, [&] { t.cluster.crash(only); });
    const bool ok = t.put_ok(only, "key", "value");
    t.cluster.crash(only);
    t.cluster.start(only);
    const auto value = t.value(t.elect(), "key");
    CHECK((value == "value" || (value.empty() && !ok)));
    answered += ok ? 1 : 0;
    CHECK(t.cluster.violations().empty());
  }
  CHECK(answered > 0);
  CHECK(answered < 12);
}

TEST_CASE("virtual cluster: a replica whose disk fails stops, and starts again when that is mended") {
  virtual_stage t(3, 1, true);
  const auto leader = t.elect();
  REQUIRE(t.put_ok(leader, "key", "value"));
  t.cluster.fail_write(leader, 2);
  t.put(leader, "key", "on its way"); // a follower may have it before its leader's disk fails
  t.cluster.run_until([&] { return !t.cluster.running(leader); }, t.cluster.now() + 5s);
  CHECK_FALSE(t.cluster.running(leader));
  t.cluster.fail_reads(leader);
  t.cluster.start(leader);
  CHECK_FALSE(t.cluster.running(leader));
  t.cluster.mend_disk(leader);
  t.cluster.start(leader);
  CHECK(t.cluster.running(leader));
  CHECK(t.put_ok(t.elect(), "key", "newer"));
  CHECK(t.cluster.violations().empty());
}

TEST_CASE("virtual cluster: power that fails while a log is opened takes nothing with it") {
  for (std::size_t operations = 1; operations <= 12; ++operations) {
    CAPTURE(operations);
    virtual_stage t(1, operations, true);
    REQUIRE(t.put_ok(t.elect(), "key", "value"));
    t.cluster.crash(t.cluster.ids().front());
    t.cluster.crash_in_write(t.cluster.ids().front(), operations);
    t.cluster.start_all();
    t.cluster.crash(t.cluster.ids().front());
    t.cluster.start_all();
    CHECK(t.value(t.elect(), "key") == "value");
    CHECK(t.cluster.violations().empty());
  }
}

TEST_CASE("virtual cluster: who starts again in the moment of a planned crash goes on") {
  virtual_stage t(1, 1, true);
  const auto only = t.elect();
  t.cluster.crash_in_write(only, 1);
  t.put(only, "key", "value");
  // Within the moment in which its power goes, before the plan to end it.
  t.cluster.run_until([&] { return t.cluster.next_moment() == t.cluster.now(); }, t.cluster.now() + 1s);
  t.cluster.crash(only);
  t.cluster.start(only);
  t.cluster.run_until(t.cluster.now() + 1s);
  CHECK(t.cluster.running(only));
  CHECK(t.cluster.violations().empty());
}

TEST_CASE("virtual cluster: a bit that turned over is told, or stood for nothing") {
  std::size_t told = 0;
  for (std::uint64_t number = 1; number <= 40; ++number) {
    CAPTURE(number);
    virtual_stage t(1, number, true);
    const auto only = t.elect();
    for (int i = 0; i < 40; ++i)
      REQUIRE(t.put_ok(only, "key", std::string(200, static_cast<char>('a' + i % 26))));
    t.cluster.crash(only);
    const auto lives = t.cluster.lives(only);
    t.cluster.flip_bit(only, number * 7919);
    t.cluster.start(only);
    told += t.cluster.lives(only) - lives > 1 ? 1 : 0;
    CHECK(t.value(t.elect(), "key") == std::string(200, static_cast<char>('a' + 39 % 26)));
    CHECK(t.cluster.violations().empty());
  }
  CHECK(told > 20);
}
