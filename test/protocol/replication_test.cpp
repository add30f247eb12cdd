// The log's way to the followers, and what commits (section 5.3, 5.4.2).

#include "protocol/invariant.hpp"
#include "test/support/lone_core.hpp"

using namespace troupe;
using namespace troupe::test;
using raft::role_kind;

TEST_SUITE_BEGIN("replication");

// ---- the receiver's side ----------------------------------------------------------------------------------

TEST_CASE("trap 10: old, short, repeated and reordered appends leave a log as it is") {
  lone_core c;
  const auto all = entries_of_terms({1, 1, 1, 1});
  c.hear(1, append_of(1, 3, {}, 0, all));
  REQUIRE(c->log().last_index() == log_index{4});
  SUBCASE("a heartbeat of before") { c.hear(1, append_of(1, 1, {1, 1}, 0)); }
  SUBCASE("a shorter message") { c.hear(1, append_of(1, 1, {}, 0, {all[0]})); }
  SUBCASE("one from the middle") { c.hear(1, append_of(1, 2, {1, 1}, 0, {all[1], all[2]})); }
  SUBCASE("the same again") { c.hear(1, append_of(1, 3, {}, 0, all)); }
  CHECK(c->log().last_index() == log_index{4});
  CHECK(c.last.write.empty());
  CHECK(c.sent<append_accepted>(1).size() == 1);
}

TEST_CASE("trap 10: a real conflict removes the conflicting entry and all behind it") {
  lone_core c(3, {}, stored_of(1, nobody, {1, 1, 1, 1}));
  c.hear(1, append_of(2, 1, {2, 1}, 0, {entry_of(2, 3)}));
  CHECK(c->log().last_index() == log_index{3});
  CHECK(c->log().term_at({3}) == term_number{2});
  CHECK(c.last.write.truncate_behind == log_index{2});
}

TEST_CASE("trap 11: a follower commits no more than the message that says so has proved") {
  // Entries 4 and 5 are a dead leader's; whether they are the new leader's is not known yet.
  lone_core c(3, {}, stored_of(1, nobody, {1, 1, 1, 1, 1}));
  SUBCASE("a heartbeat") { c.hear(1, append_of(2, 1, {3, 1}, 5)); }
  SUBCASE("an append") { c.hear(1, append_of(2, 1, {2, 1}, 5, {entry_of(1, 3)})); }
  CHECK(c->commit_index() == log_index{3});
  CHECK(c.answer<append_accepted>(1).match == log_index{3});
}

TEST_CASE("trap 11: a follower commits no more than its leader has") {
  lone_core c;
  c.hear(1, append_of(1, 1, {}, 2, entries_of_terms({1, 1, 1})));
  CHECK(c->commit_index() == log_index{2});
}

TEST_CASE("a notice of what is committed counts only for what was proved in this term") {
  lone_core c(3, {}, stored_of(1, nobody, {1, 1, 1, 1, 1}));
  c.hear(1, append_of(2, 1, {3, 1}, 0));
  c.hear(1, commit_notice{{2}, {5}});
  CHECK(c->commit_index() == log_index{3});
  SUBCASE("what an earlier leader proved does not count") {
    c.hear(2, append_of(3, 1, {1, 1}, 0));
    c.hear(2, append_of(3, 2, {4, 1}, 0));
    c.hear(1, append_of(4, 1, {1, 1}, 0));
    c.hear(1, commit_notice{{4}, {4}});
    CHECK(c->commit_index() == log_index{3});
  }
}

// ---- what a leader knows of a follower --------------------------------------------------------------------

TEST_CASE("trap 12: match only grows, and next stays above it") {
  lone_core c(3, {}, stored_of(1, nobody, {1, 1, 1}));
  c.lead();
  REQUIRE(c.progress_of(1).match == log_index{4});
  c.hear(1, accepted_of(2, 1, 2));
  CHECK(c.progress_of(1).match == log_index{4});
  CHECK(c.progress_of(1).next == log_index{5});
}

TEST_CASE("trap 13: an old rejection does not move next back") {
  lone_core c(3, {}, stored_of(1, nobody, {1, 1, 1}));
  c.campaign();
  c.hear(1, vote_reply{{2}, true, {}});
  const auto first = c.answer<append_request>(1);
  c.hear(1, rejected_of(2, first.sequence.value, 0, 1));
  REQUIRE(c.answer<append_request>(1).previous_index == log_index{0});
  c.accept({1});
  REQUIRE(c.progress_of(1).match == log_index{4});
  c.hear(1, rejected_of(2, first.sequence.value, 0, 1));
  CHECK(c.progress_of(1).next == log_index{5});
  CHECK(c.sent<append_request>(1).empty());
}

TEST_CASE("trap 13: a rejection of what was sent before the log was known to match goes back to match") {
  lone_core c(3);
  c.lead();
  c.propose("a");
  c.propose("b");
  const auto busy = c.progress_of(1).flights.empty() ? 2U : 1U;
  // The second append overtook the first and was rejected; the answers change places too.
  c.propose("c");
  const auto& p = c.progress_of(busy);
  REQUIRE(p.flights.size() >= 2);
  const auto first = p.flights.front();
  const auto second = p.flights.back();
  c.hear(busy, accepted_of(1, first.sequence.value, second.previous_index.value));
  c.hear(busy, rejected_of(1, second.sequence.value, 0, first.previous_index.value + 1));
  CHECK(c.progress_of(busy).match == second.previous_index);
  CHECK(c.progress_of(busy).next > c.progress_of(busy).match);
  // What it lacks is sent at once, and it is not accused of having lost anything.
  CHECK_FALSE(c.last.refused_input.has_value());
  const auto again = c.answer<append_request>(busy);
  CHECK(again.previous_index == second.previous_index);
  CHECK_FALSE(again.entries.empty());
}

// ---- the commit rule --------------------------------------------------------------------------------------

TEST_CASE("trap 14: a new leader appends an entry of its own term, and that commits what it inherited") {
  // Figure 8: that entry 2 of term 2 is on a majority does not make it committed.
  lone_core c(3, {}, stored_of(2, nobody, {1, 2}));
  c.campaign();
  c.hear(1, vote_reply{{3}, true, {}});
  const auto first = c.answer<append_request>(1);
  REQUIRE(first.entries.size() == 1);
  CHECK(first.entries.front()->term == term_number{3});
  CHECK(std::holds_alternative<raft::no_op>(first.entries.front()->payload));
  c.hear(1, accepted_of(3, first.sequence.value, 2));
  CHECK(c->commit_index() == log_index{0});
  c.hear(1, accepted_of(3, first.sequence.value, 3));
  CHECK(c->commit_index() == log_index{3});
  CHECK(c.last.committed.size() == 3);
}

TEST_CASE("trap 15: backing up takes one probe for each term, not one for each entry") {
  std::vector<std::uint64_t> leading(20, 1);
  std::vector<std::uint64_t> following(20, 1);
  leading.insert(leading.end(), 100, 6);
  for (const std::uint64_t term : {2, 3, 4})
    following.insert(following.end(), 40, term);
  lone_core l(3, {}, stored_of(6, nobody, leading));
  lone_core f(3, {}, stored_of(6, nobody, following));
  l.campaign();
  l.hear(1, vote_reply{{7}, true, {}});
  int probes = 0;
  while (l.progress_of(1).match < l->log().last_index()) {
    REQUIRE(++probes <= 5);
    const auto sent = l.answer<append_request>(1);
    f.hear(0 + 2, sent); // whoever sends: the follower plays replica 1
    if (const auto rejected = f.sent<append_rejected>(2); !rejected.empty())
      l.hear(1, rejected.front());
    else
      l.hear(1, f.answer<append_accepted>(2));
  }
  CHECK(f->log().last_index() == l->log().last_index());
  CHECK(f->log().term_at({21}) == term_number{6});
}

TEST_CASE("trap 15: a term that both hold is found from its end") {
  lone_core c(3, {}, stored_of(4, nobody, {1, 1, 1, 2, 2, 4, 4, 4}));
  c.campaign();
  c.hear(1, vote_reply{{5}, true, {}});
  const auto first = c.answer<append_request>(1);
  c.hear(1, rejected_of(5, first.sequence.value, 2, 4)); // it holds term 2 from index 4 on
  CHECK(c.answer<append_request>(1).previous_index == log_index{5});
}

// ---- promises and the storage -----------------------------------------------------------------------------

TEST_CASE("trap 16: nothing that promises leaves before what it promises is stored") {
  lone_core c;
  SUBCASE("a vote") { c.hear(1, vote_of(1, {})); }
  SUBCASE("a candidate's vote for itself") { c.campaign(); }
  SUBCASE("stored entries") { c.hear(1, append_of(1, 1, {}, 0, entries_of_terms({1}))); }
  SUBCASE("an installed snapshot") { c.hear(1, piece_of(1, 1, {5, 1}, 0, "state", true)); }
  CHECK(c.last.send_now.empty());
  CHECK_FALSE(c.last.send_once_stored.empty());
  CHECK(c.last.write.hard_state.has_value());
}

TEST_CASE("trap 16: a promise waits for all that was to be stored before it") {
  raft::store_gate gate;
  const auto earlier = gate.next_write();
  // Its own step wrote nothing, but the entries that it acknowledges are still on their way.
  CHECK(gate.hold({{id_of(1), accepted_of(1, 1, 1)}}).empty());
  const auto later = gate.next_write();
  CHECK(gate.hold({{id_of(2), accepted_of(1, 2, 2)}}).empty());
  CHECK(gate.release(earlier).size() == 1);
  CHECK(gate.hold({{id_of(3), accepted_of(1, 3, 2)}}).empty());
  CHECK(gate.release(later).size() == 2);
  CHECK(gate.hold({{id_of(1), accepted_of(1, 4, 2)}}).size() == 1);
}

TEST_CASE("trap 16: an acknowledgement of the storage does not count for an entry that was replaced") {
  lone_core c;
  c.stores = false;
  c.hear(1, append_of(1, 1, {}, 0, entries_of_terms({1, 1, 1})));
  c.hear(2, append_of(2, 1, {1, 1}, 0, {entry_of(2, 2), entry_of(2, 3)}));
  c.step(raft::stored{{3}, {1}});
  CHECK(c->stored_index() == log_index{0});
  c.step(raft::stored{{3}, {2}});
  CHECK(c->stored_index() == log_index{3});
}

TEST_CASE("trap 16: a leader counts itself only for what it has stored") {
  lone_core c;
  c.lead();
  c.stores = false;
  c.propose("a");
  c.accept({1, 2}); // one of them was sent it
  CHECK(c->commit_index() == log_index{1});
  c.step(raft::stored{{2}, {1}});
  CHECK(c->commit_index() == log_index{2});
}

// ---- bounds -----------------------------------------------------------------------------------------------

TEST_CASE("trap 17: what a leader takes on is bounded, and what it refuses is answered") {
  raft::options o;
  o.max_append_bytes = 1'024;
  o.max_uncommitted_entries = 3;
  o.max_uncommitted_bytes = 1'500;
  lone_core c(3, o);
  c.lead();
  const auto outcome = [&] {
    REQUIRE(c.last.outcomes.size() == 1);
    return c.last.outcomes.front().refusal;
  };
  SUBCASE("in entries") {
    for (int i = 0; i < 3; ++i) {
      c.propose("fits");
      CHECK(outcome() == raft::refusal::none);
    }
  }
  SUBCASE("in bytes") {
    c.propose("fits", 1'000);
    CHECK(outcome() == raft::refusal::none);
    c.propose("does not", 1'000);
  }
  if (outcome() == raft::refusal::none)
    c.propose("one too many");
  CHECK(outcome() == raft::refusal::busy);
  c.accept({1, 2});
  c.propose("room again");
  CHECK(outcome() == raft::refusal::none);
  c.propose("no message could carry it", 1'025);
  CHECK(outcome() == raft::refusal::too_large);
}

TEST_CASE("trap 17: what a leader adds itself counts as well, and no longer once it is committed") {
  lone_core c;
  c.lead();
  CHECK(c->as_leader()->uncommitted_bytes == 0);
  c.step(raft::reconfigure{voters(4)});
  CHECK(c->as_leader()->uncommitted_bytes == raft::configuration_wire_bytes);
  c.propose("a");
  c.hear(1, accepted_of(1, 1, 2));
  c.hear(2, accepted_of(1, 2, 2));
  REQUIRE(c->commit_index() == log_index{2});
  CHECK(c->as_leader()->uncommitted_bytes == 100);
}

TEST_CASE("trap 17: what is on its way to a follower is bounded") {
  raft::options o;
  o.window_messages = 4;
  lone_core c(2, o);
  c.lead();
  for (int i = 0; i < 20; ++i)
    c.propose("a");
  CHECK(c.progress_of(1).flights.size() == 4);
  CHECK(c.sent() == 0);
  c.accept({1}); // the last of them, and with it those before
  CHECK(c.progress_of(1).flights.size() == 1);
  CHECK(c.answer<append_request>(1).entries.size() == 16);
}

TEST_SUITE_END();

TEST_CASE("a log with an entry that no message can carry is refused") {
  auto found = stored_of(1, nobody, {1, 1});
  found.entries.push_back(std::make_shared<raft::entry>(raft::entry{{1}, {3}, raft::no_op{}, 70'000}));
  CHECK_THROWS_WITH_AS(lone_core(3, {}, found), doctest::Contains("entry 3 takes 70000 bytes"),
                       broken_invariant);
}
