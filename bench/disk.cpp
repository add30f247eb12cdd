// What a log on a disk costs: puts a second and how long one takes, in memory and with --data, for several
// numbers of clients, beside what the disk itself can do; how many puts share a sync, what is written for
// each byte that is put, and how long a log takes to be read again.

#include "app/sim/child_process.hpp"
#include "app/sim/udp_socket.hpp"
#include "disk/disk_log.hpp"
#include "disk/real_files.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/simulator_codec.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace troupe;
namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

constexpr std::size_t value_bytes = 256;

double seconds_since(steady::time_point t) {
  return std::chrono::duration<double>(steady::now() - t).count();
}

double at_percent(std::vector<double> all, double percent) {
  if (all.empty())
    return 0;
  std::sort(all.begin(), all.end());
  return all[std::min(all.size() - 1,
                      static_cast<std::size_t>(static_cast<double>(all.size()) * percent / 100))];
}

struct bench_failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class scratch {
 public:
  explicit scratch(const std::string& in) {
    auto name = (fs::path(in) / "troupe-bench-XXXXXX").string();
    if (!::mkdtemp(name.data()))
      throw bench_failed(fmt::format("{}: no directory can be made there", in));
    path_ = name;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// ---- three replicas and their network

struct figures {
  double puts_per_second = 0;
  std::vector<double> latencies; ///< s
  double puts_per_sync = 0;      ///< of the leader
  double bytes_per_byte = 0;     ///< written by the leader for each byte of values
};

class trio {
 public:
  trio(const std::string& executable, const sim::watchdog& guard, const std::string& data) {
    for (std::uint16_t i = 0; i < 3; ++i) {
      const replica_id id{i};
      std::vector<std::string> words{executable, "--log-level", "error"};
      if (!data.empty())
        words.insert(words.end(), {"--data", (fs::path(data) / to_string(id)).string()});
      words.push_back(std::to_string(socket_.port()));
      words.push_back(to_string(id));
      for (std::uint16_t peer = 0; peer < 3; ++peer)
        if (peer != i)
          words.push_back(to_string(replica_id{peer}));
      replicas_.push_back(std::make_unique<sim::child_process>(words, guard));
      ports_[id] = 0;
    }
  }

  /// Clients that each put one value after the other.
  figures play(std::size_t clients, double seconds) {
    const std::string value(value_bytes, 'v');
    std::map<replica_id, std::pair<std::string, steady::time_point>> waiting;
    std::size_t asked = 0;
    const auto ask = [&](replica_id client) {
      auto mid = fmt::format("M{}", ++asked);
      const auto to = leader_ == nobody ? replica_id{static_cast<std::uint16_t>(asked % 3)} : leader_;
      socket_.send(ports_[to], wire::write_request({client, to, leader_, mid},
                                                   kv::put{fmt::format("key{}", asked % 10'000), value}));
      waiting[client] = {std::move(mid), steady::now()};
    };
    figures f;
    std::size_t answered = 0;
    auto begun = steady::time_point::max(); // with the first answer
    const auto started = steady::now();
    while (begun == steady::time_point::max() || seconds_since(begun) < seconds) {
      if (seconds_since(started) > seconds + 10)
        throw bench_failed("the replicas do not answer");
      for (std::uint16_t i = 0; i < clients; ++i) {
        const replica_id client{static_cast<std::uint16_t>(0xC000 + i)};
        const auto w = waiting.find(client);
        if ((w == waiting.end() || seconds_since(w->second.second) > 2) && all_are_there())
          ask(client);
      }
      pollfd ready{socket_.descriptor(), POLLIN, 0};
      ::poll(&ready, 1, 100);
      while (const auto d = socket_.receive()) {
        std::string error;
        const auto e = wire::parse_envelope(d->bytes, error);
        if (!e)
          continue;
        ports_[e->src] = d->port;
        const auto w = waiting.find(e->dst);
        if (w == waiting.end()) {
          for (const auto& [id, port] : ports_)
            if (id != e->src && (e->dst == id || e->dst == nobody) && port != 0 &&
                e->kind != wire::message_kind::hello)
              socket_.send(port, d->bytes);
          continue;
        }
        if (e->mid != w->second.first)
          continue;
        leader_ = ports_.contains(e->leader) ? e->leader : nobody;
        if (e->kind == wire::message_kind::ok) {
          if (begun == steady::time_point::max())
            begun = steady::now();
          ++answered;
          f.latencies.push_back(seconds_since(w->second.second));
        }
        ask(e->dst);
      }
    }
    f.puts_per_second = static_cast<double>(answered) / seconds_since(begun);
    return f;
  }

  replica_id leader() const { return leader_; }

 private:
  bool all_are_there() const {
    return std::all_of(ports_.begin(), ports_.end(), [](const auto& p) { return p.second != 0; });
  }

  sim::udp_socket socket_;
  std::vector<std::unique_ptr<sim::child_process>> replicas_;
  std::map<replica_id, std::uint16_t> ports_;
  replica_id leader_ = nobody;
};

figures measure(const std::string& executable, const sim::watchdog& guard, bool durable,
                const std::string& where, std::size_t clients, double seconds) {
  const scratch home(where);
  figures f;
  replica_id leader;
  {
    trio t(executable, guard, durable ? home.path().string() : "");
    f = t.play(clients, seconds);
    leader = t.leader();
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

// ---- the disk alone

double sync_seconds(const std::string& where, std::size_t bytes) {
  const scratch home(where);
  disk::real_files files(home.path().string(), disk::real_files::access::own);
  constexpr std::size_t times = 400;
  files.create("file", times * bytes);
  files.sync("file");
  const std::string text(bytes, 'x');
  std::vector<double> took;
  for (std::size_t i = 0; i < times; ++i) {
    const auto begun = steady::now();
    files.write("file", i * bytes, text);
    files.sync("file");
    took.push_back(seconds_since(begun));
  }
  return at_percent(took, 50);
}

void measure_recovery(const std::string& where, std::size_t entries) {
  const scratch home(where);
  const disk::owner who{{0}, {{0}}};
  const std::string value(value_bytes, 'v');
  {
    disk::real_files files(home.path().string(), disk::real_files::access::own);
    disk::disk_log log(files, who);
    log.apply({raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {}});
    constexpr std::size_t at_once = 1'000;
    for (std::size_t i = 1; i <= entries; ++i) {
      raft::payload p =
          kv::command{{"C000", fmt::format("M{}", i)}, kv::put{fmt::format("key{}", i % 10'000), value}};
      log.apply({{},
                 nullptr,
                 std::nullopt,
                 {std::make_shared<raft::entry>(raft::entry{{1}, {i}, std::move(p), 0})}});
      if (i % at_once == 0 || i == entries)
        log.store(log.take_batch());
    }
  }
  disk::real_files files(home.path().string(), disk::real_files::access::own);
  const auto begun = steady::now();
  disk::disk_log log(files, who);
  const auto found = log.take_found();
  fmt::print("{:>10} {:>10.1f} {:>10.3f}\n", found.entries.size(),
             static_cast<double>(entries * value_bytes) / 1e6, seconds_since(begun));
}

} // namespace

int main(int argc, char** argv) {
  int rounds = 3;
  double seconds = 2;
  std::string where = ".";
  std::error_code ignored;
  auto executable = (fs::read_symlink("/proc/self/exe", ignored).parent_path() / "troupe-replica").string();
  CLI::App app("Measures what a log on a disk costs.", "bench_disk");
  app.add_option("--rounds", rounds, "How often each is measured")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--for", seconds, "Seconds for each")->check(CLI::Range(0.1, 1000.0))->capture_default_str();
  app.add_option("--in", where, "A directory on the disk that is measured")->capture_default_str();
  app.add_option("--replica", executable, "The replica's executable")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const sim::watchdog guard;
  try {
    fmt::print("one write and fdatasync into a reserved file, median: 4 KiB {:.0f} us, 64 KiB {:.0f} us\n\n",
               1e6 * sync_seconds(where, 4'096), 1e6 * sync_seconds(where, 65'536));
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
          p50[durable].push_back(at_percent(f.latencies, 50));
          p99[durable].push_back(at_percent(f.latencies, 99));
          together.push_back(f.puts_per_sync);
          written.push_back(f.bytes_per_byte);
          if (!durable) {
            together.pop_back();
            written.pop_back();
          }
        }
      for (const bool durable : {false, true})
        fmt::print("{:>8} {:>8} {:>10.0f} {:>10.0f} {:>10.0f} {:>8.2f} {:>14} {:>12}\n", clients,
                   durable ? "disk" : "memory", at_percent(speed[durable], 50),
                   1e6 * at_percent(p50[durable], 50), 1e6 * at_percent(p99[durable], 50),
                   at_percent(speed[durable], 50) / at_percent(speed[0], 50),
                   durable ? fmt::format("{:.1f}", at_percent(together, 50)) : "-",
                   durable ? fmt::format("{:.2f}", at_percent(written, 50)) : "-");
    }
    fmt::print("\nreading a log again\n{:>10} {:>10} {:>10}\n", "entries", "MB put", "s");
    for (const std::size_t entries : {10'000, 100'000, 1'000'000})
      measure_recovery(where, entries);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_disk: {}\n", error.what());
    return 1;
  }
}
