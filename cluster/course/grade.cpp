#include "cluster/course/grade.hpp"

#include <fmt/format.h>
#include <limits>

namespace troupe::course {

namespace {

/// Adds a failed check if `part` is more than this fraction of `whole`.
void at_most(std::vector<std::string>& failed, std::string_view what, std::uint64_t part, double fraction,
             std::uint64_t whole) {
  if (static_cast<double>(part) > fraction * static_cast<double>(whole))
    failed.push_back(fmt::format("{} of {} {}: more than the fraction {}", part, whole, what, fraction));
}

/// The fewest messages with which this many puts can have been replicated honestly.
double fewest_messages(const scenario& scenario) {
  return static_cast<double>(scenario.requests) * static_cast<double>(scenario.replicas) *
         (1 - scenario.mix) * (1 - scenario.maximum_appends_batched_fraction);
}

std::vector<std::string> failed_checks(const scenario& scenario, const figures& figures) {
  std::vector<std::string> failed;
  for (const auto& violation : figures.violations)
    failed.push_back("violation: " + violation);
  if (figures.incorrect > 0)
    failed.push_back(fmt::format("{} incorrect: {}", figures.incorrect, figures.incorrect_reasons.front()));
  for (const auto& death : figures.deaths)
    failed.push_back("died: " + death);
  if (figures.puts_ok == 0)
    failed.emplace_back("nothing was stored");
  at_most(failed, "gets unanswered", figures.gets_unanswered, scenario.maximum_get_fail_fraction,
          figures.gets);
  at_most(failed, "puts unanswered", figures.puts_unanswered, scenario.maximum_put_fail_fraction,
          figures.puts);
  at_most(failed, "gets not generated", figures.gets_not_generated,
          scenario.maximum_get_generation_fail_fraction, figures.gets + figures.gets_not_generated);
  if (static_cast<double>(figures.total_msgs) < fewest_messages(scenario))
    failed.push_back(
        fmt::format("{} messages between replicas: fewer than the {} that honest replication takes",
                    figures.total_msgs, fewest_messages(scenario)));
  return failed;
}

} // namespace

int tier_of(double value, const tier_limits& limits) {
  for (std::size_t i = 0; i < limits.size(); ++i)
    if (value < limits[i])
      return static_cast<int>(i);
  return no_tier;
}

verdict grade(const scenario& scenario, const figures& figures) {
  verdict result{failed_checks(scenario, figures), std::nullopt};
  if (!scenario.benchmarks)
    return result;
  const auto& limits = *scenario.benchmarks;
  const auto latency = figures.median_latency().value_or(std::numeric_limits<double>::infinity());
  if (result.passed())
    result.tiers = {tier_of(static_cast<double>(figures.total_msgs), limits.total_msgs),
                    tier_of(static_cast<double>(figures.failures()), limits.failures),
                    tier_of(static_cast<double>(figures.duplicates), limits.duplicates),
                    tier_of(latency, limits.median_latency)};
  else
    result.tiers = {no_tier, no_tier, no_tier, no_tier};
  return result;
}

} // namespace troupe::course
