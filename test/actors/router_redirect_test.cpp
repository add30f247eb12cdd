// The router: to whom clients are sent, and when (decision 4).

#include "test/actors/router_stage.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace troupe::actors;

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

TEST_CASE("router: what waits while nobody leads goes to the leader that others hear from, once for each "
          "word of it") {
  router_stage s;
  s.leads(nobody, 2);
  s.asks(put_of("1"));
  s.tell(s.rooms().router, leader_heard{other, true});
  CHECK(s.answers() == answers_in_short{"redirect 1 to 0001"});
  s.asks(put_of("2"));
  CHECK(s.all().empty());
  s.tell(s.rooms().router, leader_heard{third, true});
  CHECK(s.answers() == answers_in_short{"redirect 2 to 0002"});
}
