#pragma once
// What a run is made of: how many replicas and requests, what goes wrong when, and what a good result is.
// The format of the files is described in docs/simulator.md.

#include "protocol/types.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What the world does to the replicas.
/// The first five are the course's. A crash is a kill that leaves no time for last words (SIGKILL); a paused
/// replica stands still until `resume` (SIGSTOP, SIGCONT), and nobody is told.
enum class event_type {
  kill_leader,
  kill_non_leader,
  part_easy,
  part_hard,
  part_end,
  crash_leader,
  crash_non_leader,
  pause_leader,
  pause_non_leader,
  resume
};

/// As in scenario files.
std::string_view to_string(event_type type);

/// `time` counts from the first request, so after `start_wait`.
struct event {
  event_type type = event_type::kill_leader;
  duration time{0};
  bool operator==(const event&) const = default;
};

/// A figure below limits[0] earns tier 0, below limits[1] tier 1, below limits[2] tier 2, otherwise 3.
using tier_limits = std::array<double, 3>;

struct benchmarks {
  tier_limits total_msgs{};
  tier_limits failures{};
  tier_limits duplicates{};
  tier_limits median_latency{}; ///< seconds
};

struct scenario {
  std::string name;
  duration lifetime{0}; ///< over which the requests are spread
  duration start_wait = std::chrono::seconds(5);
  duration end_wait = std::chrono::seconds(2);
  std::size_t replicas = 0;
  std::size_t requests = 0;
  std::optional<std::uint64_t> seed;
  double mix = 0.8;   ///< the probability that a request is a get
  double drops = 0.0; ///< the probability that a message between replicas is lost
  std::uint64_t max_packets = 20000;
  std::vector<event> events; ///< by time
  std::optional<troupe::benchmarks> benchmarks;
  double maximum_get_fail_fraction = 0.5;
  double maximum_put_fail_fraction = 0.5;
  double maximum_get_generation_fail_fraction = 0.1;
  double maximum_appends_batched_fraction = 0.5;
  std::vector<std::string> notes; ///< what its author should know, a line each
};

/// A scenario that cannot be used; `what()` is one line that says where and why.
struct scenario_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads a scenario from the text of a file. `origin` names it in errors. Throws scenario_error.
scenario parse_scenario(std::string_view text, const std::string& name, const std::string& origin);

/// Takes the name of a built-in scenario or the path of a file. Throws scenario_error.
scenario load_scenario(const std::string& name_or_path);

/// The names of the built-in scenarios, from easy to hard.
std::vector<std::string> builtin_scenario_names();

} // namespace troupe
