#pragma once

#include "cluster/course/grade.hpp"
#include "cluster/course/record.hpp"
#include "cluster/scenario.hpp"

#include <cstdint>

namespace troupe::sim {

/// What a scenario is played against. Only processes so far.
enum class run_mode { real };

constexpr std::string_view to_string(run_mode mode) {
  switch (mode) {
  case run_mode::real:
    return "real";
  }
  return "?";
}

/// One scenario to be played.
struct run_plan {
  troupe::scenario scenario;
  run_mode mode = run_mode::real;
  std::uint64_t seed = 0;
};

/// What came of it.
struct run_result {
  run_plan plan;
  course::figures figures;
  course::complaints complaints;
  course::verdict verdict;
};

} // namespace troupe::sim
