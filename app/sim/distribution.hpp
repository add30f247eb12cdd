#pragma once
// How each figure is spread over the runs of a scenario: a median alone hides the run that went wrong.

#include "app/sim/run_result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::sim {

/// Of one figure over the runs of one scenario. Latencies and times are in seconds.
struct spread {
  std::string_view figure; ///< as in the JSON report
  double min = 0;
  double median = 0;
  double p99 = 0; ///< the smallest value that 99 of 100 runs do not exceed
  double max = 0;
};

/// Of two values in the middle their mean. Precondition: there are values.
double median(std::vector<double> values);

/// A spread for each figure that at least one of the runs has. Precondition: there are runs.
std::vector<spread> spreads_of(const std::vector<const run_result*>& runs);

/// The figures of one scenario, a line each.
std::string format_spreads(const std::string& scenario, const std::vector<spread>& spreads);

} // namespace troupe::sim
