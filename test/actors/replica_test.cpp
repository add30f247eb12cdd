// Three whole replicas in virtual time: what clients see.

#include "test/support/replica_group.hpp"
#include "test/support/stage.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::test;

namespace {

std::string type_of(const std::string& message) { return field_of(message, "type"); }

/// The one answer that came, in short.
std::string only_answer(replica_group& g) {
  const auto answers = g.answers();
  REQUIRE(answers.size() == 1);
  const auto& a = answers.front();
  const auto value = field_of(a, "value");
  if (type_of(a) == "redirect")
    return fmt::format("redirect {} to {}", field_of(a, "MID"), field_of(a, "leader"));
  return fmt::format("{} {}{}{}", type_of(a), field_of(a, "MID"), value.empty() ? "" : "=", value);
}

std::string redirected(std::string_view mid, std::string_view leader) {
  return fmt::format("redirect {} to {}", mid, leader);
}

/// Three replicas that have elected one.
struct elected : replica_group {
  elected() : replica_group(3) {
    advance(3s);
    REQUIRE(leader() != "");
  }
};

} // namespace

TEST_CASE("replica: says hello before anything else, and nothing more for a second") {
  replica_group g(3);
  CHECK(g.hellos.size() == 3);
  g.advance(990ms);
  CHECK(g.between_replicas == 0);
}

TEST_CASE("replica: three of them elect one, which all of them name") {
  const elected g;
  CHECK(g.stops.empty());
}

TEST_CASE("replica: a request that comes before the election is answered after it") {
  replica_group g(3);
  g.ask(put_message("0000", "1", "k", "v"));
  CHECK(g.answers().empty());
  g.advance(3s);
  const auto leader = g.leader();
  REQUIRE(leader != "");
  CHECK(only_answer(g) == (leader == "0000" ? "ok 1" : redirected("1", leader)));
}

TEST_CASE("replica: what was put is what is got") {
  elected g;
  g.ask(put_message(g.leader(), "1", "k", "v"));
  CHECK(only_answer(g) == "ok 1");
  g.ask(get_message(g.leader(), "2", "k"));
  CHECK(only_answer(g) == "ok 2=v");
  g.ask(get_message(g.leader(), "3", "another"));
  CHECK(only_answer(g) == "ok 3");
}

TEST_CASE("replica: a follower sends clients to the leader") {
  elected g;
  const auto follower = g.other_than(g.leader());
  g.ask(put_message(follower, "1", "k", "v"));
  g.advance(500ms); // until it has heard from the leader again
  CHECK(only_answer(g) == redirected("1", g.leader()));
}

TEST_CASE(
    "replica: a committed put takes as many messages as it takes for a majority, and a leased get none") {
  elected g;
  g.advance(1s);
  g.between_replicas = 0;
  g.ask(put_message(g.leader(), "1", "k", "v"));
  CHECK(g.between_replicas == 2); // an append and its answer
  g.between_replicas = 0;
  g.ask(get_message(g.leader(), "2", "k"));
  CHECK(g.between_replicas == 0);
  CHECK(g.answers().size() == 2);
}

TEST_CASE("replica: when the leader is gone another one has what was committed") {
  elected g;
  const auto first = g.leader();
  g.ask(put_message(first, "1", "k", "v"));
  CHECK(only_answer(g) == "ok 1");
  g.kill(first);
  g.advance(5s);
  const auto second = g.leader();
  REQUIRE(second != "");
  CHECK(second != first);
  g.answers();
  g.ask(get_message(second, "2", "k"));
  CHECK(only_answer(g) == "ok 2=v");
}

TEST_CASE("replica: a new leader answers for the entries that it inherited, once") {
  elected g;
  const auto first = g.leader();
  g.advance(1s);
  // The append reaches a follower; the answer does not reach the leader.
  g.ask_and_lose_answers(put_message(first, "1", "k", "inherited"));
  CHECK(g.answers().empty());
  g.kill(first);
  g.advance(5s);
  REQUIRE(g.leader() != "");
  CHECK(only_answer(g) == "ok 1");
  g.ask(get_message(g.leader(), "2", "k"));
  CHECK(only_answer(g) == "ok 2=inherited");
  g.advance(5s);
  CHECK(g.answers().empty());
}

TEST_CASE("replica: a leader that is cut off answers nothing that others could have changed") {
  elected g;
  const auto first = g.leader();
  g.ask(put_message(first, "1", "k", "old"));
  CHECK(only_answer(g) == "ok 1");
  g.advance(200ms); // until the others know that it is committed, and answered
  g.cut(first);
  g.advance(5s);
  const auto second = g.leader();
  REQUIRE(second != "");
  g.ask(put_message(second, "2", "k", "new"));
  CHECK(only_answer(g) == "ok 2");
  g.ask(get_message(first, "3", "k"));
  g.ask(put_message(first, "4", "k", "lost"));
  CHECK(g.answers().empty());
  g.heal();
  g.advance(2s);
  for (const auto& a : g.answers())
    CHECK(type_of(a) == "redirect");
  g.ask(get_message(second, "5", "k"));
  CHECK(only_answer(g) == "ok 5=new");
}

TEST_CASE("replica: one that was away catches up by a snapshot") {
  replica_group g(3, {.snapshot_after_bytes = 2'000});
  g.advance(3s);
  const auto leader = g.leader();
  const auto away = g.other_than(leader);
  g.cut(away);
  for (int i = 0; i < 200; ++i)
    g.ask(put_message(leader, std::to_string(i), fmt::format("k{}", i), "v"));
  CHECK(g.answers().size() == 200);
  g.heal();
  g.advance(5s);
  g.kill(leader);
  g.advance(5s);
  g.answers();
  g.ask(get_message(g.leader(), "x", "k7"));
  CHECK(only_answer(g) == "ok x=v");
  CHECK(g.stops.empty());
}

TEST_CASE("replica: ends in the middle of its work, whatever waits in its mailboxes") {
  for (int jobs = 0; jobs < 12; ++jobs) {
    actors::memory_storage disk;
    recording_edge edge;
    actors::loop_system system(actors::time_source::virtual_time);
    auto r = std::make_unique<actors::replica>(
        system.system(),
        actors::replica_setup{wire::directory("0000", {}),
                              {},
                              {},
                              {},
                              &edge,
                              &disk,
                              {[](actors::log_level, const std::string&) {}, [](const std::string&) {}},
                              nullptr});
    system.scheduler().run_jobs();
    for (int i = 0; i < 3; ++i) {
      r->receive(put_message("0000", std::to_string(i), "k", "v"));
      r->receive(get_message("0000", fmt::format("g{}", i), "k"));
    }
    for (int i = 0; i < jobs; ++i)
      system.scheduler().run_one();
    r.reset();
  }
}

TEST_CASE("replica: one alone leads itself") {
  replica_group g(1);
  g.advance(3s);
  g.ask(put_message("0000", "1", "k", "v"));
  g.ask(get_message("0000", "2", "k"));
  CHECK(g.answers().size() == 2);
}

TEST_CASE("replica: a snapshot that cannot be read is refused, and the next one is taken") {
  const auto piece = [](int sequence, std::string_view data) {
    return fmt::format(R"({{"src":"0001","dst":"0000","leader":"0001","type":"snapshot_piece","term":3,)"
                       R"("sequence":{},"last_index":5,"last_term":2,"voters":["0000","0001"],"learners":[],)"
                       R"("offset":0,"data":{},"done":true}})",
                       sequence, data);
  };
  replica_group g(2);
  g.ask(piece(1, "\"no state\""));
  CHECK(g.stops.empty());
  CHECK(g.between_replicas == 1); // nothing is acknowledged
  kv::state_machine state;
  std::string quoted = "\"";
  for (const char c : state.serialise())
    quoted += c == '\n' ? std::string("\\n") : c == '"' ? std::string("\\\"") : std::string(1, c);
  g.ask(piece(2, quoted + "\""));
  CHECK(g.stops.empty());
  CHECK(g.between_replicas == 3);
}
