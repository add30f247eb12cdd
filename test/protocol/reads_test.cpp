// Linearizable reads: section 8, D 6.4.

#include "test/support/lone_core.hpp"

using namespace troupe;
using namespace troupe::test;
using raft::role_kind;

TEST_SUITE_BEGIN("reads");

namespace {

raft::options without_lease() {
  raft::options o;
  o.lease = 0ms;
  return o;
}

/// A leader of three that has committed the no-op of its term.
lone_core leader(raft::options o = {}) {
  lone_core c(3, o);
  c.lead();
  return c;
}

} // namespace

// ---- when ------------------------------------------------------------------------------------------------

TEST_CASE("trap 19: no read is answered before the leader has committed an entry of its own term") {
  raft::options o;
  SUBCASE("with a lease") {}
  SUBCASE("with rounds") { o.lease = 0ms; }
  lone_core c(3, o, stored_of(1, nobody, {1, 1}));
  c.campaign();
  c.hear(1, vote_reply{{2}, true, {}});
  c.step(raft::reads{{7}});
  CHECK(c.last.ready_reads.empty());
  // A majority confirms that it leads, but does not hold the no-op.
  c.hear(1, accepted_of(2, c.progress_of(1).last_sequence.value, 2));
  CHECK(c.last.ready_reads.empty());
  c.hear(1, accepted_of(2, c.progress_of(1).last_sequence.value, 3));
  while (c.last.ready_reads.empty() && c.sent() > 0)
    c.accept({1, 2}); // the round, where there is no lease
  REQUIRE(c->commit_index() == log_index{3});
  REQUIRE(c.last.ready_reads.size() == 1);
  CHECK(c.last.ready_reads.front().id == 7);
}

// ---- rounds ----------------------------------------------------------------------------------------------

TEST_CASE("trap 20: only an answer to what was sent after a read arrived confirms it") {
  auto c = leader(without_lease());
  c.pass(c->settings().heartbeat_interval);
  c.step(raft::deadline_passed{});
  const auto before = c.answer<append_request>(1);
  c.step(raft::reads{{7}});
  REQUIRE(c.sent<append_request>(1).size() + c.sent<append_request>(2).size() == 1);
  const std::size_t asked = c.sent<append_request>(1).size() == 1 ? 1 : 2;
  const auto after = c.answer<append_request>(asked);
  CHECK(after.sequence > before.sequence);
  c.hear(1, accepted_of(1, before.sequence.value, 1));
  CHECK(c.last.ready_reads.empty());
  c.hear(2, accepted_of(1, before.sequence.value + 1, 1));
  CHECK(c.last.ready_reads.empty());
  c.hear(asked, accepted_of(1, after.sequence.value, 1));
  CHECK(c.last.ready_reads.size() == 1);
}

TEST_CASE("trap 20: who answers a message of an older term does not name its number") {
  lone_core c(3, {}, stored_of(3, nobody, {1, 1}));
  SUBCASE("an append") { c.hear(1, append_request{{2}, {7}, {2}, {1}, {}, {}}); }
  SUBCASE("a piece of a snapshot") {
    c.hear(1, snapshot_piece{{2}, {7}, {2}, {1}, {id_of(0)}, {}, 0, "", true});
  }
  const auto answer = c.answer<append_rejected>(1);
  CHECK(answer.term == term_number{3});
  CHECK(answer.sequence == sequence_number{});
}

TEST_CASE("trap 20: an answer that names no number confirms nothing, and moves nothing back") {
  auto c = leader(without_lease());
  const auto before = c.progress_of(1);
  c.pass(1ms);
  c.step(raft::reads{{7}});
  const auto next = c.progress_of(1).next;
  c.hear(1, append_rejected{{1}, {}, {}, {1}});
  CHECK(c.last.ready_reads.empty());
  CHECK(c.progress_of(1).answered == before.answered);
  CHECK(c.progress_of(1).answered_sent_at == before.answered_sent_at);
  CHECK(c.progress_of(1).next == next);
}

TEST_CASE("trap 20: no number is used twice in a term") {
  pure_cluster c(5, without_lease());
  const auto l = c.elect();
  std::set<sequence_number> seen;
  bool repeated = false;
  c.lose = [&](const auto& m) {
    if (const auto* a = std::get_if<append_request>(&m.message); a && m.from == id_of(l))
      repeated = repeated || !seen.insert(a->sequence).second;
    return false;
  };
  for (std::uint64_t i = 0; i < 50; ++i) {
    c.step(l, raft::reads{{i}});
    c.step(l, raft::propose{{put_of("a")}});
    c.run_for(7ms);
  }
  CHECK_FALSE(repeated);
  CHECK(seen.size() > 100);
}

TEST_CASE("one round serves all reads that wait when it starts") {
  pure_cluster c(5, without_lease());
  const auto l = c.elect();
  c.run_for(100ms);
  std::size_t messages = 0;
  c.lose = [&](const auto&) {
    ++messages;
    return false;
  };
  for (std::uint64_t i = 0; i < 100; ++i)
    c.step(l, raft::reads{{i}});
  c.run_for(10ms);
  CHECK(c[l].reads.size() == 100);
  // The first read starts a round; the other 99 share the next.
  CHECK(messages == 8);
}

TEST_CASE("a round whose messages are lost asks others, then the same again") {
  pure_cluster c(5, without_lease());
  const auto l = c.elect();
  c.run_for(50ms);
  int to_lose = 3;
  c.lose = [&](const auto&) { return to_lose-- > 0; };
  c.step(l, raft::reads{{1}});
  CHECK(c.run_until([&] { return c[l].reads.size() == 1; }, 100ms));
}

// ---- the lease -------------------------------------------------------------------------------------------

TEST_CASE("trap 21: a lease starts when the message that confirms it was sent") {
  lone_core c;
  c.campaign();
  c.hear(1, vote_reply{{1}, true, {}});
  const auto sent_at = c.now();
  c.pass(300ms);
  c.accept({1});
  CHECK(c->lease_until() == sent_at + c->settings().lease);
  c.step(raft::reads{{7}});
  REQUIRE(c.last.ready_reads.size() == 1);
  CHECK(c.last.ready_reads.front().until == sent_at + c->settings().lease);
}

TEST_CASE("trap 21: a read under a lease sends nothing; after it a round is needed") {
  auto c = leader();
  c.step(raft::reads{{1}});
  CHECK(c.last.ready_reads.size() == 1);
  CHECK(c.sent() == 0);
  c.pass(c->settings().lease - 1ns);
  c.step(raft::reads{{2}});
  CHECK(c.last.ready_reads.size() == 1);
  c.pass(1ns);
  c.step(raft::reads{{3}});
  CHECK(c.last.ready_reads.empty());
  CHECK(c.sent() > 0);
}

TEST_CASE("trap 21: a lease is void from the moment a handover starts, for the rest of the term") {
  auto c = leader();
  c.step(raft::transfer{id_of(1)});
  c.step(raft::reads{{1}});
  CHECK(c.last.ready_reads.empty());
  // The call to campaign may still be on its way when the handover is given up.
  c.pass(c->settings().election_timeout_min - 1ms);
  c.accept({1, 2});
  c.pass(1ms);
  c.step(raft::deadline_passed{});
  REQUIRE(c->as_leader());
  CHECK_FALSE(c->as_leader()->handover.has_value());
  c.accept({1, 2});
  CHECK(c->lease_until() < c.now());
}

TEST_CASE("trap 21: a lease is shorter than the smallest election timeout") {
  raft::options o;
  o.lease = o.election_timeout_min;
  CHECK(raft::find_fault(o).has_value());
  o.lease = o.election_timeout_min - 1ms;
  CHECK_FALSE(raft::find_fault(o).has_value());
}

TEST_CASE("trap 21: who heard from a leader elects nobody else for the smallest election timeout") {
  lone_core c;
  c.hear(1, append_of(1, 1, {}, 0));
  c.pass(c->settings().election_timeout_min - 1ns);
  c.hear(2, pre_vote_request{{2}, {9}, {1}});
  CHECK_FALSE(c.answer<pre_vote_reply>(2).granted);
  c.hear(2, vote_of(2, {9, 1}));
  CHECK(c.sent() == 0);
  CHECK(c->term() == term_number{1});
  // Unless that leader asked for it: then it has given up its lease.
  SUBCASE("a handover") { c.hear(2, vote_of(2, {9, 1}, true)); }
  SUBCASE("later") {
    c.pass(1ns);
    c.hear(2, vote_of(2, {9, 1}));
  }
  CHECK(c.answer<vote_reply>(2).granted);
}

TEST_CASE("trap 21: hearing of a higher term does not end the loyalty that a lease rests on") {
  lone_core c;
  c.hear(1, append_of(1, 1, {}, 0));
  // A candidate of term 2 answers a pre-vote of long ago; its request for a vote comes behind it.
  c.hear(2, pre_vote_reply{{2}, {1}, false});
  REQUIRE(c->term() == term_number{2});
  c.hear(2, vote_of(2, {9, 1}));
  CHECK(c->voted_for() == nobody);
  c.pass(c->settings().election_timeout_min);
  c.hear(2, vote_of(2, {9, 1}));
  CHECK(c->voted_for() == id_of(2));
}

TEST_CASE("trap 21: a leader elects nobody else, nor does it once confirmed depose itself for a candidate") {
  auto c = leader();
  c.hear(2, vote_of(2, {9, 1}));
  CHECK(c->role() == role_kind::leader);
  CHECK(c->term() == term_number{1});
}

TEST_CASE("trap 21: being in contact with a majority alone is no lease") {
  auto c = leader(without_lease());
  c.step(raft::reads{{1}});
  CHECK(c.last.ready_reads.empty());
  CHECK(c->lease_until() < c.now());
}

TEST_CASE("trap 21: votes are no lease: who voted promised nothing but its vote") {
  lone_core c;
  c.campaign();
  c.hear(1, vote_reply{{1}, true, {}});
  REQUIRE(c->role() == role_kind::leader);
  CHECK(c->lease_until() < c.now());
}

TEST_SUITE_END();
