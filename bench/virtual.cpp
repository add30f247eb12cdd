// How fast virtual time passes, with all judges on: per step of Raft, by the length of the run and by the
// size of the cluster. The rows take turns, so that whatever else the machine does meets all of them alike.

#include "app/sim/virtual_run.hpp"
#include "bench/program.hpp"
#include "cluster/cluster.hpp"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <vector>

using namespace troupe;

namespace {

class nobody_watches : public sim::spectator {
 public:
  void replica_said(replica_id, duration, const std::string&) override {}
  void happened(duration, const std::string&) override {}
  void progressed(duration, replica_id) override {}
};

struct row {
  std::string name;
  troupe::scenario scenario{};
  int puts = 0;                  ///< in place of a scenario: so many, one after the other, to few keys
  std::vector<double> seconds{}; ///< of the processor, for each run
  double virtual_seconds = 0;    ///< of one run
  std::uint64_t steps = 0;       ///< of one run
};

/// The same load for `times` as long.
scenario longer(scenario s, int times) {
  s.lifetime *= times;
  s.requests *= static_cast<std::size_t>(times);
  s.max_packets *= static_cast<std::uint64_t>(times);
  return s;
}

scenario larger(scenario s, std::size_t replicas) {
  s.replicas = replicas;
  s.max_packets *= 10;
  return s;
}

/// Of the processor: what others do on the machine does not count.
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// The log grows, and nothing else does.
void put(row& r, std::uint64_t seed) {
  const auto begun = cpu_seconds();
  cluster c({.replicas = 5, .seed = seed, .router = {.snapshot_after_bytes = 0}});
  c.elect();
  for (int i = 0; i < r.puts; ++i)
    c.put(fmt::format("k{}", i % 8), "a value of thirty-two characters");
  r.seconds.push_back(cpu_seconds() - begun);
  r.steps = c.steps();
  r.virtual_seconds = std::chrono::duration<double>(c.now().since_start).count() - 1;
}

void play(row& r, std::uint64_t seed) {
  if (r.puts > 0)
    return put(r, seed);
  nobody_watches silence;
  const auto begun = cpu_seconds();
  const auto result = sim::play_virtual(
      {std::make_shared<const scenario>(r.scenario), sim::run_mode::virtual_time, seed}, silence);
  r.seconds.push_back(cpu_seconds() - begun);
  r.steps = result.steps;
  r.virtual_seconds = std::chrono::duration<double>(result.figures.took).count();
  if (!result.verdict.passed())
    fmt::print("{} (seed {}) failed: {}\n", r.name, seed, result.verdict.failed_checks.front());
}

void print(row& r, double reference) {
  std::sort(r.seconds.begin(), r.seconds.end());
  const auto median = r.seconds[r.seconds.size() / 2];
  const auto per_step = 1e9 * median / static_cast<double>(r.steps);
  fmt::print("{:<24} {:>9} {:>10.2f} {:>12.0f} {:>9.0f} {:>8.2f} {:>11.0f}\n", r.name, r.steps, 1e3 * median,
             static_cast<double>(r.steps) / median, per_step, per_step / reference,
             r.virtual_seconds / median);
}

void measure_all(int argc, char** argv) {
  int rounds = 21;
  CLI::App app("Measures virtual time.", "bench_virtual");
  app.add_option("--rounds", rounds, "How often each row is played")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  if (!troupe::app::read_arguments(app, argc, argv))
    return;

  const auto crash = load_scenario("crash-4");
  auto quiet = load_scenario("simple-2");
  std::vector<row> rows{{"crash-4", crash},
                        {"simple-2", quiet},
                        {"simple-2, 4 times", longer(quiet, 4)},
                        {"simple-2, 16 times", longer(quiet, 16)},
                        {"simple-2, 64 times", longer(quiet, 64)},
                        {"crash-4, 21 replicas", larger(crash, 21)},
                        {.name = "1,000 puts to 8 keys", .puts = 1'000},
                        {.name = "16,000 puts to 8 keys", .puts = 16'000},
                        {.name = "64,000 puts to 8 keys", .puts = 64'000}};
  for (int round = 0; round < rounds; ++round)
    for (auto& r : rows)
      play(r, 1); // one seed: the same steps every time
  fmt::print("{:<24} {:>9} {:>10} {:>12} {:>9} {:>8} {:>11}\n", "", "steps", "CPU ms", "steps/s", "ns/step",
             "ratio", "x real time");
  const auto& first = rows.front();
  auto sorted = first.seconds;
  std::sort(sorted.begin(), sorted.end());
  const auto reference = 1e9 * sorted[sorted.size() / 2] / static_cast<double>(first.steps);
  for (auto& r : rows)
    print(r, reference);
}

} // namespace

int main(int argc, char** argv) {
  return troupe::bench::run("bench_virtual", [&] { measure_all(argc, argv); });
}
