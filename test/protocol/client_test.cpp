// What clients are told, as far as the core decides it. That a repeated request is answered with what the
// first one did (trap 22) is the state machine's work: protocol/kv/state_machine.hpp and its tests.

#include "protocol/invariant.hpp"
#include "test/support/lone_core.hpp"

using namespace troupe;
using namespace troupe::test;
using raft::refusal;
using raft::role_kind;

TEST_SUITE_BEGIN("clients");

TEST_CASE("trap 22: a repeated request is an entry of its own, under the same name, in the order it came") {
  lone_core c(1);
  c.lead();
  c.step(raft::propose{{put_of("1"), put_of("2"), put_of("1")}});
  std::vector<std::string> mids;
  for (const auto& e : c.last.committed)
    mids.push_back(std::get<kv::command>(e->payload).id.mid);
  CHECK(mids == std::vector<std::string>{"1", "2", "1"});
}

// ---- nothing is dropped in silence ------------------------------------------------------------------------

TEST_CASE("trap 23: every proposal has an outcome, in its order") {
  lone_core c;
  c.step(raft::propose{{put_of("a"), put_of("b")}});
  REQUIRE(c.last.outcomes.size() == 2);
  CHECK(c.last.outcomes[0].refusal == refusal::not_leader);
  CHECK(c.last.outcomes[1].id.mid == "b");
  c.lead();
  c.step(raft::propose{{put_of("a"), put_of("b")}});
  REQUIRE(c.last.outcomes.size() == 2);
  CHECK(c.last.outcomes[0].refusal == refusal::none);
  CHECK(c.last.outcomes[0].index == log_index{2});
  CHECK(c.last.outcomes[1].index == log_index{3});
  CHECK(c.last.outcomes[1].term == term_number{1});
  c.step(raft::transfer{id_of(1)});
  c.propose("c");
  REQUIRE(c.last.outcomes.size() == 1);
  CHECK(c.last.outcomes[0].refusal == refusal::handing_over);
}

TEST_CASE("trap 23: proposals of one step leave in one append") {
  lone_core c;
  c.lead();
  c.step(raft::propose{{put_of("a"), put_of("b"), put_of("c")}});
  CHECK(c.sent() == 1);
  const auto to_one = c.sent<append_request>(1);
  CHECK((to_one.empty() ? c.answer<append_request>(2) : to_one.front()).entries.size() == 3);
}

TEST_CASE("trap 23: reads that wait when their leader loses office are refused, each once") {
  raft::options o;
  o.lease = 0ms;
  lone_core c(3, o);
  c.lead();
  c.step(raft::reads{{1}});
  c.step(raft::reads{{2}});
  SUBCASE("to a higher term") { c.hear(1, append_of(2, 1, {}, 0)); }
  SUBCASE("for want of contact") {
    c.pass(10s);
    c.step(raft::deadline_passed{});
  }
  REQUIRE(c->role() == role_kind::follower);
  REQUIRE(c.last.refused_reads.size() == 2);
  CHECK(c.last.refused_reads[0].id == 1);
  CHECK(c.last.refused_reads[1].id == 2);
  CHECK(c.last.refused_reads[0].refusal == refusal::not_leader);
  c.step(raft::deadline_passed{});
  CHECK(c.last.refused_reads.empty());
}

TEST_CASE("trap 23: a read that cannot be taken on is refused at once") {
  raft::options o;
  o.lease = 0ms;
  o.max_waiting_reads = 2;
  lone_core c(3, o);
  c.step(raft::reads{{1}});
  REQUIRE(c.last.refused_reads.size() == 1);
  CHECK(c.last.refused_reads[0].refusal == refusal::not_leader);
  c.lead();
  c.step(raft::reads{{2}});
  c.step(raft::reads{{3}});
  CHECK(c.last.refused_reads.empty());
  c.step(raft::reads{{4}});
  REQUIRE(c.last.refused_reads.size() == 1);
  CHECK(c.last.refused_reads[0].id == 4);
  CHECK(c.last.refused_reads[0].refusal == refusal::busy);
}

TEST_CASE("trap 23: losing office and overwriting an entry are told, so that its client can be") {
  lone_core c;
  c.lead();
  c.propose("never committed");
  c.hear(1, append_of(2, 1, {1, 1}, 0, {entry_of(2, 2, "another")}));
  REQUIRE(c.last.standing.has_value());
  CHECK(c.last.standing->role == role_kind::follower);
  CHECK(c.last.standing->leader == id_of(1));
  CHECK(c.last.write.truncate_behind == log_index{1});
}

// ---- who answers for what is committed --------------------------------------------------------------------

TEST_CASE("a leader answers for what it commits, a follower for nothing") {
  lone_core c;
  c.lead();
  c.propose("a");
  c.accept({1, 2});
  CHECK(c.last.committed.size() == 1);
  CHECK(c.last.answer_committed);
  lone_core f;
  f.hear(1, append_of(1, 1, {}, 2, entries_of_terms({1, 1})));
  CHECK(f.last.committed.size() == 2);
  CHECK_FALSE(f.last.answer_committed);
}

TEST_CASE("a new leader answers for what it inherited, but not for what its voters know to be answered") {
  lone_core c(3, {}, stored_of(1, nobody, {1, 1, 1}));
  c.campaign();
  c.hear(1, vote_reply{{2}, true, {2}});
  REQUIRE(c->role() == role_kind::leader);
  CHECK(c.last.committed.size() == 2);
  CHECK_FALSE(c.last.answer_committed);
  c.accept({1});
  CHECK(c.last.committed.size() == 2);
  CHECK(c.last.committed.front()->index == log_index{3});
  CHECK(c.last.answer_committed);
}

TEST_CASE("a vote that comes when the election is won still says what was answered before") {
  lone_core c(5, {}, stored_of(1, nobody, {1, 1, 1}));
  c.campaign();
  c.hear(1, vote_reply{{2}, true, {}});
  c.hear(2, vote_reply{{2}, true, {}});
  REQUIRE(c->role() == role_kind::leader);
  REQUIRE(c->commit_index() == log_index{});
  c.hear(3, vote_reply{{2}, true, {3}});
  CHECK(c.last.committed.size() == 3);
  CHECK_FALSE(c.last.answer_committed);
  c.accept({1, 2});
  CHECK(c.last.committed.size() == 1);
  CHECK(c.last.answer_committed);
}

TEST_CASE("what the storage knows to be committed is applied with the first step, and answered to nobody") {
  auto found = stored_of(1, nobody, {1, 1, 1});
  found.commit = {2};
  lone_core c(3, {}, found);
  CHECK(c->commit_index() == log_index{});
  c.step(raft::deadline_passed{});
  REQUIRE(c.last.committed.size() == 2);
  CHECK(c.last.committed.back()->index == log_index{2});
  CHECK_FALSE(c.last.answer_committed);
  c.campaign();
  c.hear(1, vote_reply{{2}, true, {}});
  c.accept({1});
  REQUIRE(c.last.committed.size() == 2); // the third one, whose client may still wait, and the own no-op
  CHECK(c.last.committed.front()->index == log_index{3});
  CHECK(c.last.answer_committed);
}

TEST_CASE("what the storage knows to be committed is not applied on top of a snapshot that has it") {
  auto found = stored_of(1, nobody, {1, 1, 1});
  found.commit = {2};
  lone_core c(3, {}, found);
  c.hear(1, piece_of(1, 1, {5, 1}, 0, "state", true)); // the very first step
  REQUIRE(c.last.install != nullptr);
  CHECK(c.last.install->last_index == log_index{5});
  CHECK(c.last.committed.empty());
  CHECK(c->commit_index() == log_index{5});
}

TEST_CASE("each write to the storage says how far the log is committed, and that alone is not written") {
  lone_core c;
  c.hear(1, append_of(1, 1, {}, 0, entries_of_terms({1, 1})));
  CHECK(c.last.write.commit == log_index{});
  c.hear(1, append_of(1, 2, {2, 1}, 2));
  CHECK(c.last.committed.size() == 2);
  CHECK(c.last.write.empty());
  c.hear(1, append_of(1, 3, {2, 1}, 2, {entry_of(1, 3)}));
  CHECK(c.last.write.commit == log_index{2});
}

TEST_CASE("a storage that knows more to be committed than it holds is refused") {
  auto found = stored_of(1, nobody, {1, 1});
  found.commit = {3};
  CHECK_THROWS_AS(lone_core(3, {}, found), broken_invariant);
}

TEST_CASE("a vote says how far the voter knows the log to be committed") {
  lone_core c;
  c.hear(1, append_of(1, 1, {}, 2, entries_of_terms({1, 1, 1})));
  c.pass(c->settings().election_timeout_min);
  c.hear(2, vote_of(2, {3, 1}));
  CHECK(c.answer<vote_reply>(2).commit == log_index{2});
}

TEST_CASE("the end of a leader that was idle for a moment makes nobody answer a second time") {
  for (const std::size_t size : {3U, 5U}) {
    CAPTURE(size);
    pure_cluster c(size);
    const auto first = c.elect(); // which may leave one entry to be told of later; none after it does
    c.run_for(2s);
    c.crash(first);
    const auto l = c.elect();
    c.restart(first);
    c.run_for(2s);
    c.step(l, raft::propose{{put_of("once")}});
    c.run_for(c.core(l).settings().commit_notice_delay + 10ms);
    REQUIRE(c[l].answered.back()->index == c.core(l).log().last_index());
    const auto last = c.core(l).log().last_index();
    c.crash(l);
    std::vector<std::size_t> answered_before(size);
    for (std::size_t i = 0; i < size; ++i)
      answered_before[i] = c[i].answered.size();
    const auto next = c.elect();
    CHECK(c.core(next).commit_index() > last);
    CHECK(std::none_of(c[next].answered.begin() + static_cast<std::ptrdiff_t>(answered_before[next]),
                       c[next].answered.end(), [&](const auto& e) { return e->index <= last; }));
  }
}

TEST_SUITE_END();
