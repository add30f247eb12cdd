// Cores against a network that loses, repeats, delays and reorders, and against crashes: whatever happens,
// the properties of figure 3 hold (the observer checks them after every step), and when it stops all is
// committed.

#include "test/support/pure_cluster.hpp"

#include <fmt/format.h>

using namespace troupe;
using namespace troupe::test;

namespace {

struct storm {
  std::uint64_t seed;
  std::size_t size;
};

std::size_t committed_in_storms = 0;
std::size_t terms_in_storms = 0;

void run(const storm& s) {
  raft::options o;
  o.window_messages = 8;
  pure_cluster c(s.size, o, s.seed);
  auto chance = [&](double p) { return static_cast<double>(c.random() >> 11) * 0x1.0p-53 < p; };
  const double loss = chance(0.5) ? 0.0 : 0.2;
  std::set<std::pair<replica_id, replica_id>> cut;
  c.lose = [&](const auto& m) { return chance(loss) || cut.contains({m.from, m.to}); };
  c.repeat = [&](const auto&) { return chance(0.1); };
  c.delay = [&] { return duration(1 + c.random() % (chance(0.05) ? 300'000'000 : 5'000'000)); };

  std::uint64_t proposed = 0;
  for (int i = 0; i < 400; ++i) {
    c.run_for(duration(c.random() % 200'000'000));
    const auto number = c.random() % s.size;
    if (!c[number].up && chance(0.3))
      c.restart(number);
    else if (c[number].up && chance(0.05))
      c.crash(number);
    if (chance(c[number].stalled ? 0.3 : 0.03))
      c[number].stalled = !c[number].stalled;
    if (chance(0.1))
      cut.insert({id_of(number), id_of(c.random() % s.size)});
    if (chance(0.1))
      cut.clear();
    for (std::size_t l = 0; l < s.size; ++l) {
      if (!c[l].up || c.core(l).role() != raft::role_kind::leader)
        continue;
      c.step(l, raft::propose{{put_of(fmt::format("v{}", ++proposed))}});
      c.step(l, raft::read{proposed});
      if (chance(0.02))
        c.step(l, raft::transfer{id_of(c.random() % s.size)});
      if (chance(0.02) && c.core(l).commit_index() > c.core(l).log().base_index())
        c.step(l, raft::compact{c.core(l).commit_index(), std::string(c.random() % 20'000, 's')});
    }
  }

  cut.clear();
  c.lose = [](const auto&) { return false; };
  for (std::size_t i = 0; i < s.size; ++i) {
    c[i].stalled = false;
    c[i].up ? c.store(i) : c.restart(i);
  }
  const auto l = c.elect();
  c.step(l, raft::propose{{put_of("the last one")}});
  committed_in_storms += c.observer().committed().size();
  terms_in_storms += c.observer().leaders().size();
  const auto everybody_has_it = [&] {
    for (std::size_t i = 0; i < s.size; ++i)
      if (!c.leader() || c.core(i).commit_index() < c.core(*c.leader()).log().last_index())
        return false;
    return true;
  };
  CHECK(c.run_until(everybody_has_it, 20s));
  for (std::size_t i = 1; i < s.size; ++i) {
    const auto difference = raft::observer::compare_logs(c.core(0), c.core(i));
    CHECK_MESSAGE(!difference, difference.value_or(""));
  }
}

} // namespace

TEST_CASE("whatever the network and the machines do, the replicas agree and come back to work") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    for (const std::size_t size : {1U, 2U, 3U, 5U, 7U}) {
      CAPTURE(seed);
      CAPTURE(size);
      run({seed, size});
    }
  // The storms must leave room for work, or they prove nothing.
  MESSAGE("committed ", committed_in_storms, " in ", terms_in_storms, " terms");
  CHECK(committed_in_storms > 10'000);
  CHECK(terms_in_storms > 1'000);
}
