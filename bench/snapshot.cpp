// How long a snapshot holds a replica up: a get each millisecond, from a lone replica that takes puts and
// writes down its state again and again, and from one that never does.

#include "app/sim/scratch_directory.hpp"
#include "bench/figures.hpp"
#include "bench/real_replicas.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using namespace troupe;
using steady = std::chrono::steady_clock;

constexpr replica_id replica{0};
constexpr std::size_t value_bytes = 256;
/// Several snapshots while each key is written a second time, whatever the number of keys.
constexpr std::size_t snapshot_after_bytes = 16 << 20;
constexpr auto between_gets = std::chrono::milliseconds(1);

/// Puts each key once, then all of them again while gets are made, one each millisecond.
class workload {
 public:
  workload(bench::real_replicas& replicas, std::size_t keys) : replicas_(replicas), keys_(keys) {}

  /// How long each get took, in seconds.
  std::vector<double> play() {
    while (!replicas_.are_there())
      turn();
    constexpr std::size_t at_once_to_fill = 48, at_once_beside_gets = 4;
    run(keys_, at_once_to_fill, false);
    run(keys_, at_once_beside_gets, true);
    return std::move(gets_);
  }

 private:
  void run(std::size_t puts, std::size_t at_once, bool with_gets) {
    auto next_get = steady::now();
    const auto end = put_ + puts;
    while (put_ < end || !asked_.empty()) {
      while (put_ < end && asked_.size() < at_once)
        ask(kv::put{key(put_++ % keys_), value_}, false);
      if (with_gets && put_ < end && steady::now() >= next_get) {
        ask(kv::get{key(0)}, true);
        next_get = steady::now() + between_gets;
      }
      turn();
    }
  }

  static std::string key(std::size_t number) { return fmt::format("key{}", number); }

  void ask(const kv::operation& operation, bool is_get) {
    const auto mid = fmt::format("M{}", ++number_);
    constexpr std::size_t clients = 64;
    const replica_id client{static_cast<std::uint16_t>(0xC000 + number_ % clients)};
    asked_[mid] = {steady::now(), is_get};
    replicas_.ask({client, replica, replica, mid}, operation);
  }

  void turn() {
    replicas_.turn(1, [this](const wire::envelope& answer) {
      const auto found = asked_.find(answer.mid.value_or(""));
      if (found == asked_.end())
        return;
      if (answer.kind != wire::message_kind::ok)
        throw bench::bench_failed("a request was not served");
      if (found->second.is_get)
        gets_.push_back(bench::seconds_since(found->second.when));
      asked_.erase(found);
      heard_ = steady::now();
    });
    if (bench::seconds_since(heard_) > 20)
      throw bench::bench_failed("the replica does not answer");
  }

  struct question {
    steady::time_point when;
    bool is_get;
  };

  bench::real_replicas& replicas_;
  std::size_t keys_;
  const std::string value_ = std::string(value_bytes, 'v');
  std::unordered_map<std::string, question> asked_;
  std::vector<double> gets_;
  std::size_t put_ = 0;
  std::size_t number_ = 0;
  steady::time_point heard_ = steady::now();
};

std::vector<double> measure(const std::string& executable, const sim::watchdog& guard, std::size_t keys,
                            const std::string& data, bool with_snapshots) {
  bench::real_replicas replicas(
      {.executable = executable,
       .replicas = 1,
       .data = data,
       .options = {"--snapshot-after", std::to_string(with_snapshots ? snapshot_after_bytes : 0)}},
      guard);
  return workload(replicas, keys).play();
}

} // namespace

int main(int argc, char** argv) {
  int rounds = 3;
  std::vector<std::size_t> sizes{10'000, 100'000, 300'000};
  std::string where = ".";
  auto executable = bench::replica_beside_this();
  CLI::App app("Measures how long a snapshot holds a replica up.", "bench_snapshot");
  app.add_option("--rounds", rounds, "How often each is measured")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--keys", sizes, "Sizes of the state")
      ->check(CLI::Range(1'000, 10'000'000))
      ->capture_default_str();
  app.add_option("--in", where, "A directory on the disk that is measured")->capture_default_str();
  app.add_option("--replica", executable, "The replica's executable")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const sim::watchdog guard;
  try {
    fmt::print("gets of one replica that takes puts of {} bytes meanwhile; ms, all rounds together\n"
               "{:>8} {:>8} {:>10} {:>8} {:>8} {:>8} {:>8}   {}\n",
               value_bytes, "keys", "log", "snapshots", "gets", "p50", "p99", "longest",
               "longest in each round");
    for (const auto keys : sizes)
      for (const bool durable : {false, true})
        for (const bool with_snapshots : {false, true}) {
          std::vector<double> all;
          std::string longest;
          for (int round = 0; round < rounds; ++round) {
            const sim::scratch_directory home(where);
            const auto gets =
                measure(executable, guard, keys, durable ? home.path().string() : "", with_snapshots);
            all.insert(all.end(), gets.begin(), gets.end());
            longest += fmt::format(" {:.1f}", 1e3 * bench::at_percent(gets, 100));
          }
          fmt::print("{:>8} {:>8} {:>10} {:>8} {:>8.2f} {:>8.2f} {:>8.1f}  {}\n", keys,
                     durable ? "disk" : "memory", with_snapshots ? "16 MiB" : "never", all.size(),
                     1e3 * bench::at_percent(all, 50), 1e3 * bench::at_percent(all, 99),
                     1e3 * bench::at_percent(all, 100), longest);
        }
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_snapshot: {}\n", error.what());
    return 1;
  }
}
