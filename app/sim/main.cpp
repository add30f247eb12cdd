// troupe-sim: plays scenarios against replicas and grades them.

#include "app/sim/chaos.hpp"
#include "app/sim/json_report.hpp"
#include "app/sim/options.hpp"
#include "app/sim/page_file.hpp"
#include "app/sim/runner.hpp"
#include "app/sim/script.hpp"
#include "app/sim/stop_signal.hpp"
#include "app/sim/summary.hpp"
#include "app/sim/terminal.hpp"
#include "cluster/scenario.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <random>
#include <string_view>
#include <unistd.h>

namespace {

using namespace troupe;
using namespace troupe::sim;

enum exit_status { all_passed = 0, some_failed = 1, bad_input = 2, interrupted = 130 };

std::vector<run_plan> make_plans(const options& options) {
  std::random_device entropy;
  const std::uint64_t anything = entropy();
  std::vector<run_plan> plans;
  for (const auto& name : options.scenarios) {
    const auto scenario = std::make_shared<const troupe::scenario>(load_scenario(name));
    const auto first = options.seed.value_or(scenario->seed.value_or(anything));
    for (std::size_t run = 0; run < options.runs; ++run)
      plans.push_back({scenario, options.mode, first + run, options.durable});
  }
  return plans;
}

/// What is odd about somebody's own files; ours are known.
void print_notes(const std::vector<run_plan>& plans, const options& options) {
  const auto ours = builtin_scenario_names();
  for (std::size_t i = 0; i < options.scenarios.size(); ++i)
    if (std::find(ours.begin(), ours.end(), options.scenarios[i]) == ours.end())
      for (const auto& note : plans[i * options.runs].scenario->notes)
        fmt::print(stderr, "note: {}: {}\n", plans[i * options.runs].scenario->name, note);
}

/// Opened before the first run: nobody wants to learn after an hour that the report has no place.
std::ofstream open_report(const std::string& path) {
  std::ofstream file;
  if (path.empty() || path == "-")
    return file;
  file.open(path);
  if (!file)
    throw usage_error(fmt::format("{}: {}", path, std::strerror(errno)));
  return file;
}

void print_summary(const run_results& all, const options& options) {
  const auto& results = all.results;
  const bool colour = wants_colour(STDOUT_FILENO);
  const auto rows = summarize(results);
  fmt::print("{}{}{}", format_table(rows, colour), format_distributions(rows),
             format_faults(results, colour));
  if (options.mode == run_mode::virtual_time)
    fmt::print("{}(latencies, and so their tiers, are modelled)\n", format_hash(results));
  if (all.stopped)
    fmt::print("interrupted after {} of {}\n", results.size(), app::counted(all.planned, "run"));
  std::fflush(stdout);
}

exit_status simulate(const options& options) {
  for (const auto& written : {options.json, options.trace, options.html})
    app::refuse_to_overwrite(written, options.scenarios);
  app::refuse_to_mix({options.json, options.trace, options.html});
  refuse_dash(options.html, "page");
  refuse_dash(options.trace, "trace");
  const auto plans = make_plans(options);
  auto report = open_report(options.json);
  print_notes(plans, options);
  const watchdog guard;
  const stop_signal stop(options.mode == run_mode::real ? stop_signal::second::changes_nothing
                                                        : stop_signal::second::ends_at_once);
  const auto outcome = play_all(plans, options, guard, stop.descriptor());
  if (options.json == "-")
    fmt::print("{}", format_json(outcome));
  else
    print_summary(outcome, options);
  if (report.is_open() && !(report << format_json(outcome) << std::flush))
    throw usage_error(fmt::format("{}: {}", options.json, std::strerror(errno)));
  if (!outcome.unwritten.empty())
    throw usage_error(outcome.unwritten);
  if (outcome.stopped)
    return interrupted;
  const bool all = std::all_of(outcome.results.begin(), outcome.results.end(),
                               [](const run_result& run) { return run.verdict.passed(); });
  return all ? all_passed : some_failed;
}

int run(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "chaos")
    return chaos_command(argc - 1, argv + 1);
  if (argc > 1 && std::string_view(argv[1]) == "script")
    return run_scripts(argc - 1, argv + 1);
  const auto options = parse_options(argc, argv);
  return options ? simulate(*options) : all_passed;
}

} // namespace

int main(int argc, char** argv) {
  return troupe::app::run_program("troupe-sim", bad_input, [&] { return run(argc, argv); });
}
