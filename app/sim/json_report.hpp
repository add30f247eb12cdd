#pragma once
// The report for programs. Its fields are described in docs/simulator.md.

#include "app/sim/runner.hpp"

#include <string>

namespace troupe::sim {

/// One JSON object with every figure of every run. All times are in seconds.
std::string format_json(const run_results& all);

} // namespace troupe::sim
