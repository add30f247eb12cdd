// How few messages it takes.

#include "test/support/lone_core.hpp"

#include <fmt/format.h>

using namespace troupe;
using namespace troupe::test;

TEST_SUITE_BEGIN("message economy");

namespace {

std::size_t to_follower(const lone_core& c, std::size_t number) {
  return c.sent<append_request>(number).size();
}

} // namespace

TEST_CASE("a committed put costs four messages among five replicas, two among three") {
  for (const std::size_t size : {3U, 5U}) {
    CAPTURE(size);
    pure_cluster c(size);
    const auto l = c.elect();
    c.run_for(1s);
    std::size_t messages = 0;
    c.lose = [&](const auto&) {
      ++messages;
      return false;
    };
    for (int i = 0; i < 500; ++i) {
      c.step(l, raft::propose{{put_of(fmt::format("{}", i))}});
      c.run_for(10ms);
      REQUIRE(c.core(l).commit_index() == c.core(l).log().last_index());
    }
    CHECK(messages == 500 * (size - 1));
  }
}

TEST_CASE("new entries go to just enough followers, in rotation") {
  lone_core c(5);
  c.lead();
  std::vector<std::size_t> asked(5);
  for (int i = 0; i < 20; ++i) {
    c.propose("a");
    CHECK(c.sent() == 2);
    std::vector<std::size_t> now;
    for (std::size_t f = 1; f < 5; ++f)
      if (to_follower(c, f) == 1)
        now.push_back(f);
    for (const auto f : now)
      ++asked[f];
    c.accept(now);
    CHECK(c->commit_index() == c->log().last_index());
  }
  for (std::size_t f = 1; f < 5; ++f)
    CHECK(asked[f] == 10);
}

TEST_CASE("a follower whose answer is late is replaced by another") {
  lone_core c(5);
  c.lead();
  c.propose("a");
  std::vector<std::size_t> first;
  std::vector<std::size_t> others;
  for (std::size_t f = 1; f < 5; ++f)
    (to_follower(c, f) == 1 ? first : others).push_back(f);
  REQUIRE(first.size() == 2);
  c.accept({first[0]});
  REQUIRE(c->commit_index() < c->log().last_index());
  CHECK(c.sent() == 0);
  const auto asked_at = c.now();
  c.time_out();
  // Round trips took no time so far: it is late after the shortest retry.
  CHECK(c.now() == asked_at + c->settings().retry_min);
  CHECK(c.sent() == 1);
  CHECK(to_follower(c, others[0]) + to_follower(c, others[1]) == 1);
  c.accept({to_follower(c, others[0]) ? others[0] : others[1]});
  CHECK(c->commit_index() == c->log().last_index());
}

TEST_CASE("who is tried again counts until that is late as well: nobody else is asked meanwhile") {
  lone_core c(5);
  c.lead();
  c.propose("a");
  std::vector<std::size_t> tried(5);
  for (std::size_t f = 1; f < 5; ++f)
    tried[f] += to_follower(c, f);
  // Nobody answers. Two at a time are asked, as many as are needed, and none again before all were.
  for (int turn = 1; turn < 4; ++turn) {
    c.time_out();
    CHECK(c.sent() == 2);
    for (std::size_t f = 1; f < 5; ++f)
      tried[f] += to_follower(c, f);
    const auto [least, most] = std::minmax_element(tried.begin() + 1, tried.end());
    CHECK(*most - *least == (turn % 2 == 0 ? 1U : 0U));
  }
}

TEST_CASE("who has left more messages without an answer is tried later") {
  lone_core c(5);
  c.lead();
  std::size_t to_the_dead = 0;
  std::size_t all = 0;
  const auto begun = c.now();
  for (int i = 0; i < 200; ++i) {
    c.propose("a");
    // Follower 1 is dead; of the others a third of the messages get lost.
    for (int tries = 0; c->commit_index() < c->log().last_index() && tries < 100; ++tries) {
      std::vector<std::size_t> answering;
      for (std::size_t f = 1; f < 5; ++f) {
        if (to_follower(c, f) == 0)
          continue;
        ++all;
        to_the_dead += f == 1 ? 1 : 0;
        if (f != 1 && all % 3 != 0)
          answering.push_back(f);
      }
      answering.empty() ? (void)c.time_out() : c.accept(answering);
    }
    REQUIRE(c->commit_index() == c->log().last_index());
    c.pass(100ms);
  }
  const auto passed = c.now() - begun;
  CHECK(all >= 500);
  CHECK(to_the_dead <= static_cast<std::size_t>(passed / c->settings().heartbeat_interval) / 2 + 16);
}

TEST_CASE("heartbeats bring everybody up to date, and say what is committed") {
  pure_cluster c(5);
  const auto l = c.elect();
  c.step(l, raft::propose{{put_of("a")}});
  c.run_for(2 * c.core(l).settings().heartbeat_interval + 10ms);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(c.core(i).commit_index() == c.core(l).log().last_index());
}

TEST_CASE("an idle leader says nothing but heartbeats") {
  pure_cluster c(5);
  const auto l = c.elect();
  c.run_for(5s);
  std::size_t messages = 0;
  c.lose = [&](const auto&) {
    ++messages;
    return false;
  };
  c.run_for(40s);
  const auto pace = c.core(l).settings().heartbeat_interval;
  CHECK(messages <= 4 * 2 * (40s / pace + 1));
}

namespace {

/// Commits these, each by two followers, which are returned: those of the last one.
std::vector<std::size_t> commit(lone_core& c, const std::vector<std::string>& values) {
  std::vector<std::size_t> asked;
  for (const auto& value : values) {
    c.propose(value);
    asked.clear();
    for (std::size_t f = 1; f < 5; ++f)
      if (to_follower(c, f) == 1)
        asked.push_back(f);
    c.accept(asked);
    REQUIRE(c->commit_index() == c->log().last_index());
    CHECK(c.sent() == 0);
  }
  return asked;
}

std::size_t notices_later(lone_core& c) {
  c.pass(c->settings().commit_notice_delay);
  c.step(raft::deadline_passed{});
  std::size_t notices = 0;
  for (std::size_t f = 1; f < 5; ++f)
    notices += c.sent<commit_notice>(f).size();
  CHECK(c.sent() == notices);
  return notices;
}

} // namespace

TEST_CASE(
    "who took over from another leader tells one that holds it what is committed, when nothing else does") {
  lone_core c(5, {}, stored_of(1, nobody, {1}));
  c.lead();
  const auto asked = commit(c, {"a"});
  REQUIRE(asked.size() == 2);
  CHECK(notices_later(c) == 1);
  CHECK(c.sent<commit_notice>(asked[0]).size() + c.sent<commit_notice>(asked[1]).size() == 1);
  CHECK(notices_later(c) == 0);
}

TEST_CASE("the first leader of all lets one entry be told of by the next append, but not two") {
  lone_core c(5);
  c.lead();
  commit(c, {"a"});
  CHECK(notices_later(c) == 0);
  commit(c, {"b"});
  CHECK(notices_later(c) == 0);
  c.step(raft::propose{{put_of("c"), put_of("d")}});
  for (const auto& m : c.last.send_now)
    CHECK(std::get<append_request>(m.message).commit == log_index{3});
  c.accept({1, 2, 3, 4});
  REQUIRE(c->commit_index() == log_index{5});
  CHECK(notices_later(c) == 1);
  CHECK(notices_later(c) == 0);
}

TEST_CASE("a follower that has been silent for long is sent few heartbeats, until it answers") {
  lone_core c(5);
  c.lead();
  const auto& o = c->settings();
  // Counts what goes to 1 in a time, while the others answer and it does or does not.
  const auto heartbeats_in = [&](duration d, bool answers) {
    std::size_t count = 0;
    for (const auto end = c.now() + d; c.now() < end;) {
      c.time_out();
      const bool asked = to_follower(c, 1) == 1;
      count += asked ? 1 : 0;
      std::vector<std::size_t> answering;
      for (std::size_t f = answers ? 1 : 2; f < 5; ++f)
        if (to_follower(c, f) == 1)
          answering.push_back(f);
      c.accept(answering);
    }
    return count;
  };
  CHECK(heartbeats_in(2 * o.election_timeout_max, false) >=
        2 * o.election_timeout_max / o.heartbeat_interval - 1);
  const auto few = heartbeats_in(16 * o.heartbeat_interval, false);
  CHECK(few >= 3);
  CHECK(few <= 5);
  c.hear(1, accepted_of(1, c.progress_of(1).last_sequence.value, 1));
  CHECK(heartbeats_in(16 * o.heartbeat_interval, true) >= 15);
}

TEST_CASE("a leader calms who asks for pre-votes with one message") {
  lone_core c(5);
  c.lead();
  c.hear(3, pre_vote_request{{2}, {1}, {1}});
  CHECK(c.sent() == 1);
  CHECK(to_follower(c, 3) == 1);
}

TEST_CASE("retries of one that never answers come further and further apart") {
  lone_core c(2);
  c.lead();
  c.propose("a");
  std::size_t retries = 0;
  const auto begun = c.now();
  for (int deadlines = 0; c.now() < begun + 1s && deadlines < 100; ++deadlines) {
    c.time_out();
    retries += c.sent();
  }
  CHECK(retries >= 5);
  CHECK(retries <= 12);
}

TEST_SUITE_END();
