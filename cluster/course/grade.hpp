#pragma once
// The verdict on a run.

#include "cluster/course/record.hpp"
#include "cluster/scenario.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::course {

/// Messages, failures, duplicates, median latency: in this order everywhere.
using tiers = std::array<int, 4>;
inline constexpr std::array<std::string_view, 4> measure_names{"total_msgs", "failures", "duplicates",
                                                               "median_latency"};
/// The worst tier, and what a run gets in all measures that was not correct.
inline constexpr int no_tier = 3;

struct verdict {
  std::vector<std::string> failed_checks; ///< a line each; empty if the run was correct
  std::optional<course::tiers> tiers;     ///< nothing if the scenario has no benchmarks

  bool passed() const { return failed_checks.empty(); }
};

/// 0 to 3, by the first limit that the value is strictly below.
int tier_of(double value, const tier_limits& limits);

verdict grade(const scenario& scenario, const figures& figures);

} // namespace troupe::course
