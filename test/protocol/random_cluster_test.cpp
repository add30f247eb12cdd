// Cores against a network that loses, repeats, delays and reorders, against crashes, pauses, stalled storages
// and clocks that run at different rates, while members come and go. Whatever happens: the properties of
// figure 3 hold, no read is stale, whatever commits is answered for (all of it checked after every step), and
// when it stops all is committed.
//
// TROUPE_SEEDS: how many seeds (default 120); TROUPE_SEED: the first of them; TROUPE_SIZE: only this size.

#include "test/support/pure_cluster.hpp"

#include <fmt/format.h>

#include <cstdlib>

using namespace troupe;
using namespace troupe::test;
using raft::configuration;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct totals {
  std::size_t committed = 0;
  std::size_t terms = 0;
  std::size_t reads = 0;
  std::size_t changes = 0;
  std::size_t answers = 0;
};

class storm {
 public:
  storm(std::uint64_t seed, std::size_t size)
      : draws_(seed ^ 0x5701), cluster_(size, some_options(), seed), size_(size),
        loss_(chance(0.5) ? 0.0 : 0.2), members_change_(chance(0.5)) {
    for (std::size_t i = 0; i < size; ++i) {
      // What the lease leaves room for: 900 ms must end before 1000 ms do on any two clocks.
      cluster_[i].clock_rate = 950 + static_cast<std::int64_t>(draws_() % 101);
      cluster_[i].clock_ahead = duration(draws_() % 1'000'000'000);
      cluster_.restart(i);
    }
    cluster_.lose = [this](const auto& m) { return chance(loss_) || cut_.contains({m.from, m.to}); };
    cluster_.repeat = [this](const auto&) { return chance(0.1); };
    cluster_.delay = [this] {
      const auto longest = chance(0.05) ? 300'000'000U : 5'000'000U;
      return duration(1 + draws_() % longest);
    };
  }

  void rage(int moments) {
    for (int i = 0; i < moments; ++i) {
      cluster_.run_for(duration(draws_() % 200'000'000));
      trouble();
      for (std::size_t l = 0; l < size_; ++l)
        if (cluster_[l].up && !cluster_[l].paused && cluster_.core(l).role() == raft::role_kind::leader)
          work(l);
    }
  }

  /// All faults end: now everything must come to an end as well.
  void settle() {
    cut_.clear();
    loss_ = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      cluster_[i].stalled = cluster_[i].paused = false;
      cluster_[i].up ? cluster_.store(i) : cluster_.restart(i);
    }
    // One that missed its removal may still believe to lead for a moment.
    cluster_.run_for(3s);
    const auto l = cluster_.elect();
    cluster_.step(l, raft::propose{{put_of("the last one")}});
    const auto all_have_it = [&] {
      const auto leads = cluster_.leader();
      if (!leads)
        return false;
      const auto& c = cluster_.core(*leads).active_configuration();
      for (std::size_t i = 0; i < size_; ++i)
        if ((c.is_voter(id_of(i)) || c.is_learner(id_of(i))) &&
            cluster_.core(i).commit_index() < cluster_.core(*leads).log().last_index())
          return false;
      return cluster_[*leads].answered_index == cluster_.core(*leads).log().last_index();
    };
    CHECK(cluster_.run_until(all_have_it, 20s));
    cluster_.run_for(3s);
    for (std::size_t i = 0; i < size_; ++i) {
      CHECK_MESSAGE(cluster_[i].asked.empty(), "reads are left without an answer");
      const auto difference = raft::observer::compare_logs(cluster_.core(0), cluster_.core(i));
      CHECK_MESSAGE(!difference, difference.value_or(""));
    }
  }

  void add_to(totals& t) {
    t.committed += cluster_.observer().committed().size();
    t.terms += cluster_.observer().leaders().size();
    t.changes += changes_;
    for (std::size_t i = 0; i < size_; ++i) {
      t.reads += cluster_[i].reads.size();
      t.answers += cluster_[i].answered.size();
    }
  }

 private:
  bool chance(double p) { return static_cast<double>(draws_() >> 11) * 0x1.0p-53 < p; }

  raft::options some_options() {
    raft::options o;
    o.window_messages = chance(0.5) ? 8 : 2;
    o.lease = chance(0.3) ? 0ms : 900ms;
    o.commit_notice_delay = chance(0.3) ? 0ms : 80ms;
    if (chance(0.5))
      o.max_append_bytes = 1'024;
    return o;
  }

  void trouble() {
    const auto number = draws_() % size_;
    auto& r = cluster_[number];
    if (!r.up && chance(0.3))
      cluster_.restart(number);
    else if (r.up && chance(0.05))
      cluster_.crash(number);
    if (chance(r.stalled ? 0.3 : 0.03))
      r.stalled = !r.stalled;
    if (r.up && chance(r.paused ? 0.3 : 0.05))
      r.paused = !r.paused;
    if (chance(0.1))
      cut_.insert({id_of(number), id_of(draws_() % size_)});
    if (chance(0.1))
      cut_.clear();
  }

  void work(std::size_t l) {
    cluster_.step(l, raft::propose{{put_of(fmt::format("v{}", ++proposed_))}});
    cluster_.step(l, raft::reads{{++asked_}});
    if (chance(0.05)) // a burst that takes several appends
      for (int i = 0; i < 40; ++i)
        cluster_.step(l, raft::propose{{put_of(fmt::format("v{}", ++proposed_))}});
    if (chance(0.02))
      cluster_.step(l, raft::transfer{id_of(draws_() % size_)});
    const auto& c = cluster_.core(l);
    if (chance(0.02) && c.commit_index() > c.log().base_index())
      cluster_.step(l, raft::compact{c.commit_index(), std::string(draws_() % 20'000, 's')});
    if (members_change_ && chance(0.05)) {
      const auto e = cluster_.step(l, raft::reconfigure{changed(cluster_.core(l).active_configuration())});
      changes_ += e.refused_input ? 0 : 1;
    }
  }

  /// Somebody becomes a voter, a learner, or nothing.
  configuration changed(configuration c) {
    const auto id = id_of(draws_() % size_);
    std::erase(c.voters, id);
    std::erase(c.learners, id);
    if (chance(0.6))
      c.voters.push_back(id);
    else if (chance(0.5))
      c.learners.push_back(id);
    std::sort(c.voters.begin(), c.voters.end());
    std::sort(c.learners.begin(), c.learners.end());
    return c;
  }

  std::mt19937_64 draws_;
  pure_cluster cluster_;
  std::size_t size_;
  double loss_;
  bool members_change_;
  std::set<std::pair<replica_id, replica_id>> cut_;
  std::uint64_t proposed_ = 0;
  std::uint64_t asked_ = 0;
  std::size_t changes_ = 0;
};

} // namespace

TEST_CASE("whatever the network and the machines do, the replicas agree and come back to work") {
  const auto first = from_environment("TROUPE_SEED", 1);
  const auto seeds = from_environment("TROUPE_SEEDS", std::getenv("TROUPE_SEED") ? 1 : 120);
  const auto only = from_environment("TROUPE_SIZE", 0);
  const auto* options = doctest::getContextOptions();
  totals t;
  for (auto seed = first; seed < first + seeds; ++seed)
    for (const std::size_t size : {1U, 2U, 3U, 4U, 5U, 7U}) {
      if (only != 0 && only != size)
        continue;
      INFO("seed ", seed, ", size ", size);
      const auto replay = fmt::format("TROUPE_SEED={} TROUPE_SIZE={} {} -tc=\"{}\"", seed, size,
                                      options->binary_name.c_str(), options->currentTest->m_name);
      INFO("replay: ", replay);
      storm s(seed, size);
      s.rage(400);
      s.settle();
      s.add_to(t);
    }
  MESSAGE(t.committed, " entries committed in ", t.terms, " terms, ", t.answers, " answers, ", t.reads,
          " reads, ", t.changes, " changes of members");
  if (only != 0)
    return;
  // The storms must leave room for work, or they prove nothing.
  CHECK(t.committed > 150 * seeds);
  CHECK(t.reads > 150 * seeds);
  CHECK(t.terms > 15 * seeds);
  CHECK(t.changes > seeds);
}
