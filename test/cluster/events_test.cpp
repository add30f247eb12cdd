#include "cluster/course/events.hpp"
#include "cluster/course/network.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <set>

using namespace troupe;
using namespace troupe::course;

static const std::vector<replica_id> five{{0}, {1}, {2}, {3}, {4}};

TEST_CASE("kill_leader takes the leader, and nobody if none is known or it is dead") {
  CHECK(leader_to_kill({5, five, {3}}) == replica_id{3});
  CHECK_FALSE(leader_to_kill({5, five, nobody}));
  CHECK_FALSE(leader_to_kill({5, {{0}, {1}}, {3}}));
}

TEST_CASE("kill_non_leader takes any living one but the leader") {
  random_source random(1, 0);
  std::set<replica_id> victims;
  for (int i = 0; i < 200; ++i)
    victims.insert(non_leader_to_kill({5, {{0}, {1}, {2}, {3}}, {2}}, random).value());
  CHECK(victims == std::set<replica_id>{{0}, {1}, {3}});
  CHECK_FALSE(non_leader_to_kill({5, {{2}}, {2}}, random));
}

TEST_CASE("a partition is a random majority of all") {
  random_source random(2, 0);
  std::set<std::vector<replica_id>> seen;
  for (int i = 0; i < 300; ++i) {
    const auto inside = random_majority({5, five, {0}}, random);
    CHECK(inside.size() == 3);
    CHECK(std::is_sorted(inside.begin(), inside.end()));
    seen.insert(inside);
  }
  CHECK(seen.size() == 10); // 3 of 5
  CHECK(random_majority({4, {{0}, {1}, {2}, {3}}, {0}}, random).size() == 3);
}

TEST_CASE("a partition is made of the living, as far as they go") {
  random_source random(3, 0);
  CHECK(random_majority({5, {{1}, {2}, {4}}, nobody}, random) == std::vector<replica_id>{{1}, {2}, {4}});
  CHECK(random_majority({5, {{1}, {2}}, nobody}, random) == std::vector<replica_id>{{1}, {2}});
}

TEST_CASE("an easy partition has the leader inside, and otherwise anybody") {
  random_source random(4, 0);
  std::set<std::vector<replica_id>> seen;
  for (int i = 0; i < 300; ++i) {
    const auto inside = majority_with_leader({5, five, {3}}, random);
    CHECK(inside.size() == 3);
    CHECK(std::count(inside.begin(), inside.end(), replica_id{3}) == 1);
    seen.insert(inside);
  }
  CHECK(seen.size() == 6); // 2 of the other 4
}

TEST_CASE("a partition cuts what crosses it, and nothing else, until it is healed") {
  network net(0, {1, 0});
  using fate = network::fate;
  CHECK_FALSE(net.partitioned());
  CHECK(net.inside({4}));
  net.partition({{0}, {1}, {2}});
  CHECK(net.partitioned());
  CHECK(net.decide({0}, {1}) == fate::arrives);
  CHECK(net.decide({3}, {4}) == fate::arrives);
  CHECK(net.decide({0}, {3}) == fate::cut);
  CHECK(net.decide({3}, {0}) == fate::cut);
  net.heal();
  CHECK(net.decide({0}, {3}) == fate::arrives);
}

TEST_CASE("drops lose about that part of the messages") {
  network net(0.3, {1, 0});
  int lost = 0;
  for (int i = 0; i < 10000; ++i)
    lost += net.decide({0}, {1}) == network::fate::dropped ? 1 : 0;
  CHECK(lost > 2800);
  CHECK(lost < 3200);
}
