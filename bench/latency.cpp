// How long clients wait, through the same simulator: a replica that answers at once, one that asks a majority
// and does nothing else (bench/yardstick.cpp), the same two made of actors (bench/yardstick_actors.cpp),
// Troupe in one loop, and Troupe on one of CAF's threads. They take turns, so that what else the machine does
// hits all of them.

#include "app/sim/scratch_directory.hpp"
#include "bench/program.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <rapidjson/document.h>
#include <rapidjson/istreamwrapper.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::array figures{"median_put_latency", "p99_put_latency", "median_get_latency",
                             "p99_get_latency"};
constexpr std::array titles{"put median", "put p99", "get median", "get p99"};

struct failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct contestant {
  std::string name;
  std::string executable;
  std::array<std::vector<double>, figures.size()> seconds{};
};

void call(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const auto& w : words)
    argv.push_back(const_cast<char*>(w.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = -1;
  const int error = posix_spawn(&process, argv.front(), &quiet, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&quiet);
  int status = 0;
  if (error != 0 || ::waitpid(process, &status, 0) != process || !WIFEXITED(status) ||
      WEXITSTATUS(status) > 1)
    throw failed(fmt::format("{} did not run to its end", words.front()));
}

/// Plays the scenario once and takes down the figures.
void measure(contestant& c, const fs::path& simulator, const std::string& scenario, int round,
             const fs::path& folder) {
  const auto report = folder / "report.json";
  call({simulator.string(), "--real", "--replica", c.executable, "--seed", std::to_string(round), "--json",
        report.string(), scenario});
  std::ifstream file(report);
  rapidjson::IStreamWrapper stream(file);
  rapidjson::Document d;
  d.ParseStream(stream);
  if (d.HasParseError() || !d.HasMember("runs"))
    throw failed(fmt::format("{} left no report", c.name));
  const auto& run = d["runs"][0];
  if (run["incorrect"].GetInt() > 0 || run["failures"].GetInt() > 0)
    throw failed(fmt::format("{} left requests without a right answer", c.name));
  for (std::size_t i = 0; i < figures.size(); ++i)
    c.seconds[i].push_back(run[figures[i]].GetDouble());
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

/// Of the same rounds.
double ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.size(); ++i)
    ratios.push_back(a[i] / b[i]);
  return median(ratios);
}

/// Requests come as rarely as in the course's scenarios: the simulator looks every 100 ms which are due, and
/// more of them would come in bursts.
std::string write_scenario(const fs::path& folder, int replicas) {
  const auto path = (folder / fmt::format("latency-{}.json", replicas)).string();
  std::ofstream(path) << fmt::format(
      R"({{"lifetime": 19, "start_wait": 3, "end_wait": 1, "replicas": {}, "requests": 250, "mix": 0.5,
          "tests": {{"maximum_get_generation_fail_fraction": 1}}}})",
      replicas);
  return path;
}

void print(const std::vector<contestant>& all) {
  fmt::print("{:<28}", "");
  for (const auto* t : titles)
    fmt::print(" {:>12}", t);
  fmt::print("\n");
  for (const auto& c : all) {
    fmt::print("{:<28}", c.name);
    for (const auto& s : c.seconds)
      fmt::print(" {:>9.1f} us", 1e6 * median(s));
    fmt::print("\n");
  }
  for (std::size_t i = 2; i < all.size(); ++i) {
    fmt::print("{:<28}", fmt::format("{} / {}", all[i].name, "majority"));
    for (std::size_t f = 0; f < figures.size(); ++f)
      fmt::print(" {:>12.2f}", ratio(all[i].seconds[f], all[1].seconds[f]));
    fmt::print("\n{:<28}", fmt::format("{} / {}", all[i].name, "instant"));
    for (std::size_t f = 0; f < figures.size(); ++f)
      fmt::print(" {:>12.2f}", ratio(all[i].seconds[f], all[0].seconds[f]));
    fmt::print("\n");
  }
}

void measure_all(int argc, char** argv) {
  int rounds = 5;
  std::vector<int> sizes{3, 5};
  CLI::App app("Measures how long clients wait.", "bench_latency");
  app.add_option("--rounds", rounds, "How often each is measured")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--replicas", sizes, "Sizes of clusters")->check(CLI::Range(1, 21))->capture_default_str();
  if (!troupe::app::read_arguments(app, argc, argv))
    return;

  std::error_code ignored;
  const auto bin = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const troupe::sim::scratch_directory home;
  const auto& folder = home.path();
  for (const auto* kind : {"instant", "majority"}) {
    fs::create_symlink(bin / "yardstick", folder / fmt::format("yardstick-{}", kind));
    fs::create_symlink(bin / "yardstick_actors", folder / fmt::format("actors-{}", kind));
  }
  const auto threaded = folder / "on-threads";
  std::ofstream(threaded) << fmt::format("#!/bin/sh\nexec {} --threads 1 \"$@\"\n",
                                         (bin / "troupe-replica").string());
  fs::permissions(threaded, fs::perms::owner_all);
  for (const int size : sizes) {
    const auto scenario = write_scenario(folder, size);
    std::vector<contestant> all{{"instant", (folder / "yardstick-instant").string()},
                                {"majority", (folder / "yardstick-majority").string()},
                                {"instant in actors", (folder / "actors-instant").string()},
                                {"majority in actors", (folder / "actors-majority").string()},
                                {"troupe", (bin / "troupe-replica").string()},
                                {"troupe --threads 1", threaded.string()}};
    for (int round = 1; round <= rounds; ++round)
      for (auto& c : all)
        measure(c, bin / "troupe-sim", scenario, round, folder);
    fmt::print("{} replicas, medians of {} rounds\n", size, rounds);
    print(all);
  }
}

} // namespace

int main(int argc, char** argv) {
  return troupe::bench::run("bench_latency", [&] { measure_all(argc, argv); });
}
