// What a log on a disk costs: puts a second and how long one takes, in memory and with --data, for several
// numbers of clients, beside what the disk itself can do; how many puts share a sync, what is written for
// each byte that is put, and how long a log takes to be read again.

#include "app/sim/scratch_directory.hpp"
#include "bench/disk_alone.hpp"
#include "bench/figures.hpp"
#include "bench/program.hpp"
#include "bench/real_replicas.hpp"
#include "disk/disk_log.hpp"
#include "disk/real_files.hpp"
#include "protocol/wire/codec.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace troupe;
namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;
using bench::in_new_process;

constexpr std::size_t value_bytes = 256;

// ---- three replicas and their network

struct figures {
  double puts_per_second = 0;
  std::vector<double> latencies; ///< s
  double puts_per_sync = 0;      ///< of the leader
  double bytes_per_byte = 0;     ///< written by the leader for each byte of values
};

/// Clients that each put one value after the other.
class putting_clients {
 public:
  putting_clients(bench::real_replicas& replicas, std::size_t count) : replicas_(replicas), count_(count) {}

  figures play(double seconds) {
    const auto started = steady::now();
    while (begun_ == steady::time_point::max() || bench::seconds_since(begun_) < seconds) {
      if (bench::seconds_since(started) > seconds + 10)
        throw bench::bench_failed("the replicas do not answer");
      turn();
    }
    figures_.puts_per_second = static_cast<double>(figures_.latencies.size()) / bench::seconds_since(begun_);
    return std::move(figures_);
  }

  /// Until so many have been answered since the start.
  void play_until(std::size_t answered) {
    auto moved = steady::now();
    while (figures_.latencies.size() < answered) {
      const auto before = figures_.latencies.size();
      turn();
      if (figures_.latencies.size() > before)
        moved = steady::now();
      else if (bench::seconds_since(moved) > 10)
        throw bench::bench_failed("the replicas do not answer");
    }
  }

 private:
  void turn() {
    if (replicas_.are_there())
      ask_where_due();
    replicas_.turn(100, [this](const wire::envelope& answer) { take(answer); });
  }

  struct question {
    std::string mid;
    steady::time_point asked;
  };

  void ask_where_due() {
    for (std::uint16_t i = 0; i < count_; ++i) {
      const replica_id client{static_cast<std::uint16_t>(0xC000 + i)};
      const auto w = waiting_.find(client);
      if (w == waiting_.end() || bench::seconds_since(w->second.asked) > 2)
        ask(client);
    }
  }

  void ask(replica_id client) {
    auto mid = fmt::format("M{}", ++asked_);
    const auto leader = replicas_.leader();
    const auto to = leader == nobody ? replicas_.pick(asked_) : leader;
    replicas_.ask({client, to, leader, mid}, kv::put{fmt::format("key{}", asked_ % 10'000), value_});
    waiting_[client] = {std::move(mid), steady::now()};
  }

  void take(const wire::envelope& answer) {
    const auto w = waiting_.find(answer.dst);
    if (w == waiting_.end() || answer.mid != w->second.mid)
      return;
    if (answer.kind == wire::message_kind::ok) {
      if (begun_ == steady::time_point::max())
        begun_ = steady::now();
      figures_.latencies.push_back(bench::seconds_since(w->second.asked));
    }
    ask(answer.dst);
  }

  bench::real_replicas& replicas_;
  std::size_t count_;
  const std::string value_ = std::string(value_bytes, 'v');
  std::map<replica_id, question> waiting_;
  std::size_t asked_ = 0;
  figures figures_;
  steady::time_point begun_ = steady::time_point::max(); ///< with the first answer
};

figures measure(const std::string& executable, const sim::watchdog& guard, bool durable,
                const std::string& where, std::size_t clients, double seconds) {
  const sim::scratch_directory home(where);
  figures f;
  replica_id leader;
  {
    bench::real_replicas replicas({.executable = executable, .data = durable ? home.path().string() : ""},
                                  guard);
    f = putting_clients(replicas, clients).play(seconds);
    leader = replicas.leader();
  }
  if (!durable)
    return f;
  disk::real_files files((home.path() / to_string(leader)).string(), disk::real_files::access::look);
  const auto log = disk::recover(files, leader);
  double bytes = 0, batches = 0, entries = 0;
  for (const auto& s : log.segments) {
    bytes += static_cast<double>(s.bytes);
    batches += static_cast<double>(s.batches);
    entries += static_cast<double>(s.entries);
  }
  f.puts_per_sync = entries / batches;
  f.bytes_per_byte = bytes / (entries * value_bytes);
  return f;
}

// ---- how long a log takes to be read

const disk::owner alone{{0}, {{0}}};

void write_log(const std::string& directory, std::size_t entries) {
  const std::string value(value_bytes, 'v');
  disk::real_files files(directory, disk::real_files::access::own);
  disk::disk_log log(files, alone);
  log.apply({raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {}});
  constexpr std::size_t at_once = 1'000;
  for (std::size_t i = 1; i <= entries; ++i) {
    raft::payload p =
        kv::command{{"C000", fmt::format("M{}", i)}, kv::put{fmt::format("key{}", i % 10'000), value}};
    log.apply(
        {{}, nullptr, std::nullopt, {std::make_shared<raft::entry>(raft::entry{{1}, {i}, std::move(p), 0})}});
    if (i % at_once == 0 || i == entries)
      log.store(log.take_batch());
  }
}

/// Returns how many seconds it took.
double read_log(const std::string& directory, std::size_t entries) {
  const auto begun = steady::now();
  disk::real_files files(directory, disk::real_files::access::own);
  disk::disk_log log(files, alone);
  const auto found = log.take_found();
  const auto took = bench::seconds_since(begun);
  if (found.entries.size() != entries)
    throw bench::bench_failed(fmt::format("{} of {} entries were found", found.entries.size(), entries));
  return took;
}

double measure_recovery(const std::string& where, std::size_t entries) {
  const sim::scratch_directory home(where);
  const auto directory = home.path().string();
  in_new_process([&] {
    write_log(directory, entries);
    return 0.0;
  }).wait();
  return in_new_process([&] { return read_log(directory, entries); }).wait();
}

void measure_recoveries(const std::string& where, int rounds, bench::csv_file& csv) {
  fmt::print("reading a log again, {} rounds\n{:>10} {:>10} {:>10} {:>10} {:>10}\n", rounds, "entries",
             "MB put", "median s", "min s", "max s");
  for (const std::size_t entries : {1'000, 3'000, 10'000, 30'000, 100'000, 300'000, 1'000'000}) {
    std::vector<double> took;
    for (int round = 0; round < rounds; ++round)
      took.push_back(measure_recovery(where, entries));
    const auto [least, most] = std::minmax_element(took.begin(), took.end());
    const double low = *least, high = *most;
    const auto megabytes = static_cast<double>(entries * value_bytes) / 1e6;
    const auto middle = bench::at_percent(took, 50);
    fmt::print("{:>10} {:>10.1f} {:>10.4f} {:>10.4f} {:>10.4f}\n", entries, megabytes, middle, low, high);
    csv.add(fmt::format("{},{:.3f},{:.6f},{:.6f},{:.6f}", entries, megabytes, middle, low, high));
  }
}

// ---- what stays bounded

/// A line of /proc/<pid>/status, in MB.
double status_megabytes(pid_t process, const std::string& name) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":"))
      return std::stod(line.substr(name.size() + 1)) * 1'024 / 1e6;
  throw bench::bench_failed("the replica is gone");
}

double directory_megabytes(const fs::path& directory) {
  double bytes = 0;
  for (const auto& file : fs::directory_iterator(directory)) {
    std::error_code gone; // a segment may be removed meanwhile
    const auto size = fs::file_size(file.path(), gone);
    bytes += gone ? 0 : static_cast<double>(size);
  }
  return bytes / 1e6;
}

/// One replica takes so many puts to 10,000 keys.
void measure_bounds(const std::string& executable, const sim::watchdog& guard, const std::string& where,
                    std::size_t puts) {
  constexpr std::size_t looks = 50, rows = 10;
  const sim::scratch_directory home(where);
  bench::real_replicas replicas({.executable = executable, .replicas = 1, .data = home.path().string()},
                                guard);
  putting_clients clients(replicas, 48);
  const auto directory = home.path() / to_string(replica_id{0});
  fmt::print(
      "one replica, 48 clients, {} puts of {} bytes to 10000 keys\n{:>10} {:>10} {:>10} {:>14} {:>14}\n",
      puts, value_bytes, "puts", "seconds", "memory MB", "directory MB", "at most MB");
  const auto begun = steady::now();
  double most = 0;
  for (std::size_t look = 1; look <= looks; ++look) {
    clients.play_until(puts * look / looks);
    const auto size = directory_megabytes(directory);
    most = std::max(most, size);
    if (look % (looks / rows) == 0)
      fmt::print("{:>10} {:>10.1f} {:>10.1f} {:>14.1f} {:>14.1f}\n", puts * look / looks,
                 bench::seconds_since(begun), status_megabytes(replicas.process_of({0}), "VmRSS"), size,
                 most);
  }
  fmt::print("memory at its highest: {:.1f} MB\n", status_megabytes(replicas.process_of({0}), "VmHWM"));
}

// ---- one client

/// The disk drifts, so each round measures it before and after the replicas. Replicas sync with pauses, in
/// which a put is on its way between them and the client: such syncs take longer than those that follow each
/// other.
void measure_one_client(const std::string& executable, const sim::watchdog& guard, const std::string& where,
                        int rounds, double seconds) {
  constexpr std::size_t page = 4'096;
  /// A batch with one put of such a value.
  constexpr std::size_t batch = 350;
  struct yardstick {
    std::string name;
    std::function<double(double pause)> measure;
    std::vector<double> took, added; ///< a round each; `added` by the disk, in these
  };
  std::vector<yardstick> yardsticks{
      {"one process, 4 KiB", [&](double) { return bench::sync_seconds(where, page); }, {}, {}},
      {fmt::format("one process, {} bytes", batch),
       [&](double) { return bench::sync_seconds(where, batch); },
       {},
       {}},
      {"the same, with pauses",
       [&](double pause) { return bench::sync_seconds(where, batch, pause); },
       {},
       {}},
      {"two processes at once", [&](double) { return bench::two_sync_seconds(where, batch); }, {}, {}},
      {"the same, with pauses",
       [&](double pause) { return bench::two_sync_seconds(where, batch, pause); },
       {},
       {}},
      {"one tells another, both store",
       [&](double pause) { return bench::pair_seconds(where, batch, pause); },
       {},
       {}}};
  std::vector<double> memory, durable;
  for (int round = 0; round < rounds; ++round) {
    memory.push_back(bench::at_percent(measure(executable, guard, false, where, 1, seconds).latencies, 50));
    for (auto& y : yardsticks)
      y.took.push_back(y.measure(memory.back()));
    durable.push_back(bench::at_percent(measure(executable, guard, true, where, 1, seconds).latencies, 50));
    for (auto& y : yardsticks) {
      y.took.back() = (y.took.back() + y.measure(memory.back())) / 2;
      y.added.push_back((durable.back() - memory.back()) / y.took.back());
    }
  }
  const auto spread = [](double factor, const std::vector<double>& values) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    return fmt::format("{:>7.4g} {:>7.4g} {:>7.4g}", factor * bench::at_percent(values, 50), factor * *least,
                       factor * *most);
  };
  fmt::print("three replicas on one disk, one client, {} rounds: median, least, most\n", rounds);
  fmt::print("{:<30} {}\n", "a put in memory, p50, us", spread(1e6, memory));
  fmt::print("{:<30} {}\n\n", "a put on the disk, p50, us", spread(1e6, durable));
  fmt::print("{:<30} {:>23}   {:>23}\n", "one write and its fdatasync", "us", "the disk adds so many");
  for (const auto& y : yardsticks)
    fmt::print("{:<30} {}   {}\n", y.name, spread(1e6, y.took), spread(1, y.added));
}

void measure_all(int argc, char** argv) {
  int rounds = 3;
  double seconds = 2;
  std::string where = ".";
  auto executable = bench::replica_beside_this();
  CLI::App app("Measures what a log on a disk costs.", "bench_disk");
  app.add_option("--rounds", rounds, "How often each is measured")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--for", seconds, "Seconds for each")->check(CLI::Range(0.1, 1000.0))->capture_default_str();
  app.add_option("--in", where, "A directory on the disk that is measured")->capture_default_str();
  app.add_option("--replica", executable, "The replica's executable")->capture_default_str();
  bool only_recovery = false;
  bool only_one_client = false;
  std::size_t bounds = 0;
  std::string csv_path;
  app.add_flag("--only-recovery", only_recovery, "Only how long it takes to read a log again");
  app.add_option("--only-bounds", bounds, "Only how much memory and disk one replica needs for so many puts");
  app.add_flag("--only-one-client", only_one_client,
               "Only how long one client's put takes, beside what the disk does before and after");
  app.add_option("--csv", csv_path,
                 "A file for how long it takes to read a log again, for scripts/plot disk");
  if (!troupe::app::read_arguments(app, argc, argv))
    return;

  bench::csv_file csv(csv_path, "entries,MB put,median s,min s,max s");
  const sim::watchdog guard;
  if (only_recovery) {
    measure_recoveries(where, rounds, csv);
    return;
  }
  if (bounds > 0) {
    measure_bounds(executable, guard, where, bounds);
    return;
  }
  if (only_one_client) {
    measure_one_client(executable, guard, where, rounds, seconds);
    return;
  }
  fmt::print("one write and fdatasync into a reserved file, median: 4 KiB {:.0f} us, 64 KiB {:.0f} us\n\n",
             1e6 * bench::sync_seconds(where, 4'096), 1e6 * bench::sync_seconds(where, 65'536));
  fmt::print("three replicas, values of {} bytes; medians of {} rounds\n{:>8} {:>8} {:>10} {:>10} {:>10} "
             "{:>8} {:>14} "
             "{:>12}\n",
             value_bytes, rounds, "clients", "log", "puts/s", "p50 us", "p99 us", "ratio", "entries/sync",
             "bytes/byte");
  for (const std::size_t clients : {1, 4, 16, 64, 256}) {
    std::vector<double> speed[2], p50[2], p99[2], together, written;
    for (int round = 0; round < rounds; ++round)
      for (const bool durable : {false, true}) {
        const auto f = measure(executable, guard, durable, where, clients, seconds);
        speed[durable].push_back(f.puts_per_second);
        p50[durable].push_back(bench::at_percent(f.latencies, 50));
        p99[durable].push_back(bench::at_percent(f.latencies, 99));
        together.push_back(f.puts_per_sync);
        written.push_back(f.bytes_per_byte);
        if (!durable) {
          together.pop_back();
          written.pop_back();
        }
      }
    for (const bool durable : {false, true})
      fmt::print("{:>8} {:>8} {:>10.0f} {:>10.0f} {:>10.0f} {:>8.2f} {:>14} {:>12}\n", clients,
                 durable ? "disk" : "memory", bench::at_percent(speed[durable], 50),
                 1e6 * bench::at_percent(p50[durable], 50), 1e6 * bench::at_percent(p99[durable], 50),
                 bench::at_percent(speed[durable], 50) / bench::at_percent(speed[0], 50),
                 durable ? fmt::format("{:.1f}", bench::at_percent(together, 50)) : "-",
                 durable ? fmt::format("{:.2f}", bench::at_percent(written, 50)) : "-");
  }
  fmt::print("\n");
  measure_recoveries(where, rounds, csv);
}

} // namespace

int main(int argc, char** argv) {
  return troupe::bench::run("bench_disk", [&] { measure_all(argc, argv); });
}
