#pragma once

#include "cluster/course/grade.hpp"
#include "cluster/course/record.hpp"
#include "cluster/scenario.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace troupe::sim {

/// What a scenario is played against.
enum class run_mode {
  real,        ///< processes, on the machine's clock
  virtual_time ///< actors in this process, on a clock that jumps
};

constexpr std::string_view to_string(run_mode mode) {
  switch (mode) {
  case run_mode::real:
    return "real";
  case run_mode::virtual_time:
    return "virtual";
  }
  return "?";
}

/// One scenario to be played. Many runs share it.
struct run_plan {
  std::shared_ptr<const troupe::scenario> scenario;
  run_mode mode = run_mode::real;
  std::uint64_t seed = 0;
  bool durable = false; ///< logs are on disks
};

/// What is told of a run's latencies, in seconds; nothing where nothing was answered.
struct latency_figures {
  std::optional<double> median, p99;
  std::optional<double> median_get, p99_get;
  std::optional<double> median_put, p99_put;
};

/// What came of it. Small: a long sweep keeps one for each run.
struct run_result {
  run_plan plan;
  course::figures figures; ///< without the single latencies
  latency_figures latency;
  course::complaints complaints;
  course::verdict verdict;
  /// Of everything that happened; virtual mode only, where the same plan has the same.
  std::optional<std::uint64_t> hash;
  std::uint64_t steps = 0; ///< of Raft, by all replicas; virtual mode only
};

/// Grades what a world has counted.
run_result make_result(const run_plan& plan, course::figures figures, course::complaints complaints);

} // namespace troupe::sim
