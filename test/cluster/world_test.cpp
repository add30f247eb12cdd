#include "test/cluster/stage.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <set>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("requests are spread evenly over the lifetime, which begins after the start wait") {
  auto s = example();
  s.mix = 0;
  stage t(s);
  t.hello_all();
  t.until(4999ms);
  CHECK(t.taken().empty());
  t.until(5s);
  CHECK(t.taken().size() == 1);
  t.until(5099ms);
  CHECK(t.taken().empty());
  t.until(5100ms);
  CHECK(t.taken().size() == 1);
  t.until(6s);
  CHECK(t.taken().size() == 9);
  t.until(16s);
  CHECK(t.taken().size() == 89);
  CHECK(t.w.figures().puts == 100);
}

TEST_CASE("a request goes to where its receiver said hello from") {
  stage t(example());
  t.hello_all();
  t.until(6s);
  for (const auto& d : t.taken()) {
    CHECK(d.endpoint == 1000u + d.to.value);
    CHECK(read_request(d.bytes).replica == to_string(d.to));
  }
}

TEST_CASE("the run lasts for start wait, lifetime and end wait") {
  stage t(example());
  t.hello_all();
  t.until(16999ms);
  CHECK_FALSE(t.w.finished());
  t.until(17s);
  CHECK(t.w.finished());
  t.w.finish(t.now);
  CHECK(t.w.figures().took == 17s);
}

TEST_CASE("the simulator looks around at least every 100 ms") {
  stage t(example());
  CHECK(t.w.next_due() == start + 100ms);
  t.until(70ms);
  CHECK(t.w.next_due() == start + 170ms);
}

TEST_CASE("a message between replicas is passed on untouched") {
  stage t(example());
  t.hello_all();
  const std::string odd = R"( { "src":"0001","dst":"0003",  "leader":"FFFF","type":"x","b":[1.50] } )";
  t.say(1, odd);
  const auto got = t.taken();
  REQUIRE(got.size() == 1);
  CHECK(got[0].to == replica_id{3});
  CHECK(got[0].bytes == odd);
}

TEST_CASE("a broadcast goes to all others and counts once for each") {
  stage t(example());
  t.hello_all();
  t.tell(1, "FFFF");
  CHECK(t.receivers() == std::vector<replica_id>{{0}, {2}, {3}, {4}});
  CHECK(t.w.figures().total_msgs == 4);
  CHECK(t.w.figures().msgs_by_type.at("append") == 4);
}

TEST_CASE("hello is swallowed, may be repeated, and is not on the bill") {
  stage t(example());
  t.hello_all();
  t.hello_all();
  CHECK(t.taken().empty());
  CHECK(t.w.figures().total_msgs == 0);
  CHECK(t.w.complaints().empty());
}

TEST_CASE("lost messages count, and each receiver of a broadcast has its own luck") {
  auto s = example();
  s.drops = 0.5;
  stage t(s);
  t.hello_all();
  for (int i = 0; i < 250; ++i)
    t.tell(0, "FFFF");
  const auto& f = t.w.figures();
  CHECK(f.total_msgs == 1000);
  CHECK(f.lost_by_drops > 400);
  CHECK(f.lost_by_drops < 600);
  const auto arrived = t.receivers();
  CHECK(arrived.size() == 1000 - f.lost_by_drops);
  CHECK(std::count(arrived.begin(), arrived.end(), replica_id{1}) !=
        std::count(arrived.begin(), arrived.end(), replica_id{2}));
}

TEST_CASE("clients' messages are never lost") {
  auto s = example();
  s.drops = 1;
  s.mix = 0;
  stage t(s);
  t.hello_all();
  t.until(15s);
  const auto requests = t.taken();
  CHECK(requests.size() == 100);
  for (const auto& d : requests) {
    const auto r = read_request(d.bytes);
    t.say(d.to.value, message(d.to, r.client, d.to, "ok", fmt::format(R"(,"MID":"{}")", r.mid)));
  }
  CHECK(t.w.figures().puts_ok == 100);
}

TEST_CASE("whoever has not said hello when something must be delivered to it has died") {
  stage t(example());
  t.hello(0);
  t.tell(0, "0001");
  CHECK(t.taken().empty());
  CHECK(t.complained({1}, misdeed::no_hello));
  CHECK(t.w.figures().deaths.size() == 1);
  CHECK_FALSE(t.w.lives({1}));
  t.hello(1);
  CHECK_FALSE(t.w.lives({1}));
  t.until(5s);
  CHECK(t.w.figures().deaths.size() <= 2);
}

TEST_CASE("a client's request needs a hello as well") {
  auto s = example();
  s.mix = 0;
  stage t(s);
  t.until(7s);
  CHECK(t.w.figures().deaths.size() == 5);
  CHECK(t.w.finished());
}

TEST_CASE("a replica that ends by itself has died, one that was killed has not") {
  stage t(with_events({{event_type::kill_leader, 1s}}));
  t.hello_all();
  t.tell(0, "0001", {2});
  t.until(6s);
  CHECK(t.victims() == std::vector<replica_id>{{2}});
  t.w.ended({2}, "exited", t.now);
  CHECK(t.w.figures().deaths.empty());
  t.w.ended({3}, "exited with status 3", t.now);
  CHECK(t.w.figures().deaths == std::vector<std::string>{"0003 exit: exited with status 3"});
  CHECK(t.complained({3}, misdeed::exited));
}

TEST_CASE("nothing is taken from or given to a killed replica") {
  stage t(with_events({{event_type::kill_leader, 1s}}));
  t.hello_all();
  t.tell(0, "0001", {2});
  t.until(6s);
  t.taken();
  const auto before = t.w.figures().total_msgs;
  t.tell(2, "FFFF", {2});
  t.say(2, "garbage");
  t.hello(2);
  CHECK(t.w.figures().total_msgs == before);
  CHECK(t.w.complaints().empty());
  t.tell(0, "0002");
  t.tell(0, "FFFF");
  CHECK(t.receivers() == std::vector<replica_id>{{1}, {3}, {4}});
  CHECK(t.w.figures().total_msgs == before + 5);
  CHECK(t.w.figures().to_the_dead == 2);
}

TEST_CASE("the leader is whom the last message names") {
  stage t(example());
  t.hello_all();
  CHECK(t.w.leader() == nobody);
  t.tell(0, "0001", {2});
  CHECK(t.w.leader() == replica_id{2});
  t.tell(3, "0001", {4});
  CHECK(t.w.leader() == replica_id{4});
  t.tell(3, "0001", nobody);
  CHECK(t.w.leader() == nobody);
  CHECK(t.w.figures().leader_changes == 1);
}

TEST_CASE("while partitioned, the leader is whom the last message from inside names") {
  stage t(with_events({{event_type::part_easy, 1s}, {event_type::part_end, 2s}}));
  t.hello_all();
  t.tell(0, "0001", {2});
  t.until(6s);
  const auto inside = t.w.figures().events.at(0).hits;
  CHECK(std::count(inside.begin(), inside.end(), replica_id{2}) == 1);
  std::uint16_t outsider = 0;
  while (std::count(inside.begin(), inside.end(), replica_id{outsider}) > 0)
    ++outsider;
  t.tell(outsider, "0001", {outsider});
  CHECK(t.w.leader() == replica_id{2});
  t.tell(inside[0].value, "0001", inside[1]);
  CHECK(t.w.leader() == inside[1]);
  t.until(7s);
  t.tell(outsider, "0001", {outsider});
  CHECK(t.w.leader() == replica_id{outsider});
}

TEST_CASE("a partition separates inside from outside until its end, and clients reach both sides") {
  auto s = with_events({{event_type::part_hard, 0s}, {event_type::part_end, 9s}});
  s.mix = 0;
  stage t(s);
  t.hello_all();
  t.until(5s);
  t.taken();
  const auto inside = t.w.figures().events.at(0).hits;
  REQUIRE(inside.size() == 3);
  t.tell(inside[0].value, "FFFF");
  CHECK(t.receivers() == std::vector<replica_id>{inside[1], inside[2]});
  CHECK(t.w.figures().lost_by_partition == 2);
  CHECK(t.w.figures().total_msgs == 4);
  t.until(13900ms);
  const auto asked = t.receivers();
  CHECK(std::set(asked.begin(), asked.end()).size() == 5);
  t.until(14s);
  t.taken();
  t.tell(inside[0].value, "FFFF");
  CHECK(t.taken().size() == 4);
}

/// Which replicas the clients ask in a second, after all of them learned that 0002 leads and then an event.
static std::set<replica_id> asked_after(event_type type, replica_id leader) {
  auto s = with_events({{type, 5s}});
  s.requests = 1000;
  s.mix = 0;
  stage t(s);
  t.hello_all();
  for (duration d = 5s; d < 10s; d += 10ms) {
    t.until(d);
    for (const auto& out : t.taken()) {
      const auto r = read_request(out.bytes);
      t.say(out.to.value, message(out.to, r.client, {2}, "ok", fmt::format(R"(,"MID":"{}")", r.mid)));
    }
  }
  t.tell(0, "0001", leader);
  t.until(10s);
  t.out.clear();
  t.until(11s);
  const auto asked = t.receivers();
  return {asked.begin(), asked.end()};
}

TEST_CASE(
    "clients forget the leader in a hard partition, in an easy one without a leader, and when it is killed") {
  CHECK(asked_after(event_type::part_easy, {2}) == std::set<replica_id>{{2}});
  CHECK(asked_after(event_type::kill_non_leader, {2}) == std::set<replica_id>{{2}});
  CHECK(asked_after(event_type::part_hard, {2}).size() == 5);
  CHECK(asked_after(event_type::part_easy, nobody).size() == 5);
  // The wrong one is killed here: the clients forget whom they know all the same.
  CHECK(asked_after(event_type::kill_leader, {4}) == std::set<replica_id>{{0}, {1}, {2}, {3}});
  CHECK(asked_after(event_type::kill_leader, nobody) == std::set<replica_id>{{2}});
}

TEST_CASE("a kill without a living leader is skipped") {
  stage t(with_events(
      {{event_type::kill_leader, 1s}, {event_type::kill_leader, 2s}, {event_type::kill_leader, 3s}}));
  t.hello_all();
  t.until(6s);
  CHECK(t.victims().empty());
  t.tell(0, "0001", {2});
  t.until(8s);
  CHECK(t.victims() == std::vector<replica_id>{{2}});
  const auto& events = t.w.figures().events;
  REQUIRE(events.size() == 3);
  CHECK(events[0].hits.empty());
  CHECK(events[0].time == 6s);
  CHECK(events[1].hits == std::vector<replica_id>{{2}});
  CHECK(events[2].hits.empty());
}

TEST_CASE("of a request and an event that are due together the request goes first") {
  auto s = with_events({{event_type::kill_leader, 1s}});
  s.mix = 0;
  stage t(s);
  t.hello_all();
  t.tell(0, "0001", {2});
  t.until(5900ms);
  t.out.clear();
  t.until(6s);
  REQUIRE(t.out.size() == 2);
  CHECK(std::holds_alternative<deliver>(t.out[0]));
  CHECK(std::holds_alternative<kill>(t.out[1]));
}

TEST_CASE("the run stops when max_packets messages between replicas were sent") {
  auto s = example();
  s.max_packets = 10;
  stage t(s);
  t.hello_all();
  t.tell(0, "0001");
  t.tell(1, "FFFF");
  t.tell(1, "FFFF");
  CHECK_FALSE(t.w.finished());
  t.tell(0, "0001");
  CHECK(t.w.finished());
  CHECK(t.w.figures().stopped_at_max_packets);
  CHECK(t.complained({1}, misdeed::message_storm));
  t.until(6s);
  CHECK(t.w.figures().puts == 0);
}

TEST_CASE("what is no message is dropped and charged to its sender") {
  stage t(example());
  t.hello_all();
  t.say(1, "nonsense");
  t.w.receive(77, "nonsense", t.now, t.out);
  CHECK(t.complained({1}, misdeed::garbage));
  CHECK(t.complained(nobody, misdeed::garbage));
  t.say(1, message({1}, "C000", nobody, "append"));
  CHECK(t.w.complaints().at({replica_id{1}, misdeed::garbage}).count == 2);
  CHECK(t.taken().empty());
  CHECK(t.w.figures().total_msgs == 0);
}

TEST_CASE("a message in another's name, before hello or to nobody there is goes nowhere") {
  stage t(example());
  t.hello(1);
  t.hello(2);
  t.say(1, message({2}, "0002", nobody, "x"));
  CHECK(t.complained({1}, misdeed::wrong_source));
  t.say(3, message({3}, "0001", nobody, "x"));
  CHECK(t.complained(nobody, misdeed::wrong_source));
  t.tell(1, "0077");
  CHECK(t.complained({1}, misdeed::unknown_destination));
  CHECK(t.taken().empty());
  CHECK(t.w.figures().total_msgs == 0);
}

TEST_CASE("a leader that is no replica counts as none") {
  stage t(example());
  t.hello_all();
  t.tell(1, "0002", {0x77});
  CHECK(t.w.leader() == nobody);
  CHECK(t.complained({1}, misdeed::unknown_leader));
}

TEST_CASE("whoever says nothing but hello is reported as silent") {
  stage t(example());
  t.hello_all();
  t.tell(1, "0002");
  t.w.finish(start + 17s);
  CHECK_FALSE(t.complained({1}, misdeed::silence));
  CHECK(t.complained({2}, misdeed::silence));
}

TEST_CASE("the same seed makes the same run, another one another") {
  const auto play = [](std::uint64_t seed) {
    auto s = with_events({{event_type::part_hard, 1s}, {event_type::kill_non_leader, 2s}});
    s.drops = 0.3;
    stage t(s, seed);
    t.hello_all();
    std::string all;
    for (duration d = 5s; d < 15s; d += 100ms) {
      t.tell(0, "FFFF", {0});
      t.until(d);
      for (const auto& out : t.taken())
        all += to_string(out.to) + out.bytes;
    }
    for (const auto& event : t.w.figures().events)
      for (auto id : event.hits)
        all += to_string(id);
    return all;
  };
  CHECK(play(1) == play(1));
  CHECK(play(1) != play(2));
}
