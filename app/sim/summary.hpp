#pragma once
// One row for each scenario, over all its runs.

#include "app/sim/distribution.hpp"
#include "app/sim/run_result.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::sim {

struct scenario_summary {
  std::string scenario;
  std::size_t runs = 0;
  std::size_t passed = 0;
  // Medians over the runs.
  double total_msgs = 0;
  double failures = 0;
  double duplicates = 0;
  std::optional<double> median_latency; ///< seconds; over the runs in which anything was answered
  /// The median of each measure's tiers; of two in the middle the worse one.
  std::optional<course::tiers> tiers;
  std::vector<spread> spreads;
};

/// In the order in which scenarios first appear in the results.
std::vector<scenario_summary> summarize(const std::vector<run_result>& results);
/// All tiers of all rows added up.
int tier_sum(const std::vector<scenario_summary>& rows);

/// The table that ends a call, and below it a line for everything that went wrong.
std::string format_table(const std::vector<scenario_summary>& rows, bool colour);
/// The spreads of all scenarios that were played more than once.
std::string format_distributions(const std::vector<scenario_summary>& rows);
std::string format_faults(const std::vector<run_result>& results, bool colour);

/// One number for the histories of all runs on virtual time, a line; empty if there are none.
std::string format_hash(const std::vector<run_result>& results);

} // namespace troupe::sim
