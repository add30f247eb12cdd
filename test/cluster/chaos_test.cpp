#include "cluster/chaos/shrink.hpp"

#include "protocol/raft/options.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// How many runs: TROUPE_SEEDS makes a longer sweep.
std::uint64_t seeds() {
  const char* wanted = std::getenv("TROUPE_SEEDS");
  return wanted ? std::strtoull(wanted, nullptr, 10) : 100;
}

std::string first_of(const std::vector<std::string>& list) { return list.empty() ? "" : list.front(); }

} // namespace

TEST_CASE("chaos: whatever happens no rule is broken, and everybody comes back to work") {
  std::uint64_t terms = 0;
  std::size_t answered = 0;
  std::size_t given_up = 0;
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    INFO("troupe-sim chaos --runs 1 --seed ", seed);
    const auto run = chaos::play(chaos::draw(seed));
    CHECK(first_of(run.violations) == "");
    terms += run.terms;
    answered += run.answered;
    given_up += run.given_up;
  }
  // It was a storm, and not all of it in vain.
  CHECK(terms > 2 * seeds());
  CHECK(answered > 100 * seeds());
  CHECK(given_up > seeds());
}

TEST_CASE("chaos: with disks that lose what was not synced, too") {
  chaos::wishes w;
  w.durable = true;
  std::size_t other = 0;
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    INFO("troupe-sim chaos --durable --runs 1 --seed ", seed);
    const auto run = chaos::play(chaos::draw(seed, w));
    CHECK(first_of(run.violations) == "");
    other += run.hash == chaos::play(chaos::draw(seed)).hash ? 0 : 1;
  }
  // Disks take no time unless they are told to, but crashes come in the middle of writing, and another run of
  // it.
  CHECK(other > seeds() / 4);
}

TEST_CASE("chaos: a seed means the same everywhere") {
  const auto run = chaos::play(chaos::draw(42));
  CHECK(chaos::play(chaos::draw(42)).hash == run.hash);
  CHECK(chaos::play(chaos::draw(43)).hash != run.hash);
  // In every build. Changes whenever what replicas say, when they say it, or what is drawn does.
  CHECK(fmt::format("{:016x}", run.hash) == "1e9b88c3a29643cf");
}

TEST_CASE("chaos: what clocks show does not matter, only how fast they go") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto s = chaos::draw(seed);
    const auto hash = chaos::play(s).hash;
    s.setup.clock_offsets.clear();
    CHECK(chaos::play(s).hash == hash);
  }
}

TEST_CASE("chaos: listening changes nothing") {
  std::size_t lines = 0;
  const auto s = chaos::draw(7);
  const auto heard = chaos::play(s, [&](instant, const std::string&) { ++lines; });
  CHECK(heard.hash == chaos::play(s).hash);
  CHECK(lines > heard.messages);
}

TEST_CASE(
    "chaos: every schedule can be played: its timings are sound, and its clocks within what a lease allows") {
  std::set<chaos::fault_kind> kinds;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    const auto s = chaos::draw(seed, {.faults = {}, .durable = seed % 2 == 0});
    CHECK_FALSE(raft::find_fault(s.setup.raft).has_value());
    const auto [slowest, fastest] =
        std::minmax_element(s.setup.clock_rates.begin(), s.setup.clock_rates.end());
    // The slow clock's lease is over before the fast clock's promise.
    CHECK(s.setup.raft.lease.count() * *fastest < s.setup.raft.election_timeout_min.count() * *slowest);
    CHECK(std::is_sorted(s.faults.begin(), s.faults.end(), [](auto& a, auto& b) { return a.at < b.at; }));
    for (const auto& f : s.faults) {
      kinds.insert(f.kind);
      CHECK(f.at + f.lasts <= s.storm);
      CHECK_FALSE(f.whom.empty());
      for (auto id : f.whom)
        CHECK(id.value < s.setup.replicas);
    }
  }
  CHECK(kinds.size() == chaos::fault_kind_count);
}

TEST_CASE("chaos: wishes narrow down what is drawn") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto s =
        chaos::draw(seed, {.faults = {chaos::fault_kind::crash, chaos::fault_kind::cut}, .storm = 3s});
    CHECK(s.storm == 3s);
    for (const auto& f : s.faults)
      CHECK((f.kind == chaos::fault_kind::crash || f.kind == chaos::fault_kind::cut));
  }
}

TEST_CASE("chaos: a part of a schedule has a name, and the name gives that part back") {
  auto s = chaos::draw(3);
  REQUIRE(s.faults.size() > 5);
  REQUIRE(s.requests.size() > 20);
  CHECK(chaos::selection_of(s) == fmt::format("f0-{},r0-{}", s.faults.size() - 1, s.requests.size() - 1));
  chaos::keep(s, "f0,f2-4,r7,r9-10");
  CHECK(s.faults.size() == 4);
  CHECK(s.requests.size() == 3);
  CHECK(chaos::selection_of(s) == "f0,f2-4,r7,r9-10");
  auto again = chaos::draw(3);
  chaos::keep(again, chaos::selection_of(s));
  CHECK(chaos::play(again).hash == chaos::play(s).hash);
  // Nothing at all has one too: some runs fail by what comes after the storm.
  chaos::keep(again, "none");
  CHECK(again.faults.empty());
  CHECK(again.requests.empty());
  CHECK(chaos::selection_of(again) == "none");
}

TEST_CASE("chaos: what is no part of a schedule is refused with a word") {
  const auto refused = [](const char* selection) -> std::string {
    auto s = chaos::draw(3);
    try {
      chaos::keep(s, selection);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  for (const char* bad : {"x", "f", "f-", "f1-", "f-1", "r1-x", "f1,,f2", "3", "f99999999999999999999"})
    CHECK(refused(bad).find("is no item of a schedule") != std::string::npos);
  for (const char* bad : {"f100000", "f0-100000"})
    CHECK(refused(bad).find("is not in the schedule") != std::string::npos);
  CHECK(refused("r3-1") == "\"r3-1\" ends before it begins");
}

TEST_CASE("chaos: a failing schedule is cut down to what matters") {
  const auto full = chaos::draw(3);
  std::size_t played = 0;
  // Fails as soon as one certain fault comes together with one of two requests.
  const chaos::trial needs = [&](const chaos::schedule& s) -> std::string {
    ++played;
    const auto has = [](const auto& items, std::size_t number) {
      return std::any_of(items.begin(), items.end(), [&](const auto& i) { return i.number == number; });
    };
    return has(s.faults, 4) && (has(s.requests, 3) || has(s.requests, 17)) ? "a rule" : "";
  };
  const auto small = chaos::shrink(full, "a rule", needs, 10'000);
  CHECK(small.smallest);
  CHECK(small.trials == played);
  CHECK(chaos::selection_of(small.schedule) == "f4,r3");
  const auto stopped = chaos::shrink(full, "a rule", needs, 3);
  CHECK_FALSE(stopped.smallest);
  CHECK(stopped.trials == 3);
  CHECK(needs(stopped.schedule) == "a rule");
}

TEST_CASE("chaos: who is never answered although the faults have stopped breaks a rule") {
  auto s = chaos::draw(3);
  s.faults.clear();
  s.requests.resize(10);
  // Nobody can take in what no message can carry, so this one is asked for ever.
  s.requests.front().operation = kv::put{"k0", std::string(100'000, 'x')};
  s.requests.front().manners.repeat_after = 1s;
  const auto run = chaos::play(s);
  REQUIRE_FALSE(run.passed());
  CHECK(run.rule() == "every request is answered in the end");
}

TEST_CASE("chaos: a clock that runs away is caught") {
  // A slow clock rarely wins an election, but it can be handed the leadership.
  using enum chaos::fault_kind;
  std::size_t caught = 0;
  for (std::uint64_t seed = 1; seed <= 300 && caught == 0; ++seed) {
    auto s = chaos::draw(seed, {.faults = {cut, one_way, transfer}});
    s.setup.clock_rates.front() = 300'000;
    caught += chaos::play(s).rule() == "one lease holder at a time" ? 1 : 0;
  }
  CHECK(caught == 1);
}
