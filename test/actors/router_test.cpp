// The router: where each request goes, what waits for what, and that each gets one answer.

#include "actors/router.hpp"
#include "actors/state_reader.hpp"
#include "protocol/wire/codec.hpp"
#include "test/support/stage.hpp"

#include <fmt/format.h>

using namespace troupe;
using namespace troupe::test;
using namespace troupe::actors;

namespace {

constexpr replica_id self{0x0000};
constexpr replica_id other{0x0001};
constexpr replica_id third{0x0002};

client_request put_of(const std::string& mid, const std::string& value = "v") {
  return {{"00F1", mid}, kv::put{"k", value}};
}
client_request get_of(const std::string& mid) { return {{"00F1", mid}, kv::get{"k"}}; }

raft::entry_ptr entry_of(const client_request& r, std::uint64_t index, std::uint64_t term) {
  return std::make_shared<raft::entry>(
      raft::entry{{term}, {index}, kv::command{r.id, std::get<kv::put>(r.operation)}, 100});
}
raft::entry_ptr no_op(std::uint64_t index, std::uint64_t term) {
  return std::make_shared<raft::entry>(raft::entry{{term}, {index}, raft::no_op{}, raft::no_op_wire_bytes});
}

/// Answers in the order in which they left, in short: `ok m`, `ok m=value`, `redirect m to 0001`, `fail m`.
std::string in_short(const client_answer& a) {
  if (const auto* ok = std::get_if<client_ok>(&a.reply))
    return fmt::format("ok {}{}", ok->id.mid, ok->value ? "=" + *ok->value : "");
  if (const auto* redirect = std::get_if<client_redirect>(&a.reply))
    return fmt::format("redirect {} to {}", redirect->id.mid, to_string(redirect->leader));
  return fmt::format("fail {}", std::get<client_fail>(a.reply).id.mid);
}

using answers_in_short = std::vector<std::string>;

struct router_stage : stage {
  explicit router_stage(router_options o = {}) : actor(put<router>(&rooms::router, self, o, host())) {}

  router& actor;

  void asks(client_request r) { tell(rooms().router, std::move(r)); }
  void leads(replica_id leader, std::uint64_t term = 1) {
    const auto role = leader == self ? raft::role_kind::leader : raft::role_kind::follower;
    tell(rooms().router, standing_changed{{role, {term}, leader}});
  }
  void commits(std::vector<raft::entry_ptr> entries, bool answer = true) {
    tell(rooms().router, committed{std::move(entries), answer});
  }
  void outcome(const std::string& mid, std::uint64_t index, std::uint64_t term) {
    tell(rooms().router, outcomes{{{{"00F1", mid}, {index}, {term}, raft::refusal::none}}});
  }
  void refuses(const std::string& mid, raft::refusal why) {
    tell(rooms().router, outcomes{{{{"00F1", mid}, {}, {}, why}}});
  }
  void lives(replica_id leader) { tell(rooms().router, leader_heard{leader}); }
  void may_read(std::uint64_t id, instant until = never) { tell(rooms().router, reads_ready{{{id, until}}}); }
  /// Proposed, and at (index, term) of this leader's log.
  void has_in_log(const client_request& r, std::uint64_t index, std::uint64_t term) {
    asks(r);
    CHECK(only<propose>().proposals.at(0).command.id == r.id);
    outcome(r.id.mid, index, term);
  }

  answers_in_short answers() {
    answers_in_short list;
    for (const auto& a : heard<client_answer>())
      list.push_back(in_short(a));
    return list;
  }
  std::size_t nothing_waits() { return actor.parked() + actor.waiting() == 0; }
};

} // namespace

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

TEST_CASE("router: asks for a sign of the leader before it sends a client there") {
  router_stage s({.leader_silence = 400ms});
  s.leads(other);
  s.asks(put_of("1"));
  CHECK(s.only<locate_leader>().newer_than == s.now() - 400ms);
  CHECK(s.answers().empty());
  s.lives(other);
  CHECK(s.answers() == answers_in_short{"redirect 1 to 0001"});
}

TEST_CASE("router: one sign of life is good for one time") {
  router_stage s({.leader_silence = 400ms});
  s.leads(other);
  s.asks(put_of("1"));
  s.heard<locate_leader>();
  s.lives(other);
  const auto redirected_at = s.now();
  CHECK(s.answers().size() == 1);
  s.advance(100ms);
  s.asks(put_of("2"));
  s.asks(put_of("3"));
  // Only what the leader says after the last client was sent to it counts; and one question is enough.
  CHECK(s.only<locate_leader>().newer_than == redirected_at);
  CHECK(s.answers().empty());
  s.lives(other);
  CHECK(s.answers() == answers_in_short{"redirect 2 to 0001", "redirect 3 to 0001"});
}

TEST_CASE("router: a sign of life of an earlier leader sends nobody anywhere, and the new one is asked for") {
  router_stage s;
  s.leads(other);
  s.asks(put_of("1"));
  s.heard<locate_leader>();
  s.leads(nobody, 2);
  s.lives(other);
  CHECK(s.all().empty());
  s.leads(third, 2);
  CHECK(s.answers() == answers_in_short{"redirect 1 to 0002"});
  s.asks(put_of("2"));
  s.heard<locate_leader>();
  s.lives(other);
  CHECK(s.answers().empty());
  s.only<locate_leader>();
  s.lives(third);
  CHECK(s.answers() == answers_in_short{"redirect 2 to 0002"});
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
    CHECK(s.answers() == answers_in_short{"redirect 1 to 0001"});
    CHECK(s.actor.waiting() == 1); // the second may still commit, as far as is known
    s.commits({no_op(6, 2)}, false);
    s.lives(other);
    CHECK(s.answers() == answers_in_short{"redirect 2 to 0001"});
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

// ---- snapshots

TEST_CASE("router: an installed snapshot is the state, and settles what waited for the entries in it") {
  kv::state_machine elsewhere;
  elsewhere.apply({{"00F1", "1"}, kv::put{"k", "from the snapshot"}});
  router_stage s;
  s.leads(self, 1);
  s.has_in_log(put_of("1"), 5, 1); // in the snapshot: its leader has answered
  s.has_in_log(put_of("2"), 6, 1); // not in it, although it covers the index
  s.has_in_log(put_of("3"), 9, 1); // behind it
  s.leads(other, 2);
  s.all();
  s.tell(s.rooms().router, install_snapshot{std::make_shared<raft::snapshot>(
                               raft::snapshot{{8}, {2}, {{self, other}, {}}, elsewhere.serialise()})});
  CHECK(s.actor.state().get("k") == "from the snapshot");
  s.lives(other);
  CHECK(s.answers() == answers_in_short{"redirect 2 to 0001"});
  CHECK(s.actor.waiting() == 1);
  s.commits({no_op(9, 2)}, false);
  s.lives(other);
  CHECK(s.answers() == answers_in_short{"redirect 3 to 0001"});
  CHECK(s.nothing_waits());
  CHECK(s.stops.empty());
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
  CHECK(s.silent<state_saved>());
  s.commits({entry_of(put_of("9", "y"), 9, 2)}, false);
  CHECK(s.only<state_saved>().last_index == log_index{9});
}

TEST_CASE("router: never saves its state if it is not to") {
  router_stage s({.snapshot_after_bytes = 0});
  for (std::uint64_t i = 1; i <= 100; ++i)
    s.commits({entry_of(put_of(std::to_string(i)), i, 1)}, false);
  CHECK(s.silent<state_saved>());
}

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
