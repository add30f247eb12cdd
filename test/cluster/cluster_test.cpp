#include "cluster/cluster.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> none;

} // namespace

TEST_CASE("cluster: what is put can be read, also from the next leader") {
  for (std::size_t replicas : {1u, 2u, 3u, 5u, 21u}) {
    cluster c({.replicas = replicas, .seed = replicas});
    REQUIRE(c.elect() != nobody);
    CHECK(c.put("colour", "blue"));
    if (replicas > 2) {
      CHECK(c.crash_leader() != nobody);
      CHECK(c.get("colour") == "blue");
    }
    CHECK(c.ask_and_wait(kv::append{"colour", "ish"}).has_value());
    CHECK(c.get("colour") == "blueish");
    CHECK(c.ask_and_wait(kv::cas{"colour", "red", "green"})->applied == false);
    CHECK(c.verify() == none);
  }
}

TEST_CASE("cluster: a request that nobody answers is repeated until somebody does, and applied once") {
  cluster c({.replicas = 3, .seed = 4, .client_network = {.loss = 0.5, .repeat = 0.3}});
  c.elect();
  for (int i = 0; i < 50; ++i)
    CHECK(c.ask_and_wait(kv::append{"key", "x"}, 5min).has_value());
  CHECK(c.get("key") == std::string(50, 'x'));
  std::size_t attempts = 0;
  for (const auto& r : c.requests())
    attempts += r.attempts;
  CHECK(attempts > 80);
  CHECK(c.verify() == none);
}

TEST_CASE(
    "cluster: a leader that hears but is not heard is replaced, and one that is heard but does not hear") {
  for (const bool deaf : {false, true}) {
    cluster c({.replicas = 3, .seed = 5});
    const auto first = c.elect();
    CHECK(c.put("k", "1"));
    for (auto id : c.ids())
      if (id != first)
        deaf ? c.network().cut_one_way(id, first) : c.network().cut_one_way(first, id);
    c.run_for(10s);
    const auto second = c.elect();
    CHECK(second != nobody);
    CHECK(second != first);
    CHECK(c.put("k", "2"));
    c.heal();
    c.run_for(3s);
    CHECK(c.state(first).get("k") == "2");
    CHECK(c.verify() == none);
  }
}

TEST_CASE("cluster: a link that repeats, delays and reorders harms nobody") {
  cluster c({.replicas = 3,
             .seed = 6,
             .network = {.loss = 0.1, .repeat = 0.5, .jitter = 3ms, .late = 0.2, .late_by = 2s},
             .client_network = {.repeat = 0.5, .jitter = 30ms}});
  c.elect();
  for (int i = 0; i < 200; ++i)
    CHECK(c.ask_and_wait(kv::append{"key", "x"}).has_value());
  CHECK(c.get("key") == std::string(200, 'x'));
  CHECK(c.verify() == none);
}

TEST_CASE("cluster: a slow link takes one message after the other") {
  cluster c({.replicas = 3, .seed = 7, .network = {.bandwidth = 100'000}});
  c.elect();
  const auto before = c.now();
  CHECK(c.put("key", std::string(30'000, 'x')));
  // One of the followers has to have all of it before the answer.
  CHECK(c.now() - before > 300ms);
  CHECK(c.verify() == none);
}

TEST_CASE("cluster: messages wait for the hand that lets them go") {
  cluster c({.replicas = 3, .seed = 8});
  const auto leader = c.elect();
  c.network().hold(true);
  const auto n = c.ask(kv::put{"k", "v"}, first_client, leader);
  CHECK(c.network().held().size() == 1);
  const auto m = c.network().take(c.network().held().front().number);
  CHECK(m.to == leader);
  c.deliver(m.to, m.bytes, c.now());
  c.run_for(1ms);
  CHECK_FALSE(c.request(n).answered);
  CHECK_FALSE(c.network().held().empty());
}

TEST_CASE("cluster: a paused process keeps what a socket's buffer holds, and no more") {
  cluster c({.replicas = 3, .seed = 9});
  const auto leader = c.elect();
  c.pause(leader);
  std::vector<request_number> asked;
  const manners patient{.repeat_after = 0s};
  for (int i = 0; i < 30; ++i)
    asked.push_back(
        c.ask(kv::put{fmt::format("k{}", i), std::string(10'000, 'x')}, first_client, leader, patient));
  c.run_for(100ms);
  c.resume(leader);
  c.run_for(1s);
  std::size_t answered = 0;
  for (auto n : asked)
    answered += c.request(n).answered ? 1 : 0;
  CHECK(answered == 21); // of 10,000 bytes and a few in 212,992
  CHECK(c.verify() == none);
}

TEST_CASE("cluster: clocks that drift within what the lease allows do no harm") {
  // 900 ms of lease against 1,000 ms of loyalty: a tenth between the fastest and the slowest.
  cluster c({.replicas = 3, .seed = 10, .clock_rates = {950'000, 1'000'000, 1'050'000}});
  for (int round = 0; round < 20; ++round) {
    const auto leader = c.elect();
    REQUIRE(leader != nobody);
    CHECK(c.put("k", std::to_string(round)));
    c.isolate({leader});
    const auto n = c.ask(kv::get{"k"}, first_client, leader, {.repeat_after = 0s});
    c.run_for(4s);
    CHECK(c.put("k", "next"));
    c.heal();
    c.run_for(1s);
    if (c.request(n).answered)
      CHECK(c.request(n).answer->value == std::to_string(round));
  }
  CHECK(c.verify() == none);
}

TEST_CASE("cluster: a clock beyond what the lease allows is seen by the judge of leases") {
  cluster c({.replicas = 3, .seed = 11});
  const auto leader = c.elect();
  CHECK(c.put("k", "old"));
  c.set_clock_rate(leader, 100'000); // a tenth of true time: its lease lasts for nine seconds
  c.isolate({leader});
  c.run_for(4s);
  CHECK(c.put("k", "new"));
  const auto n = c.ask(kv::get{"k"}, {0xC009}, leader, {.repeat_after = 0s});
  c.run_for(10ms);
  REQUIRE(c.request(n).answered);
  CHECK(c.request(n).answer->value == "old");
  const auto broken = c.verify();
  REQUIRE(broken.size() >= 2);
  CHECK(broken.front().find("one lease holder at a time") == 0);
  CHECK(broken.back().find("linearizability") == 0);
}

TEST_CASE("cluster: with the same seed the same things happen") {
  const auto play = [](std::uint64_t seed) {
    cluster c({.replicas = 5, .seed = seed, .network = {.loss = 0.2, .repeat = 0.1, .jitter = 1ms}});
    c.put("a", "1");
    c.crash_leader();
    c.put("b", "2");
    return std::pair(c.now(), c.steps());
  };
  CHECK(play(1) == play(1));
  CHECK(play(1) != play(2));
}
