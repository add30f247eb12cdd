// What a trace costs: nobody records, the last moments are kept in memory, all goes into a file. On virtual
// time in CPU time; a real replica also in elapsed time, which is its throughput: who writes the file is a
// thread of its own. The ways take turns, real replicas every few hundredths of a second.

#include "app/sim/udp_socket.hpp"
#include "app/sim/virtual_run.hpp"
#include "bench/program.hpp"
#include "cluster/cluster.hpp"
#include "protocol/wire/simulator_codec.hpp"
#include "trace/recorder.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace troupe;

namespace {

constexpr std::size_t ring_bytes = std::size_t{4} << 20U;
constexpr int ways = 3; // off, memory, file
constexpr const char* names[ways] = {"off", "memory", "file"};

class nobody_watches : public sim::spectator {
 public:
  void replica_said(replica_id, duration, const std::string&) override {}
  void happened(duration, const std::string&) override {}
  void progressed(duration, replica_id) override {}
};

std::string scratch_file() {
  return (std::filesystem::temp_directory_path() / fmt::format("bench_trace_{}", ::getpid())).string();
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class Work>
double measure_virtual(int way, Work&& work) {
  const auto begun = cpu_seconds();
  {
    trace::ring ring(way == 1 ? ring_bytes : 1);
    std::optional<trace::file> file;
    if (way == 2)
      file.emplace(scratch_file(), trace::header{});
    trace::recorder recorder(file ? static_cast<trace::sink&>(*file) : ring);
    work(way == 0 ? nullptr : &recorder);
  }
  return cpu_seconds() - begun;
}

void play_scenario(trace::recorder* r) {
  nobody_watches silence;
  static const auto scenario = std::make_shared<const troupe::scenario>(load_scenario("crash-4"));
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    sim::play_virtual({scenario, sim::run_mode::virtual_time, seed}, silence, r);
}

void put_much(trace::recorder* r) {
  cluster c({.replicas = 5, .seed = 1, .recorder = r});
  c.elect();
  for (int i = 0; i < 1'000; ++i)
    c.put(fmt::format("k{}", i % 8), "a value of thirty-two characters");
}

// ---- replicas in processes of their own, each alone in its cluster

constexpr int requests = 2'000; ///< at a time: what else the machine does mostly lasts longer
constexpr int at_once = 64;

struct replica_failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct cost {
  double cpu = 0;     ///< of the replica's process, s
  double elapsed = 0; ///< from the first request to the last answer, s
};

class lone_replica {
 public:
  lone_replica(int way, const std::string& executable) {
    const auto port = std::to_string(socket_.port());
    const auto path = scratch_file();
    std::vector<std::string> words{executable, "--log-level", "error"};
    if (way == 0)
      words.insert(words.end(), {"--trace-memory", "0"});
    if (way == 2)
      words.insert(words.end(), {"--trace", path});
    words.insert(words.end(), {port, "0000"});
    std::vector<char*> argv;
    for (auto& w : words)
      argv.push_back(w.data());
    argv.push_back(nullptr);
    if (posix_spawn(&process_, executable.c_str(), nullptr, nullptr, argv.data(), environ) != 0)
      throw replica_failed(fmt::format("{} cannot be started", executable));
    wait();
    endpoint_ = socket_.receive()->port; // hello
    put(5 * requests);                   // it has to be elected first, and its memory is full then
  }
  lone_replica(const lone_replica&) = delete;
  lone_replica& operator=(const lone_replica&) = delete;
  ~lone_replica() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  cost measure() {
    const auto cpu = cpu_seconds();
    const auto begun = std::chrono::steady_clock::now();
    put(requests);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
    // Who writes a file may have some left.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return {cpu_seconds() - cpu, elapsed.count()};
  }

 private:
  void put(int more) {
    const auto most = answered_ + more;
    while (answered_ < most) {
      for (; sent_ < most && sent_ < answered_ + at_once; ++sent_)
        socket_.send(
            endpoint_,
            wire::write_request({replica_id{0xC000}, replica_id{0}, nobody, fmt::format("M{}", sent_)},
                                kv::put{fmt::format("k{}", sent_ % 8), "a value of thirty-two characters"}));
      wait();
      while (const auto answer = socket_.receive())
        answered_ += answer->bytes.find("\"ok\"") != std::string::npos ? 1 : 0;
    }
  }

  void wait() {
    pollfd file{socket_.descriptor(), POLLIN, 0};
    if (::poll(&file, 1, 5'000) != 1)
      throw replica_failed("the replica does not answer");
  }

  double cpu_seconds() const {
    clockid_t clock{};
    timespec t{};
    if (::clock_getcpuclockid(process_, &clock) != 0 || ::clock_gettime(clock, &t) != 0)
      throw replica_failed("the replica is gone");
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }

  sim::udp_socket socket_;
  pid_t process_ = -1;
  std::uint16_t endpoint_ = 0;
  int sent_ = 0;
  int answered_ = 0;
};

struct row {
  std::string name;
  std::vector<double> seconds[ways]{};

  void print() {
    double median[ways]{};
    double best[ways]{};
    std::vector<double> ratios[ways];
    for (int way = 0; way < ways; ++way) {
      for (std::size_t i = 0; i < seconds[way].size(); ++i)
        ratios[way].push_back(seconds[way][i] / seconds[0][i]);
      std::sort(ratios[way].begin(), ratios[way].end());
      auto sorted = seconds[way];
      std::sort(sorted.begin(), sorted.end());
      median[way] = sorted[sorted.size() / 2];
      best[way] = sorted.front();
    }
    for (int way = 0; way < ways; ++way) {
      const auto& r = ratios[way];
      fmt::print("{:<28} {:<8} {:>10.2f} {:>10.2f} {:>10.1f} {:>8.1f} to {:.1f}\n", name, names[way],
                 1e3 * best[way], 1e3 * median[way], 100 / r[r.size() / 2] - 100,
                 100 / r[r.size() * 3 / 4] - 100, 100 / r[r.size() / 4] - 100);
    }
  }
};

void measure_all(int argc, char** argv) {
  int rounds = 11;
  int real_rounds = 200;
  bool only_real = false;
  std::error_code ignored;
  auto executable =
      (std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "troupe-replica").string();
  CLI::App app("Measures what a trace costs.", "bench_trace");
  app.add_option("--rounds", rounds, "How often each is measured on virtual time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--real-rounds", real_rounds, "How often real replicas are measured")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--replica", executable, "The replica's executable")->capture_default_str();
  app.add_flag("--real", only_real, "Only the replica, nothing on virtual time");
  if (!troupe::app::read_arguments(app, argc, argv))
    return;

  row scenario{"virtual: crash-4, 5 seeds"};
  row puts{"virtual: 1,000 puts"};
  row real{fmt::format("a replica, CPU: {} puts", requests)};
  row throughput{"a replica, elapsed: the same"};
  for (int round = 0; !only_real && round < rounds; ++round)
    for (int way = 0; way < ways; ++way) {
      scenario.seconds[way].push_back(measure_virtual(way, play_scenario));
      puts.seconds[way].push_back(measure_virtual(way, put_much));
    }
  std::vector<std::unique_ptr<lone_replica>> replicas;
  for (int way = 0; way < ways; ++way)
    replicas.push_back(std::make_unique<lone_replica>(way, executable));
  for (int round = 0; round < real_rounds; ++round)
    for (int way = 0; way < ways; ++way) {
      const auto c = replicas[static_cast<std::size_t>(way)]->measure();
      real.seconds[way].push_back(c.cpu);
      throughput.seconds[way].push_back(c.elapsed);
    }
  replicas.clear();
  std::filesystem::remove(scratch_file(), ignored);
  fmt::print("{:<28} {:<8} {:>10} {:>10} {:>10} {:>8}\n", "", "trace", "best ms", "median ms", "speed %",
             "quartiles");
  if (!only_real) {
    scenario.print();
    puts.print();
  }
  real.print();
  throughput.print();
}

} // namespace

int main(int argc, char** argv) {
  return troupe::bench::run("bench_trace", [&] { measure_all(argc, argv); });
}
