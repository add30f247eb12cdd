// The router: where each request goes, what waits for what, and that each gets one answer.

#include "protocol/wire/codec.hpp"
#include "test/actors/router_stage.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace troupe::actors;

// ---- waiting for a leader

TEST_CASE("router: parks requests until a leader is known, and sends them there in their order") {
  router_stage s;
  s.asks(put_of("1"));
  s.asks(get_of("2"));
  CHECK(s.all().empty());
  CHECK(s.actor.parked() == 2);
  s.leads(other);
  CHECK(s.answers() == answers_in_short{"redirect 1 to 0001", "redirect 2 to 0001"});
  CHECK(s.nothing_waits());
}

TEST_CASE("router: submits what was parked when this replica becomes the leader") {
  router_stage s;
  s.asks(put_of("1"));
  s.asks(get_of("2"));
  s.leads(self);
  const auto proposed = s.only<propose>().proposals.at(0);
  CHECK(proposed.command == kv::command{{"00F1", "1"}, kv::put{"k", "v"}});
  CHECK(proposed.wire_bytes == wire::wire_bytes(raft::payload{proposed.command}));
  s.only<read_requests>();
  CHECK(s.answers().empty());
}

TEST_CASE("router: stays silent while nobody leads") {
  router_stage s;
  s.leads(other);
  s.leads(nobody, 2);
  s.asks(put_of("1"));
  s.advance(10s);
  CHECK(s.all().empty());
  CHECK(s.actor.parked() == 1);
}

TEST_CASE("router: what is beyond the bound on waiting fails with a reason, and the rest goes on waiting") {
  router_stage s({.max_parked = 2});
  for (const auto* mid : {"1", "2", "3"})
    s.asks(put_of(mid));
  const auto refused = std::get<client_fail>(s.only<client_answer>().reply);
  CHECK(refused.id.mid == "3");
  CHECK(refused.reason == "2 requests are waiting already");
  CHECK(s.actor.parked() == 2);
  SUBCASE("and what failed may be asked again") {
    s.leads(other);
    CHECK(s.answers().size() == 2);
    s.asks(put_of("3"));
    s.lives(other);
    CHECK(s.answers() == answers_in_short{"redirect 3 to 0001"});
  }
}

TEST_CASE("router: what waits is bounded in bytes, too") {
  const auto bytes = std::string("00F1"
                                 "1"
                                 "k"
                                 "v")
                         .size();
  router_stage s({.max_parked_bytes = 2 * bytes});
  for (int round = 0; round < 2; ++round) {
    for (const auto* mid : {"1", "2", "3"})
      s.asks(put_of(mid));
    CHECK(s.answers() == answers_in_short{"fail 3"});
    s.leads(other, 1 + 2 * round);
    CHECK(s.answers().size() == 2);
    s.leads(nobody, 2 + 2 * round);
  }
}

// ---- refusals

TEST_CASE("router: a write refused for now is parked and tried again when there is room") {
  for (const auto why : {raft::refusal::busy, raft::refusal::handing_over}) {
    router_stage s;
    s.leads(self);
    s.asks(put_of("1"));
    s.heard<propose>();
    s.refuses("1", why);
    CHECK(s.all().empty());
    CHECK(s.actor.parked() == 1);
    s.tell(s.rooms().router, room_again{});
    CHECK(s.only<propose>().proposals.at(0).command.id.mid == "1");
    CHECK(s.actor.parked() == 0);
  }
}

TEST_CASE("router: a write that no message can carry fails with a reason") {
  router_stage s;
  s.leads(self);
  s.asks(put_of("1"));
  s.refuses("1", raft::refusal::too_large);
  CHECK(std::get<client_fail>(s.only<client_answer>().reply).reason ==
        "too large to be sent to other replicas");
  CHECK(s.nothing_waits());
}

TEST_CASE("router: a write that was refused because leadership is lost waits for the next leader") {
  router_stage s;
  s.leads(self);
  s.asks(put_of("1"));
  s.leads(nobody, 2);
  s.refuses("1", raft::refusal::not_leader);
  CHECK(s.answers().empty());
  s.leads(other, 2);
  CHECK(s.answers() == answers_in_short{"redirect 1 to 0001"});
}

TEST_CASE("router: an outcome for what nobody waits for is ignored") {
  router_stage s;
  s.leads(self);
  s.outcome("1", 1, 1);
  s.refuses("1", raft::refusal::busy);
  CHECK(s.all().empty());
  CHECK(s.nothing_waits());
}

// ---- reads

TEST_CASE("router: a read is answered with what was applied, once it may be") {
  router_stage s;
  s.leads(self);
  s.commits({entry_of(put_of("1", "new"), 1, 1)});
  s.all();
  s.asks(get_of("2"));
  const auto id = s.only<read_requests>().ids.at(0);
  CHECK(s.answers().empty());
  s.may_read(id, s.now() + 1ns);
  CHECK(s.answers() == answers_in_short{"ok 2=new"});
  s.may_read(id);
  CHECK(s.all().empty());
}

TEST_CASE("router: a key that was never written reads as an empty value") {
  router_stage s;
  s.leads(self);
  s.asks(get_of("1"));
  s.may_read(s.only<read_requests>().ids.at(0));
  CHECK(s.answers() == answers_in_short{"ok 1="});
}

TEST_CASE("router: a read whose lease is over by the time it is answered is asked for again") {
  router_stage s;
  s.leads(self);
  s.asks(get_of("1"));
  const auto id = s.only<read_requests>().ids.at(0);
  s.may_read(id, s.now());
  CHECK(s.answers().empty());
  CHECK(s.only<read_requests>().ids.at(0) == id);
  s.may_read(id, s.now() + 1ms);
  CHECK(s.answers() == answers_in_short{"ok 1="});
}

TEST_CASE("router: one read by lease stands for all until the lease is over") {
  router_stage s;
  s.leads(self);
  s.asks(get_of("1"));
  s.may_read(s.only<read_requests>().ids.at(0), s.now() + 2ms);
  CHECK(s.answers() == answers_in_short{"ok 1="});
  s.commits({entry_of(put_of("2", "new"), 1, 1)});
  s.all();
  s.asks(get_of("3"));
  s.asks(get_of("4"));
  CHECK(s.answers() == answers_in_short{"ok 3=new", "ok 4=new"});
  CHECK(s.nothing_waits());
  SUBCASE("which it is after its time") { s.advance(2ms); }
  SUBCASE("which it is when raft takes it back") { s.tell(s.rooms().router, lease_over{}); }
  SUBCASE("which it is when somebody else may lead, even if that turns out to be this replica") {
    s.leads(nobody, 2);
    s.leads(self, 3);
  }
  s.asks(get_of("5"));
  CHECK(s.answers().empty());
  CHECK(s.only<read_requests>().ids.size() == 1);
}

TEST_CASE("router: a read that took a round stands for itself alone") {
  router_stage s;
  s.leads(self);
  s.asks(get_of("1"));
  s.may_read(s.only<read_requests>().ids.at(0));
  CHECK(s.answers() == answers_in_short{"ok 1="});
  s.asks(get_of("2"));
  CHECK(s.answers().empty());
  CHECK(s.only<read_requests>().ids.size() == 1);
}

TEST_CASE("router: a read that is refused finds another place") {
  router_stage s;
  s.leads(self);
  s.asks(get_of("1"));
  const auto id = s.only<read_requests>().ids.at(0);
  SUBCASE("with the next leader, if this replica leads no more") {
    s.leads(nobody, 2);
    s.tell(s.rooms().router, reads_refused{{{id, raft::refusal::not_leader}}});
    CHECK(s.all().empty());
    s.leads(other, 2);
    CHECK(s.answers() == answers_in_short{"redirect 1 to 0001"});
  }
  SUBCASE("here, when there is room again") {
    s.tell(s.rooms().router, reads_refused{{{id, raft::refusal::busy}}});
    CHECK(s.all().empty());
    s.tell(s.rooms().router, room_again{});
    CHECK(s.only<read_requests>().ids.at(0) != id);
  }
  CHECK(s.actor.waiting() + s.actor.parked() <= 1);
}

// ---- one answer for one request

TEST_CASE("router: a request that is repeated while it waits gets one answer") {
  router_stage s;
  SUBCASE("parked") {
    s.asks(put_of("1"));
    s.asks(put_of("1"));
    s.leads(other);
    CHECK(s.answers() == answers_in_short{"redirect 1 to 0001"});
  }
  SUBCASE("in the log") {
    s.leads(self);
    s.has_in_log(put_of("1"), 1, 1);
    s.asks(put_of("1"));
    CHECK(s.silent<propose>());
    s.commits({entry_of(put_of("1"), 1, 1)});
    CHECK(s.answers() == answers_in_short{"ok 1"});
  }
  SUBCASE("a read") {
    s.leads(self);
    s.asks(get_of("1"));
    s.asks(get_of("1"));
    s.may_read(s.only<read_requests>().ids.at(0));
    CHECK(s.answers() == answers_in_short{"ok 1="});
  }
  CHECK(s.nothing_waits());
}

TEST_CASE("router: a write that is repeated after it was applied gets the remembered answer, and is not "
          "applied again") {
  router_stage s;
  s.leads(self);
  s.has_in_log(put_of("1", "first"), 1, 1);
  s.commits({entry_of(put_of("1", "first"), 1, 1)});
  CHECK(s.answers() == answers_in_short{"ok 1"});
  s.asks(put_of("1", "second"));
  CHECK(s.answers() == answers_in_short{"ok 1"});
  CHECK(s.silent<propose>());
  CHECK(s.actor.state().get("k") == "first");
}

TEST_CASE("router: a get that goes by the id of a write reads, and does not get the write's answer") {
  router_stage s;
  s.leads(self);
  const auto r = put_of("1", "a");
  s.has_in_log(r, 1, 1);
  s.commits({entry_of(r, 1, 1)});
  CHECK(s.answers() == answers_in_short{"ok 1"});
  s.asks(get_of("1"));
  const auto asked = s.heard<read_requests>();
  REQUIRE(asked.size() == 1);
  s.may_read(asked.front().ids.at(0));
  CHECK(s.answers() == answers_in_short{"ok 1=a"});
  CHECK(s.nothing_waits());
}

TEST_CASE("router: a write that was answered while it waited for room is not tried again") {
  router_stage s;
  s.leads(self, 2);
  s.asks(put_of("1"));
  s.refuses("1", raft::refusal::busy);
  s.all();
  s.commits({entry_of(put_of("1"), 1, 1)}); // inherited: the client had asked the earlier leader, too
  CHECK(s.answers() == answers_in_short{"ok 1"});
  s.tell(s.rooms().router, room_again{});
  CHECK(s.all().empty());
  CHECK(s.nothing_waits());
}

TEST_CASE("router: a write that another leader has committed for its client is not sent to a leader as new") {
  router_stage s;
  s.leads(self, 1);
  s.has_in_log(put_of("1"), 5, 1);
  s.leads(other, 2);
  // The client has asked there, too: its write is at 6, and something else where it was before.
  s.commits({entry_of(put_of("2"), 4, 2)}, false);
  SUBCASE("before it lost its place") {
    s.commits({no_op(5, 2), entry_of(put_of("1"), 6, 2)}, false);
    s.lives(other);
    CHECK(s.answers() == answers_in_short{"ok 1"});
  }
  SUBCASE("after that, while it waits") {
    s.commits({no_op(5, 2)}, false);
    s.commits({entry_of(put_of("1"), 6, 2)}, false);
    s.lives(other);
    CHECK(s.answers() == answers_in_short{"ok 1"});
  }
  CHECK(s.nothing_waits());
}

TEST_CASE("router: the same write in two entries is applied and answered once") {
  router_stage s;
  s.leads(self);
  s.commits({entry_of(put_of("1", "a"), 1, 1), entry_of(put_of("1", "b"), 2, 2)});
  CHECK(s.answers() == answers_in_short{"ok 1"});
  CHECK(s.actor.state().get("k") == "a");
}

// ---- leadership changes

TEST_CASE("router: a new leader answers the entries that it inherited, each once") {
  router_stage s;
  s.leads(self, 2);
  s.commits({entry_of(put_of("1"), 1, 1), entry_of(put_of("2"), 2, 1), no_op(3, 2)});
  CHECK(s.answers() == answers_in_short{"ok 1", "ok 2"});
}

TEST_CASE("router: what another leader committed and answered is not answered again") {
  router_stage s;
  s.leads(self, 2);
  s.commits({entry_of(put_of("1"), 1, 1)}, false);
  CHECK(s.answers().empty());
  CHECK(s.actor.state().get("k") == "v");
}

TEST_CASE("router: a follower applies and never answers what its leader commits") {
  router_stage s;
  s.leads(other);
  s.commits({entry_of(put_of("1"), 1, 1), no_op(2, 1), entry_of(put_of("2", "w"), 3, 1)}, false);
  CHECK(s.answers().empty());
  CHECK(s.actor.state().get("k") == "w");
}

TEST_CASE(
    "router: a write that may still commit is neither redirected nor sent again when leadership is lost") {
  router_stage s;
  s.leads(self, 1);
  s.has_in_log(put_of("1"), 5, 1);
  s.leads(nobody, 2);
  s.leads(other, 2);
  s.lives(other);
  s.asks(put_of("1"));
  s.advance(10s);
  CHECK(s.all().empty());
  CHECK(s.actor.waiting() == 1);
  SUBCASE("its leader answers it if it commits") {
    s.commits({entry_of(put_of("1"), 5, 1)}, false);
    CHECK(s.all().empty());
  }
  SUBCASE("this replica does if it leads again by then") {
    s.leads(self, 3);
    s.commits({entry_of(put_of("1"), 5, 1), no_op(6, 3)}, true);
    CHECK(s.answers() == answers_in_short{"ok 1"});
  }
  CHECK(s.nothing_waits());
}

TEST_CASE("router: a write in whose place another entry committed finds another place") {
  router_stage s;
  s.leads(self, 1);
  s.has_in_log(put_of("1"), 5, 1);
  s.has_in_log(put_of("2"), 6, 1);
  SUBCASE("with the leader that replaced it, once that is seen to live") {
    s.leads(other, 2);
    s.commits({no_op(5, 2)}, false);
    CHECK(s.answers().empty());
    s.only<locate_leader>();
    s.lives(other);
    // The second as well, though the new log may never reach its index: terms do not go back.
    CHECK(s.answers() == answers_in_short{"redirect 1 to 0001", "redirect 2 to 0001"});
  }
  SUBCASE("here, if this replica leads again") {
    s.leads(other, 2);
    s.leads(self, 3);
    s.commits({no_op(5, 2), no_op(6, 3)});
    const auto again = s.only<propose>().proposals;
    REQUIRE(again.size() == 2);
    CHECK(again[0].command.id.mid == "1");
    s.outcome("1", 7, 3);
    s.outcome("2", 8, 3);
    s.commits({entry_of(put_of("1"), 7, 3), entry_of(put_of("2"), 8, 3)});
    CHECK(s.answers() == answers_in_short{"ok 1", "ok 2"});
  }
  CHECK(s.nothing_waits());
}

TEST_CASE(
    "router: who leads again hands nothing in a second time before an entry of its own term is committed") {
  router_stage s;
  s.leads(self, 1);
  s.has_in_log(put_of("1"), 5, 1);
  s.leads(other, 2);
  s.leads(self, 3);
  s.commits({no_op(5, 2)}, false); // so much its voters knew
  CHECK(s.all().empty());
  CHECK(s.actor.waiting() == 1);
  SUBCASE("its log may hold a write a second time") {
    s.commits({entry_of(put_of("1"), 6, 2), no_op(7, 3)});
    CHECK(s.answers() == answers_in_short{"ok 1"});
    CHECK(s.silent<propose>());
  }
  SUBCASE("or not") {
    s.commits({no_op(6, 3)});
    CHECK(s.only<propose>().proposals.size() == 1);
    s.outcome("1", 7, 3);
    s.commits({entry_of(put_of("1"), 7, 3)});
    CHECK(s.answers() == answers_in_short{"ok 1"});
  }
  CHECK(s.nothing_waits());
}

TEST_CASE("router: a write that was applied and forgotten while it waited is not handed in again") {
  constexpr auto forgotten_after = kv::state_machine::max_remembered_per_client;
  std::uint64_t later = 0;
  SUBCASE("forgotten") { later = forgotten_after; }
  SUBCASE("just not") { later = forgotten_after - 1; }
  router_stage s;
  s.leads(self, 1);
  s.has_in_log(put_of("1"), 2 + later, 1);
  s.leads(other, 2);
  s.leads(self, 3);
  // Its client has asked the leader of term 2 as well, who has answered.
  std::vector<raft::entry_ptr> entries{no_op(1, 2), entry_of(put_of("1"), 2, 2)};
  for (std::uint64_t i = 0; i < later; ++i)
    entries.push_back(entry_of(put_of(fmt::format("later {}", i)), 3 + i, 2));
  s.commits(std::move(entries), false);
  s.commits({no_op(3 + later, 3)});
  CHECK(s.silent<propose>());
  CHECK(s.answers() == (later == forgotten_after ? answers_in_short{} : answers_in_short{"ok 1"}));
  CHECK(s.nothing_waits());
}

// ---- requests together

TEST_CASE("router: a flush goes on to raft, behind the proposals of earlier requests") {
  router_stage s;
  s.leads(self);
  s.post(s.rooms().router, client_request{{"00F1", "m"}, kv::put{"k", "v"}}, flush{});
  s.run();
  const auto heard = s.all();
  REQUIRE(heard.size() == 2);
  CHECK(std::holds_alternative<propose>(heard[0]));
  CHECK(std::holds_alternative<flush>(heard[1]));
  CHECK(s.flush_way() == std::vector<std::string_view>{"raft"});
}

TEST_CASE("router: requests that are handed over together ask raft together") {
  router_stage s;
  s.leads(self, 1);
  s.tell(s.rooms().router,
         client_requests{{put_of("1"), get_of("2"), put_of("1"), put_of("3"), get_of("4")}});
  const auto proposals = s.only<propose>().proposals;
  REQUIRE(proposals.size() == 2); // one was asked for twice
  CHECK(proposals[0].command.id.mid == "1");
  CHECK(proposals[1].command.id.mid == "3");
  CHECK(s.only<read_requests>().ids.size() == 2);
}
