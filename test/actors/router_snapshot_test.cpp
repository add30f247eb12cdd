// The router and snapshots: when the state is saved, and what an installed one settles.

#include "actors/state_reader.hpp"
#include "test/actors/router_stage.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace troupe::actors;

TEST_CASE("router: an installed snapshot is the state, and settles what waited for the entries in it") {
  kv::state_machine elsewhere;
  elsewhere.apply({{"00F1", "1"}, kv::put{"k", "from the snapshot"}});
  router_stage s;
  s.leads(self, 1);
  s.has_in_log(put_of("1"), 5, 1); // in the snapshot: its leader has answered
  s.has_in_log(put_of("2"), 6, 1); // not in it, although it covers the index
  s.has_in_log(put_of("3"), 9, 1); // behind it, but of an earlier term
  s.leads(other, 2);
  s.all();
  s.tell(s.rooms().router, install_snapshot{std::make_shared<raft::snapshot>(
                               raft::snapshot{{8}, {2}, {{self, other}, {}}, elsewhere.serialise()})});
  CHECK(s.actor.state().get("k") == "from the snapshot");
  s.lives(other);
  CHECK(s.answers() == answers_in_short{"redirect 2 to 0001", "redirect 3 to 0001"});
  CHECK(s.nothing_waits());
  CHECK(s.stops.empty());
}

TEST_CASE("router: a write that a snapshot may contain, but has forgotten, is neither handed in again nor "
          "sent away") {
  kv::state_machine elsewhere;
  elsewhere.apply({{"00F1", "1"}, kv::append{"k", "once"}});
  std::size_t count = 0;
  bool others = false;
  SUBCASE("it remembers all") {}
  SUBCASE("for requests of its client") { count = kv::state_machine::max_remembered_per_client; }
  SUBCASE("for other clients") {
    count = kv::state_machine::max_clients;
    others = true;
  }
  for (std::size_t i = 0; i < count; ++i)
    elsewhere.apply(
        {{others ? fmt::format("client {}", i) : "00F1", fmt::format("later {}", i)}, kv::put{"x", ""}});
  REQUIRE((count == 0) == (elsewhere.remembered({"00F1", "1"}) != nullptr));
  router_stage s;
  s.leads(self, 1);
  s.has_in_log(put_of("1"), 5, 1);
  s.leads(other, 2);
  s.all();
  s.tell(s.rooms().router, install_snapshot{std::make_shared<raft::snapshot>(raft::snapshot{
                               {8 + count}, {2}, {{self, other}, {}}, elsewhere.serialise()})});
  s.lives(other);
  CHECK(s.answers().empty());
  s.leads(self, 3);
  CHECK(s.silent<propose>());
  CHECK(s.nothing_waits());
}

TEST_CASE("router: what has read a snapshot brings the state; the old one is freed while the log goes on") {
  router_stage s;
  s.commits({entry_of(put_of("1", "old"), 1, 1)}, false);
  kv::state_machine elsewhere;
  elsewhere.apply({{"c", "m"}, kv::put{"k", "from the snapshot"}});
  const auto text = elsewhere.serialise();
  const auto reader = std::make_shared<state_reader>();
  REQUIRE_FALSE(reader->read(text, true).has_value());
  s.tell(s.rooms().router, install_snapshot{std::make_shared<raft::snapshot>(raft::snapshot{
                                                {8}, {2}, {{self, other}, {}}, "not looked at"}),
                                            reader});
  CHECK(s.actor.state().serialise() == text);
  CHECK(s.stops.empty());
  s.commits({no_op(9, 2)}, false);
  CHECK(s.actor.state().serialise() == text);
}

TEST_CASE("router: a snapshot that cannot be read stops the replica") {
  router_stage s;
  s.tell(s.rooms().router,
         install_snapshot{std::make_shared<raft::snapshot>(raft::snapshot{{8}, {2}, {}, "no state"})},
         standing_changed{{raft::role_kind::follower, {2}, other}}, put_of("1"));
  REQUIRE(s.stops.size() == 1);
  CHECK(s.stops.front().find("the snapshot up to entry 8 cannot be read: ") == 0);
  CHECK(s.all().empty());
}

TEST_CASE("router: saves its state when enough was applied, and starts counting again") {
  router_stage s({.snapshot_after_bytes = 250}); // an entry of these tests counts 100
  s.leads(other);
  s.commits({entry_of(put_of("1"), 1, 1), entry_of(put_of("2"), 2, 1)}, false);
  CHECK(s.silent<state_saved>());
  s.commits({entry_of(put_of("3", "x"), 3, 1)}, false);
  const auto saved = s.only<state_saved>();
  CHECK(saved.last_index == log_index{3});
  CHECK(saved.data == s.actor.state().serialise());
  s.commits({entry_of(put_of("4"), 4, 1), entry_of(put_of("5"), 5, 1)}, false);
  CHECK(s.silent<state_saved>());
  s.commits({entry_of(put_of("6"), 6, 1)}, false);
  CHECK(s.only<state_saved>().last_index == log_index{6});
}

TEST_CASE("router: a large state is saved in many turns, as of the entry with which it was due") {
  router_stage s({.snapshot_after_bytes = 250, .save_at_once_bytes = 40});
  s.leads(other);
  s.commits({entry_of(put_of("1", "x"), 1, 1), entry_of(put_of("2", "y"), 2, 1)}, false);
  kv::state_machine then;
  for (const auto& r : {put_of("1", "x"), put_of("2", "y"), put_of("3", "z")})
    then.apply({r.id, std::get<kv::put>(r.operation)});
  s.tell(s.rooms().router, committed{{entry_of(put_of("3", "z"), 3, 1)}, false},
         committed{{entry_of(put_of("4", "w"), 4, 1)}, false});
  CHECK(s.silent<state_saved>()); // who runs a loop could look at a socket now
  CHECK(s.timers() == 1);
  s.advance({});
  const auto saved = s.only<state_saved>();
  CHECK(saved.last_index == log_index{3});
  CHECK(saved.data == then.serialise());
  CHECK(saved.data != s.actor.state().serialise());
}

TEST_CASE("router: a state that is installed ends the saving of the one before") {
  router_stage s({.snapshot_after_bytes = 100, .save_at_once_bytes = 1});
  s.leads(other);
  kv::state_machine elsewhere;
  elsewhere.apply({{"c", "m"}, kv::put{"k", "from the snapshot"}});
  s.tell(s.rooms().router, committed{{entry_of(put_of("1", "x"), 1, 1)}, false},
         install_snapshot{std::make_shared<raft::snapshot>(
             raft::snapshot{{8}, {2}, {{self, other}, {}}, elsewhere.serialise()})});
  s.advance({});
  CHECK(s.silent<state_saved>());
  s.commits({entry_of(put_of("9", "y"), 9, 2)}, false);
  s.advance({});
  CHECK(s.only<state_saved>().last_index == log_index{9});
}

TEST_CASE("router: never saves its state if it is not to") {
  router_stage s({.snapshot_after_bytes = 0});
  for (std::uint64_t i = 1; i <= 100; ++i)
    s.commits({entry_of(put_of(std::to_string(i)), i, 1)}, false);
  CHECK(s.silent<state_saved>());
}
