#pragma once
// The report for programs. Its fields are described in docs/simulator.md.

#include "app/sim/run_result.hpp"

#include <string>
#include <vector>

namespace troupe::sim {

/// One JSON object with every figure of every run. All times are in seconds.
std::string format_json(const std::vector<run_result>& results);

} // namespace troupe::sim
