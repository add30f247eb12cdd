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

TEST_CASE("what is committed is told to one who holds it, when nothing else tells anybody") {
  lone_core c(5);
  c.lead();
  c.propose("a");
  std::vector<std::size_t> asked;
  for (std::size_t f = 1; f < 5; ++f)
    if (to_follower(c, f) == 1)
      asked.push_back(f);
  c.accept(asked);
  REQUIRE(c->commit_index() == log_index{2});
  CHECK(c.sent() == 0);
  c.pass(c->settings().commit_notice_delay);
  c.step(raft::deadline_passed{});
  CHECK(c.sent() == 1);
  CHECK(c.sent<commit_notice>(asked[0]).size() + c.sent<commit_notice>(asked[1]).size() == 1);
  c.pass(c->settings().commit_notice_delay);
  c.step(raft::deadline_passed{});
  CHECK(c.sent() == 0);
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
