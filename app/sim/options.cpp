#include "app/sim/options.hpp"

#include "cluster/scenario.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
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

/// CLI11 takes -1 for a large number.
std::string check_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seed);
  return error == std::errc() && stop == end ? "" : "must be a whole number from 0 to 18446744073709551615";
}

} // namespace

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::optional<options> parse_options(int argc, char** argv) {
  options result;
  bool real = false;
  bool on_virtual_time = false;
  auto replica = default_replica().string();
  CLI::App app("Grades replicas of a key-value store as the course's simulator does.", "troupe-sim");
  app.footer("`troupe-sim script FILE...` plays scripts instead; see `troupe-sim script --help`.\n"
             "Built-in scenarios: " +
             CLI::detail::join(builtin_scenario_names(), ", ") +
             "\nExit status: 0 if all runs passed, 1 if one did not, 2 for bad input, 130 if interrupted.");
  app.add_option("scenario", result.scenarios, "A file, a built-in name or `all`")->required();
  auto* real_flag = app.add_flag("--real", real, "Play against replica processes over UDP (the default)");
  app.add_flag("--virtual", on_virtual_time,
               "Play against replicas in this process, on virtual time: fast, and the same for the same seed")
      ->excludes(real_flag);
  app.add_option("--replica", replica, "The replica's executable")->capture_default_str();
  app.add_option("--seed", result.seed,
                 "Seed of the first run's random choices; the next run takes the next number")
      ->check(CLI::Validator(check_seed, "", "seed"));
  app.add_option("--runs", result.runs, "How often to play each scenario")
      ->check(CLI::Range(std::size_t{1}, most_runs));
  app.add_option("--jobs", result.jobs,
                 "How many runs go on side by side; with --real more than one costs latency")
      ->check(CLI::Range(std::size_t{1}, most_jobs));
  app.add_flag("--verbose", result.verbose, "Tell what happens even where there is no terminal");
  app.add_option("--json", result.json, "Write every figure into this file");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    app.exit(help);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw usage_error(one_line(error.what()));
  }
  result.scenarios = expand(result.scenarios);
  if (on_virtual_time)
    result.mode = run_mode::virtual_time;
  else
    result.replica = check_executable(replica);
  return result;
}

} // namespace troupe::sim
