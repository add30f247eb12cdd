#include "app/sim/options.hpp"

#include "cluster/scenario.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace troupe::sim {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_runs = 100'000;
constexpr std::size_t most_jobs = 256;

/// Ours, installed beside this program.
fs::path default_replica() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path() / "troupe-replica";
}

std::string check_executable(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error))
    throw usage_error(fmt::format("{}: no such replica executable (--replica names another)", path.string()));
  if (fs::is_directory(path, error) || access(path.c_str(), X_OK) != 0)
    throw usage_error(fmt::format("{}: the replica is not executable", path.string()));
  return fs::absolute(path).string();
}

std::vector<std::string> expand(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const auto& name : names) {
    const auto some = name == "all" ? builtin_scenario_names() : std::vector{name};
    result.insert(result.end(), some.begin(), some.end());
  }
  return result;
}

} // namespace

std::optional<options> parse_options(int argc, char** argv) {
  options result;
  bool real = false;
  bool on_virtual_time = false;
  auto replica = default_replica().string();
  CLI::App app("Grades replicas of a key-value store as the course's simulator does.", "troupe-sim");
  app.footer("`troupe-sim chaos` plays random storms and `troupe-sim script FILE...` scripts instead; each "
             "has a --help.\n"
             "Built-in scenarios: " +
             CLI::detail::join(builtin_scenario_names(), ", ") +
             "\nExit status: 0 if all runs passed, 1 if one did not, 2 for bad input, 130 if interrupted.");
  app.add_option("scenario", result.scenarios,
                 "A file, a built-in name or `all`, which is also what none means");
  auto* virtual_flag = app.add_flag(
      "--virtual", on_virtual_time,
      "Play against replicas in this process, on virtual time: fast, and the same for the same seed "
      "(the default)");
  app.add_flag("--real", real, "Play against replica processes over UDP")->excludes(virtual_flag);
  app.add_option("--replica", replica, "The replica's executable, with --real")
      ->capture_default_str()
      ->excludes(virtual_flag);
  app.add_option("--seed", result.seed,
                 "Seed of the first run's random choices; the next run takes the next number")
      ->check(app::whole_number_check());
  app.add_option("--runs", result.runs, "How often to play each scenario")
      ->check(CLI::Range(std::size_t{1}, most_runs));
  app.add_option("--jobs", result.jobs,
                 "How many runs go on side by side; with --real more than one costs latency")
      ->check(CLI::Range(std::size_t{1}, most_jobs));
  app.add_flag(
      "--durable", result.durable,
      "Logs are kept on disks: virtual ones, or with --real, for our own replicas, directories that are "
      "removed in the end");
  app.add_flag("--verbose", result.verbose, "Tell what happens even where there is no terminal");
  app.add_option(
      "--trace", result.trace,
      "Write every message that an actor handles, for troupe-trace: one run only; with --real what "
      "passes through the network, and each troupe-replica writes a file of its own, named after it");
  app.add_option("--html", result.html, "Write a page that shows the run, for a browser: one run only");
  app.add_option("--json", result.json, "Write every figure into this file; - is the standard output");
  if (!app::read_arguments(app, argc, argv))
    return std::nullopt;
  result.scenarios = expand(result.scenarios.empty() ? std::vector<std::string>{"all"} : result.scenarios);
  if (!result.trace.empty() && result.scenarios.size() * result.runs != 1)
    throw usage_error("--trace wants one scenario and one run");
  if (!result.html.empty() && result.scenarios.size() * result.runs != 1)
    throw usage_error("--html wants one scenario and one run");
  // Whoever names an executable wants it to run.
  if (real || app.count("--replica") > 0) {
    result.mode = run_mode::real;
    result.replica = check_executable(replica);
    result.ours = app.count("--replica") == 0;
  }
  return result;
}

} // namespace troupe::sim
