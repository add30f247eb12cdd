#pragma once
// Plays a list of runs, several side by side if asked to.

#include "app/sim/options.hpp"
#include "app/sim/run_result.hpp"
#include "app/sim/watchdog.hpp"

#include <string>
#include <vector>

namespace troupe::sim {

struct run_results {
  std::vector<run_result> results; ///< in the order of the plans; those that were stopped are missing
  std::size_t planned = 0;
  bool stopped = false;
  std::string unwritten; ///< why the trace or the page is missing; empty: neither is
};

/// `stop` becomes readable when everything has to end. Throws what a run throws, after the others have ended.
run_results play_all(const std::vector<run_plan>& plans, const options& options, const watchdog& guard,
                     int stop);

} // namespace troupe::sim
