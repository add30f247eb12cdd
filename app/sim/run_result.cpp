#include "app/sim/run_result.hpp"

#include <utility>

namespace troupe::sim {

run_result make_result(const run_plan& plan, course::figures figures, course::complaints complaints) {
  run_result result;
  result.plan = plan;
  result.verdict = course::grade(*plan.scenario, figures);
  const auto& [gets, puts] = figures.latencies;
  const auto all = figures.latencies.all();
  result.latency = {course::median_seconds(all), course::p99_seconds(all),     course::median_seconds(gets),
                    course::p99_seconds(gets),   course::median_seconds(puts), course::p99_seconds(puts)};
  figures.latencies = {};
  result.figures = std::move(figures);
  result.complaints = std::move(complaints);
  return result;
}

} // namespace troupe::sim
