#pragma once
// What is told of a random run that failed.

#include "cluster/chaos/run.hpp"

#include <cstdint>
#include <string>

namespace troupe::sim {

/// Of one of many runs: `runs.jsonl` becomes `runs-4711.jsonl`.
std::string trace_of_one(const std::string& path, std::uint64_t seed);

/// Where a reader goes on from a failure.
struct failure_traces {
  std::string replay;       ///< the command that plays it again
  std::string last_moments; ///< lines
  std::string trace;        ///< the file that has everything; empty: there is none
  std::string page;         ///< that shows it; empty: there is none
  std::string unwritten;    ///< why one of them is missing; empty: none should be there
};

/// Several lines, without a newline at the end. Precondition: it failed.
std::string describe_failure(const chaos::schedule& s, const chaos::outcome& o, const failure_traces& t);

} // namespace troupe::sim
