#include "app/sim/distribution.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

namespace troupe::sim {

namespace {

struct measured {
  std::string_view name;
  std::optional<double> (*of)(const run_result&);
};

constexpr std::array measures{
    measured{"total_msgs", [](const run_result& r) { return std::optional(double(r.figures.total_msgs)); }},
    measured{"failures", [](const run_result& r) { return std::optional(double(r.figures.failures())); }},
    measured{"duplicates", [](const run_result& r) { return std::optional(double(r.figures.duplicates)); }},
    measured{"redirects", [](const run_result& r) { return std::optional(double(r.figures.redirects)); }},
    measured{"median_latency", [](const run_result& r) { return r.latency.median; }},
    measured{"p99_latency", [](const run_result& r) { return r.latency.p99; }},
    measured{
        "longest_silence",
        [](const run_result& r) -> std::optional<double> { return in_seconds(r.figures.longest_silence); }},
};

spread make_spread(std::string_view name, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto rank = (values.size() * 99 + 99) / 100; // from 1, rounded up
  return {name, values.front(), median(values), values[rank - 1], values.back()};
}

} // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[values.size() / 2] + values[(values.size() - 1) / 2]) / 2;
}

std::vector<spread> spreads_of(const std::vector<const run_result*>& runs) {
  std::vector<spread> result;
  for (const auto& measure : measures) {
    std::vector<double> values;
    for (const auto* run : runs)
      if (const auto value = measure.of(*run))
        values.push_back(*value);
    if (!values.empty())
      result.push_back(make_spread(measure.name, std::move(values)));
  }
  return result;
}

std::string format_spreads(const std::string& scenario, const std::vector<spread>& spreads) {
  auto text = fmt::format("{:<27} {:>12} {:>12} {:>12} {:>12}\n", scenario, "min", "median", "p99", "max");
  for (const auto& s : spreads)
    text += fmt::format("  {:<25} {:>12.6g} {:>12.6g} {:>12.6g} {:>12.6g}\n", s.figure, s.min, s.median,
                        s.p99, s.max);
  return text;
}

} // namespace troupe::sim
