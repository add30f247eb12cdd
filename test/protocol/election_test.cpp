// Elections and terms (section 5.2, 5.4.1, D 9.6, D 6.2). The numbers are those of docs/traps.md.

#include "test/support/lone_core.hpp"

using namespace troupe;
using namespace troupe::test;
using raft::role_kind;

TEST_SUITE_BEGIN("elections");

// ---- the vote ---------------------------------------------------------------------------------------------

TEST_CASE("trap 1: stepping down within a term does not take back the vote") {
  SUBCASE("a candidate that hears from the leader of its term") {
    lone_core c;
    c.campaign();
    c.hear(1, append_of(1, 1, {}, 0));
    REQUIRE(c->role() == role_kind::follower);
  }
  SUBCASE("a leader that has lost contact") {
    lone_core c;
    c.lead();
    c.pass(10s);
    c.step(raft::deadline_passed{});
    REQUIRE(c->role() == role_kind::follower);
    // It hears from nobody, so only its vote keeps it from giving another one.
    c.hear(2, vote_of(1, {9, 1}));
    CHECK_FALSE(c.answer<vote_reply>(2).granted);
  }
}

TEST_CASE("trap 1: a higher term takes back the vote") {
  lone_core c;
  c.hear(1, vote_of(1, {}));
  REQUIRE(c->voted_for() == id_of(1));
  c.hear(2, vote_of(2, {}));
  CHECK(c.answer<vote_reply>(2).granted);
  CHECK(c->voted_for() == id_of(2));
}

TEST_CASE("a forged term does not use up the terms that elections need") {
  lone_core c;
  constexpr auto most = std::uint64_t{1} << 32;
  c.hear(1, vote_of(most + 1, {}));
  CHECK(c->term() == term_number{0});
  c.hear(1, vote_of(most, {}));
  CHECK(c->term() == term_number{most});
  c.hear(2, append_of(2 * most + 1, 1, {}, 0));
  CHECK(c->term() == term_number{most});
}

TEST_CASE("trap 2: a restart brings back term, vote and log") {
  lone_core c(3, {}, stored_of(5, id_of(1), {1, 1, 4}));
  CHECK(c->term() == term_number{5});
  CHECK(c->log().last_index() == log_index{3});
  CHECK(c->log().last_term() == term_number{4});
  c.hear(2, vote_of(5, {9, 5}));
  CHECK_FALSE(c.answer<vote_reply>(2).granted);
  c.hear(1, vote_of(5, {9, 5}));
  CHECK(c.answer<vote_reply>(1).granted);
}

TEST_CASE("trap 2: a replica that restarts votes for nobody while it may have promised a leader loyalty") {
  const raft::options o;
  raft::core c(id_of(0), voters(3), o, instant{5s}, stored_of(5, nobody));
  const auto early =
      c.step(instant{5s} + o.election_timeout_min - 1ns, raft::received{id_of(1), vote_of(6, {9, 5})});
  CHECK(early.send_once_stored.empty());
  CHECK(c.term() == term_number{5});
  const auto later =
      c.step(instant{5s} + o.election_timeout_min, raft::received{id_of(1), vote_of(6, {9, 5})});
  CHECK(c.voted_for() == id_of(1));
}

TEST_CASE("trap 3: a vote that arrives twice counts once") {
  lone_core c(5);
  c.time_out();
  for (int i = 0; i < 3; ++i)
    c.hear(1, pre_vote_reply{{0}, {1}, true});
  REQUIRE(c->role() == role_kind::pre_candidate);
  c.hear(2, pre_vote_reply{{0}, {1}, true});
  REQUIRE(c->role() == role_kind::candidate);
  for (int i = 0; i < 3; ++i)
    c.hear(1, vote_reply{{1}, true, {}});
  CHECK(c->role() == role_kind::candidate);
  c.hear(2, vote_reply{{1}, true, {}});
  CHECK(c->role() == role_kind::leader);
}

TEST_CASE("trap 4: the same candidate asking again in the same term gets the same yes, nobody else does") {
  lone_core c;
  for (int i = 0; i < 2; ++i) {
    c.hear(1, vote_of(1, {}));
    CHECK(c.answer<vote_reply>(1).granted);
  }
  c.hear(2, vote_of(1, {9, 1}));
  CHECK_FALSE(c.answer<vote_reply>(2).granted);
}

TEST_CASE("trap 5: a reply of another term than the request's is dropped") {
  lone_core c;
  c.campaign();
  c.campaign();
  REQUIRE(c->term() == term_number{2});
  SUBCASE("a vote") {
    c.hear(1, vote_reply{{1}, true, {}});
    CHECK(c->role() == role_kind::candidate);
  }
  SUBCASE("a pre-vote for an earlier campaign") {
    c.pass(c->settings().election_timeout_max); // nobody votes
    c.time_out();
    c.hear(1, pre_vote_reply{{1}, {2}, true});
    CHECK(c->role() == role_kind::pre_candidate);
    c.hear(1, pre_vote_reply{{1}, {3}, true});
    CHECK(c->role() == role_kind::candidate);
  }
  SUBCASE("an accepted append") {
    c.hear(1, vote_reply{{2}, true, {}});
    REQUIRE(c->role() == role_kind::leader);
    c.hear(1, accepted_of(1, 1, 1));
    CHECK(c.progress_of(1).match == log_index{0});
    CHECK(c->commit_index() == log_index{0});
  }
}

TEST_CASE("a candidate whose log is behind gets no vote") {
  lone_core c(3, {}, stored_of(3, nobody, {1, 3, 3}));
  c.hear(1, vote_of(4, {9, 2}));
  CHECK_FALSE(c.answer<vote_reply>(1).granted);
  c.hear(1, vote_of(5, {2, 3}));
  CHECK_FALSE(c.answer<vote_reply>(1).granted);
  c.hear(1, vote_of(6, {3, 3}));
  CHECK(c.answer<vote_reply>(1).granted);
}

// ---- the election timer -----------------------------------------------------------------------------------

TEST_CASE("trap 6: what shows that a leader or a candidate is at work restarts the election timer") {
  lone_core c(3, {}, stored_of(3, nobody, {1, 1}));
  const auto before = c->next_deadline();
  c.pass(10ms + c->settings().election_timeout_max - c->settings().election_timeout_min);
  SUBCASE("an append of the leader") { c.hear(1, append_of(3, 1, {2, 1}, 0)); }
  SUBCASE("an append of the leader that does not match the log") { c.hear(1, append_of(3, 1, {7, 3}, 0)); }
  SUBCASE("a piece of a snapshot") { c.hear(1, piece_of(3, 1, {7, 2}, 0, "half", false)); }
  SUBCASE("a vote that was granted") { c.hear(1, vote_of(4, {2, 1})); }
  CHECK(c->next_deadline() > before);
  CHECK(c->next_deadline() >= c.now() + c->settings().election_timeout_min);
}

TEST_CASE("trap 6: what shows nothing of the sort does not restart it") {
  lone_core c(3, {}, stored_of(3, id_of(1), {1, 1}));
  const auto before = c->next_deadline();
  c.pass(10ms);
  SUBCASE("an append of a term that is over") { c.hear(1, append_of(2, 1, {2, 1}, 0)); }
  SUBCASE("a piece of a snapshot of a term that is over") {
    c.hear(1, piece_of(2, 1, {7, 2}, 0, "half", false));
  }
  SUBCASE("a refused vote") { c.hear(2, vote_of(3, {2, 1})); }
  SUBCASE("a vote that was refused for the log, in a higher term") { c.hear(2, vote_of(4, {1, 1})); }
  SUBCASE("a pre-vote") { c.hear(2, pre_vote_request{{4}, {2}, {1}}); }
  CHECK(c->next_deadline() == before);
}

TEST_CASE("trap 7: a candidate steps down on any append of its own term, whether or not the log matches") {
  lone_core c;
  c.campaign();
  SUBCASE("it matches") { c.hear(1, append_of(1, 1, {}, 0)); }
  SUBCASE("it does not") {
    c.hear(1, append_of(1, 1, {7, 1}, 0));
    CHECK(c.sent<append_rejected>(1).size() == 1);
  }
  CHECK(c->role() == role_kind::follower);
  CHECK(c->known_leader() == id_of(1));
}

// ---- pre-vote ---------------------------------------------------------------------------------------------

TEST_CASE("trap 8: the answer to a pre-vote carries a higher term back, and the asker takes it over") {
  lone_core ahead(3, {}, stored_of(7, nobody, {1}));
  ahead.hear(1, pre_vote_request{{3}, {5}, {2}});
  const auto reply = ahead.answer<pre_vote_reply>(1);
  CHECK_FALSE(reply.granted);
  CHECK(reply.term == term_number{7});

  lone_core behind(3, {}, stored_of(2, nobody, {1, 1, 2, 2, 2}));
  behind.time_out();
  behind.hear(1, reply);
  CHECK(behind->term() == term_number{7});
  behind.time_out();
  CHECK(behind.answer<pre_vote_request>(1).term == term_number{8});
}

TEST_CASE("trap 8: one with the longer log and one with the higher term come to elect a leader") {
  pure_cluster c(2);
  // Replica 0 has the entries, replica 1 campaigned in vain.
  c[0].disk = stored_of(2, nobody, {1, 1, 2});
  c[1].disk = stored_of(9, id_of(1), {1});
  c.restart(0);
  c.restart(1);
  CHECK(c.elect() == 0);
}

TEST_CASE("a pre-vote changes nothing at whoever answers") {
  lone_core c(3, {}, stored_of(3, nobody, {1}));
  c.hear(1, pre_vote_request{{4}, {1}, {1}});
  CHECK(c.answer<pre_vote_reply>(1).granted);
  CHECK(c->term() == term_number{3});
  CHECK(c->voted_for() == nobody);
  CHECK(c.last.write.empty());
}

TEST_CASE("a pre-vote is refused with the name of the leader that has been heard from within a heartbeat") {
  lone_core c;
  c.hear(1, append_of(1, 1, {}, 0, {}));
  c.pass(c->settings().heartbeat_interval - 1ns);
  c.hear(2, pre_vote_request{{2}, {1}, {1}});
  CHECK(c.answer<pre_vote_reply>(2).hears == id_of(1));
  c.pass(1ns);
  c.hear(2, pre_vote_request{{2}, {1}, {1}});
  CHECK_FALSE(c.answer<pre_vote_reply>(2).granted);
  CHECK(c.answer<pre_vote_reply>(2).hears == nobody);
}

TEST_CASE("who hears from nobody learns from others who leads, and follows nobody for that") {
  lone_core c;
  c.hear(1, append_of(1, 1, {}, 0, {}));
  c.time_out();
  const auto say = [&](replica_id leader) { c.hear(2, pre_vote_reply{{1}, {2}, false, leader}); };
  say(id_of(1)); // it may have ended since
  CHECK_FALSE(c.last.leader_of_others.has_value());
  c.pass(c->settings().election_timeout_max);
  c.time_out();
  say(id_of(1));
  CHECK(c.last.leader_of_others == id_of(1));
  CHECK(c->role() == role_kind::pre_candidate);
  CHECK(c->known_leader() == nobody);
  say(id_of(7)); // takes no part
  CHECK_FALSE(c.last.leader_of_others.has_value());
  say(id_of(0)); // this replica knows better
  CHECK_FALSE(c.last.leader_of_others.has_value());
  say(nobody);
  CHECK_FALSE(c.last.leader_of_others.has_value());
}

// ---- leaders that are none any more -----------------------------------------------------------------------

TEST_CASE("trap 9: a leader that can send but not hear steps down") {
  pure_cluster c(3);
  const auto l = c.elect();
  c.lose = [&](const auto& m) { return m.to == id_of(l); };
  CHECK(c.run_until([&] { return c.core(l).role() != role_kind::leader; },
                    c.core(l).settings().election_timeout_max + 1ms));
}

TEST_CASE("trap 9: a leader whose storage stalls does not keep its followers calm for ever") {
  pure_cluster c(3);
  const auto l = c.elect();
  c[l].stalled = true;
  c.step(l, raft::propose{{put_of("never stored here")}});
  CHECK(c.run_until([&] { return c.core(l).role() != role_kind::leader; },
                    c.core(l).settings().election_timeout_max + 1ms));
  CHECK(c.run_until([&] { return c.leader() && *c.leader() != l; }));
}

TEST_CASE("a leader that is alone stays while its storage stalls: nobody else could do better") {
  pure_cluster c(1);
  const auto l = c.elect();
  c[l].stalled = true;
  c.step(l, raft::propose{{put_of("stored late")}});
  c.run_for(3 * c.core(l).settings().election_timeout_max);
  CHECK(c.core(l).role() == role_kind::leader);
}

TEST_CASE("trap 9: a leader in contact with a majority stays, however long") {
  pure_cluster c(3);
  const auto l = c.elect();
  c.lose = [&](const auto& m) { return m.to == id_of((l + 1) % 3); };
  c.run_for(60s);
  CHECK(c.core(l).role() == role_kind::leader);
  CHECK(c.observer().leaders().size() == 1);
}

TEST_CASE("trap 24: nobody is believed to lead once an election starts") {
  lone_core c;
  c.hear(1, append_of(1, 1, {}, 0));
  REQUIRE(c->known_leader() == id_of(1));
  SUBCASE("its own") {
    c.time_out();
    CHECK(c->role() == role_kind::pre_candidate);
  }
  SUBCASE("its own, which its leader asked for") {
    c.hear(1, timeout_now{{1}});
    CHECK(c->role() == role_kind::candidate);
  }
  SUBCASE("somebody else's, of which a higher term tells") {
    c.hear(2, append_rejected{{2}, {1}, {}, {}});
    CHECK(c->role() == role_kind::follower);
  }
  CHECK(c->known_leader() == nobody);
  REQUIRE(c.last.standing.has_value());
  CHECK(c.last.standing->leader == nobody);
}

// ---- messages that are lost (section 5.1)
// ------------------------------------------------------------------

TEST_CASE("a candidate asks those who do not answer again, less and less often, and nobody else") {
  lone_core c(5);
  c.campaign();
  const auto began = c.now();
  c.hear(1, vote_reply{{1}, true, {}});
  c.hear(2, vote_reply{{1}, false, {}});
  c.time_out();
  const auto first = c.now() - began;
  CHECK(c.sent<vote_request>(1).empty());
  CHECK(c.sent<vote_request>(2).empty());
  CHECK(c.answer<vote_request>(3).term == term_number{1});
  CHECK(c.answer<vote_request>(4).term == term_number{1});
  const auto second_began = c.now();
  c.time_out();
  CHECK(c.now() - second_began == 2 * first);
  CHECK(c->term() == term_number{1});
  c.hear(3, vote_reply{{1}, true, {}});
  CHECK(c->role() == role_kind::leader);
}

TEST_CASE("pre-votes that do not come are asked for again, but not for as long as a replica is cut off") {
  lone_core c(3);
  c.time_out();
  REQUIRE(c->role() == role_kind::pre_candidate);
  const auto deadline = c.now() + c->settings().election_timeout_min;
  std::size_t again = 0;
  for (; c->next_deadline() < deadline; ++again) {
    c.time_out();
    CHECK(c.answer<pre_vote_request>(1).term == term_number{1});
  }
  CHECK(again >= 1);
  CHECK(again <= 3);
  // Nobody has answered: once in each round from now on.
  c.pass(c->settings().election_timeout_max);
  c.step(raft::deadline_passed{});
  CHECK(c.answer<pre_vote_request>(1).term == term_number{1});
  CHECK(c->next_deadline() >= c.now() + c->settings().election_timeout_min);
}

TEST_SUITE_END();
