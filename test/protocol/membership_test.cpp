// Who takes part: D 4.1, D 4.2; and handing over: D 3.10.

#include "test/support/lone_core.hpp"

using namespace troupe;
using namespace troupe::test;
using raft::configuration;
using raft::role_kind;

TEST_SUITE_BEGIN("membership");

namespace {

configuration members(std::initializer_list<std::uint16_t> voting,
                      std::initializer_list<std::uint16_t> learning = {}) {
  configuration c;
  for (const auto id : voting)
    c.voters.push_back({id});
  for (const auto id : learning)
    c.learners.push_back({id});
  return c;
}

} // namespace

TEST_CASE("trap 25: no change before an entry of the leader's term is committed") {
  lone_core c;
  c.campaign();
  c.hear(1, vote_reply{{1}, true, {}});
  c.step(raft::reconfigure{members({0, 1, 2, 3})});
  CHECK(c.last.refused_input.has_value());
  CHECK(c->active_configuration() == members({0, 1, 2}));
  c.accept({1});
  c.step(raft::reconfigure{members({0, 1, 2, 3})});
  CHECK_FALSE(c.last.refused_input.has_value());
  CHECK(c->active_configuration() == members({0, 1, 2, 3}));
}

TEST_CASE("trap 25: no change before the last one is committed") {
  lone_core c;
  c.lead();
  c.step(raft::reconfigure{members({0, 1, 2, 3})});
  c.step(raft::reconfigure{members({0, 1, 2, 3, 4})});
  CHECK(c.last.refused_input.has_value());
  CHECK(c->active_configuration() == members({0, 1, 2, 3}));
  c.hear(1, accepted_of(1, 1, 2));
  c.hear(2, accepted_of(1, 2, 2));
  REQUIRE(c->commit_index() == log_index{2});
  c.step(raft::reconfigure{members({0, 1, 2, 3, 4})});
  CHECK(c->active_configuration() == members({0, 1, 2, 3, 4}));
}

TEST_CASE("trap 25: one voter at a time, learners as many as wanted") {
  lone_core c;
  c.lead();
  SUBCASE("two more") { c.step(raft::reconfigure{members({0, 1, 2, 3, 4})}); }
  SUBCASE("one for another") { c.step(raft::reconfigure{members({0, 1, 3})}); }
  SUBCASE("nobody left") { c.step(raft::reconfigure{members({}, {0, 1, 2})}); }
  SUBCASE("voter and learner at once") { c.step(raft::reconfigure{members({0, 1, 2}, {2})}); }
  SUBCASE("not sorted") { c.step(raft::reconfigure{members({0, 2, 1})}); }
  CHECK(c.last.refused_input.has_value());
  CHECK(c->active_configuration() == members({0, 1, 2}));
  c.step(raft::reconfigure{members({0, 1}, {2, 3, 4, 5})});
  CHECK(c->active_configuration() == members({0, 1}, {2, 3, 4, 5}));
}

TEST_CASE("trap 25: learners never count") {
  lone_core c(members({0, 1, 2}, {3, 4}), {});
  c.time_out();
  SUBCASE("in elections") {
    c.hear(3, pre_vote_reply{{0}, {1}, true});
    c.hear(4, pre_vote_reply{{0}, {1}, true});
    CHECK(c->role() == role_kind::pre_candidate);
    c.hear(1, pre_vote_reply{{0}, {1}, true});
    c.hear(3, vote_reply{{1}, true, {}});
    c.hear(4, vote_reply{{1}, true, {}});
    CHECK(c->role() == role_kind::candidate);
  }
  SUBCASE("in what is committed, in the lease or in contact") {
    c.hear(1, pre_vote_reply{{0}, {1}, true});
    c.hear(1, vote_reply{{1}, true, {}});
    REQUIRE(c->role() == role_kind::leader);
    c.accept({3, 4});
    CHECK(c->commit_index() == log_index{0});
    CHECK(c->lease_until() < c.now());
    c.accept({1});
    CHECK(c->commit_index() == log_index{1});
    c.pass(c->settings().election_timeout_max - 1ms);
    c.step(raft::deadline_passed{});
    c.accept({3, 4});
    c.pass(1ms);
    c.step(raft::deadline_passed{});
    CHECK(c->role() == role_kind::follower);
  }
}

TEST_CASE("trap 25: a learner does not campaign") {
  lone_core c(members({1, 2}, {0}), {});
  CHECK(c->next_deadline() == never);
  c.pass(1h);
  c.step(raft::deadline_passed{});
  CHECK(c->role() == role_kind::follower);
  c.hear(1, append_of(1, 1, {}, 0));
  c.hear(1, timeout_now{{1}});
  CHECK(c->role() == role_kind::follower);
  CHECK(c->next_deadline() == never);
}

TEST_CASE("trap 25: a configuration counts from when it is in the log, and no longer when it is cut off") {
  lone_core c;
  auto e = std::make_shared<raft::entry>(raft::entry{{1}, {1}, members({0, 1, 2, 3}), 512});
  c.hear(1, append_of(1, 1, {}, 0, {e}));
  CHECK(c->active_configuration() == members({0, 1, 2, 3}));
  c.hear(2, append_of(2, 1, {}, 0, {entry_of(2, 1)}));
  CHECK(c->active_configuration() == members({0, 1, 2}));
}

TEST_CASE("a leader that removes itself leads until that is committed, and does not count itself") {
  lone_core c;
  c.lead();
  c.step(raft::reconfigure{members({1, 2})});
  CHECK(c->role() == role_kind::leader);
  c.hear(1, accepted_of(1, 1, 2));
  CHECK(c->commit_index() == log_index{1});
  c.hear(2, accepted_of(1, 2, 2));
  CHECK(c->commit_index() == log_index{2});
  CHECK(c->role() == role_kind::follower);
  CHECK(c->next_deadline() == never);
}

TEST_CASE("who is being removed campaigns until that is committed, and does not count its own vote") {
  // The others may lack its last entries, and could then not win without it.
  auto found = stored_of(1, nobody, {1, 1});
  found.entries.push_back(std::make_shared<raft::entry>(raft::entry{{1}, {3}, members({1, 2}), 512}));
  lone_core c(3, {}, found);
  c.time_out();
  CHECK(c->role() == role_kind::pre_candidate);
  c.hear(1, pre_vote_reply{{1}, {2}, true});
  CHECK(c->role() == role_kind::pre_candidate);
  c.hear(2, pre_vote_reply{{1}, {2}, true});
  c.hear(1, vote_reply{{2}, true, {}});
  CHECK(c->role() == role_kind::candidate);
  c.hear(2, vote_reply{{2}, true, {}});
  REQUIRE(c->role() == role_kind::leader);
  c.accept({1, 2});
  CHECK(c->commit_index() == log_index{4});
  CHECK(c->role() == role_kind::follower);
  CHECK(c->next_deadline() == never);
}

TEST_CASE("a leader alone says nothing in a term before its vote for itself is stored") {
  // Else it could lead the same term twice, with different entries.
  lone_core c(members({0}, {1}), {});
  c.stores = false;
  c.time_out();
  REQUIRE(c->role() == role_kind::leader);
  CHECK(c.last.send_now.empty());
  CHECK(c.sent<append_request>(1).size() == 1);
  c.propose("a");
  CHECK(c.last.send_now.empty());
  c.step(raft::stored{{2}, {1}});
  c.propose("b");
  c.pass(c->settings().heartbeat_interval);
  c.step(raft::deadline_passed{});
  CHECK_FALSE(c.last.send_now.empty());
}

TEST_CASE("a group grows from one voter to three and shrinks to the other two") {
  pure_cluster c(1);
  c.add_replica();
  c.add_replica();
  const auto l = c.elect();
  const auto change = [&](const configuration& to) {
    const auto now_leads = *c.leader();
    REQUIRE_FALSE(c.step(now_leads, raft::reconfigure{to}).refused_input.has_value());
    const auto begun = c.now();
    REQUIRE(c.run_until(
        [&] { return c.core(now_leads).commit_index() == c.core(now_leads).log().last_index(); }));
    // A new member is spoken to at once, not at the next heartbeat.
    CHECK(c.now() - begun < 50ms);
  };
  change(members({0}, {1}));
  change(members({0, 1}));
  change(members({0, 1, 2}));
  c.run_for(1s);
  change(members({1, 2}));
  CHECK(c.core(l).role() == role_kind::follower);
  CHECK(c.run_until([&] { return c.leader().has_value(); }));
  CHECK(*c.leader() != 0);
}

TEST_CASE("a learner that starts with nothing catches up faster than one append in a heartbeat") {
  raft::options o;
  o.max_append_bytes = 1'024;
  pure_cluster c(3, o);
  c.add_replica();
  const auto l = c.elect();
  for (int i = 0; i < 2'000; ++i)
    c.step(l, raft::propose{{put_of("a")}});
  c.run_for(1s);
  c.step(l, raft::reconfigure{members({0, 1, 2}, {3})});
  CHECK(c.run_until([&] { return c.core(3).log().last_index() == c.core(l).log().last_index(); }, 2s));
}

// ---- handing over -----------------------------------------------------------------------------------------

TEST_CASE("a handover brings the next leader up to date first, and gives up after an election timeout") {
  lone_core c;
  c.lead();
  c.propose("a");
  const std::size_t behind = c.sent<append_request>(1).empty() ? 1 : 2;
  c.step(raft::transfer{id_of(behind)});
  CHECK(c.sent<timeout_now>(behind).empty());
  CHECK(c.sent<append_request>(behind).size() == 1);
  SUBCASE("it answers") {
    c.accept({behind});
    CHECK(c.sent<timeout_now>(behind).size() == 1);
  }
  SUBCASE("it does not") {
    c.pass(c->settings().election_timeout_min);
    c.step(raft::deadline_passed{});
    c.propose("b");
    CHECK(c.last.outcomes.front().refusal == raft::refusal::none);
  }
}

TEST_CASE(
    "a handover: what is lost on the way to the next leader is sent again at once, though all is committed") {
  raft::options o;
  o.commit_notice_delay = 0ms; // it would wake the leader as well
  lone_core c(3, o);
  c.lead();
  c.propose("a");
  const std::size_t asked = c.sent<append_request>(1).empty() ? 2 : 1;
  const std::size_t next = 3 - asked;
  c.accept({asked});
  REQUIRE(c->commit_index() == log_index{2});
  c.step(raft::transfer{id_of(next)});
  REQUIRE(c.sent<append_request>(next).size() == 1);
  const auto begun = c.now();
  do
    c.time_out();
  while (c.sent<append_request>(next).empty());
  CHECK(c.now() < begun + c->settings().heartbeat_interval / 4);
}

TEST_CASE("a handover makes nobody answer a second time") {
  for (const std::size_t size : {3U, 5U}) {
    CAPTURE(size);
    pure_cluster c(size);
    const auto l = c.elect();
    c.run_for(2s);
    // The old leader's vote would tell what is committed; it does not arrive.
    c.lose = [&](const auto& m) {
      return m.from == id_of(l) && std::holds_alternative<vote_reply>(m.message);
    };
    for (int i = 0; i < 5; ++i)
      c.step(l, raft::propose{{put_of("a")}});
    const auto next = (l + 1) % size;
    c.step(l, raft::transfer{id_of(next)});
    REQUIRE(c.run_until([&] { return c.leader() == next; }, 1s));
    c.elect();
    std::set<log_index> answered;
    for (std::size_t i = 0; i < size; ++i)
      for (const auto& e : c[i].answered)
        CHECK(answered.insert(e->index).second);
    CHECK(answered.size() == c.core(next).log().last_index().value);
  }
}

TEST_CASE("a handover waits until what is on its way is committed, and answered") {
  lone_core c(5);
  c.lead();
  c.propose("a");
  std::vector<std::size_t> asked;
  for (std::size_t f = 1; f < 5; ++f)
    if (!c.sent<append_request>(f).empty())
      asked.push_back(f);
  c.step(raft::transfer{id_of(asked[0])});
  c.accept({asked[0]});
  CHECK(c.sent<timeout_now>(asked[0]).empty());
  c.accept({asked[1]});
  CHECK(c.last.answer_committed);
  CHECK(c.sent<timeout_now>(asked[0]).size() == 1);
  CHECK(c.answer<commit_notice>(asked[0]).commit == log_index{2});
}

TEST_CASE("leadership goes to another voter, and to nobody else") {
  lone_core c(members({0, 1, 2}, {3}), {});
  c.step(raft::transfer{id_of(1)});
  CHECK(c.last.refused_input.has_value());
  c.lead();
  for (const std::size_t to : {0U, 3U, 9U}) {
    c.step(raft::transfer{id_of(to)});
    CHECK(c.last.refused_input.has_value());
  }
  c.step(raft::transfer{id_of(2)});
  CHECK_FALSE(c.last.refused_input.has_value());
  CHECK(c.answer<timeout_now>(2).term == term_number{1});
}

TEST_SUITE_END();
