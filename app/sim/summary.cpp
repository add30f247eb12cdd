#include "app/sim/summary.hpp"

#include "cluster/history_hash.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace troupe::sim {

namespace {

constexpr std::string_view red = "\033[31m";
constexpr std::string_view green = "\033[32m";
constexpr std::string_view plain = "\033[0m";

/// In more runs than this, what happens in many of them is counted and not told one by one.
constexpr std::size_t most_told_in_full = 20;
/// A request that is sent so shortly before its replica is killed no replica can answer.
constexpr duration same_moment = std::chrono::microseconds(100);

std::string paint(const std::string& text, std::string_view with, bool colour) {
  return colour ? fmt::format("{}{}{}", with, text, plain) : text;
}

std::string describe(const course::unanswered_request& r) {
  auto text = fmt::format("{} {} of key {} to {} at {:.3f} s was never answered", r.is_put ? "put" : "get",
                          r.mid, r.key, to_string(r.asked), in_seconds(r.sent));
  if (r.killed_after)
    text += fmt::format("; {} was killed {:.0f} us later", to_string(r.asked),
                        std::chrono::duration<double, std::micro>(*r.killed_after).count());
  return text;
}

template <class Figure>
double median_of(const std::vector<const run_result*>& runs, Figure figure) {
  std::vector<double> values;
  for (const auto* run : runs)
    values.push_back(static_cast<double>(figure(run->figures)));
  return median(std::move(values));
}

std::optional<double> median_of_latencies(const std::vector<const run_result*>& runs) {
  std::vector<double> values;
  for (const auto* run : runs)
    if (run->latency.median)
      values.push_back(*run->latency.median);
  return values.empty() ? std::nullopt : std::optional(median(std::move(values)));
}

std::optional<course::tiers> median_tiers(const std::vector<const run_result*>& runs) {
  if (!runs.front()->verdict.tiers)
    return std::nullopt;
  course::tiers result{};
  for (std::size_t measure = 0; measure < result.size(); ++measure) {
    std::vector<int> values;
    for (const auto* run : runs)
      values.push_back((*run->verdict.tiers)[measure]);
    std::sort(values.begin(), values.end());
    result[measure] = values[values.size() / 2];
  }
  return result;
}

scenario_summary summarize_scenario(const std::vector<const run_result*>& runs) {
  scenario_summary row;
  row.scenario = runs.front()->plan.scenario->name;
  row.runs = runs.size();
  row.passed = static_cast<std::size_t>(
      std::count_if(runs.begin(), runs.end(), [](const run_result* run) { return run->verdict.passed(); }));
  row.total_msgs = median_of(runs, [](const course::figures& f) { return f.total_msgs; });
  row.failures = median_of(runs, [](const course::figures& f) { return f.failures(); });
  row.duplicates = median_of(runs, [](const course::figures& f) { return f.duplicates; });
  row.median_latency = median_of_latencies(runs);
  row.tiers = median_tiers(runs);
  row.spreads = spreads_of(runs);
  return row;
}

int sum_of(const course::tiers& tiers) { return std::accumulate(tiers.begin(), tiers.end(), 0); }

std::string format_row(const scenario_summary& row, int width, bool colour) {
  const auto passed = fmt::format("{:>8}", fmt::format("{}/{}", row.passed, row.runs));
  const auto latency = row.median_latency ? fmt::format("{:.3f}", *row.median_latency * 1000) : "-";
  const auto& t = row.tiers;
  return fmt::format("{:<{}} {} {:>9} {:>9} {:>11} {:>10}  {:>7} {:>4}\n", row.scenario, width,
                     paint(passed, row.passed == row.runs ? green : red, colour), row.total_msgs,
                     row.failures, row.duplicates, latency,
                     t ? fmt::format("{} {} {} {}", (*t)[0], (*t)[1], (*t)[2], (*t)[3]) : "-",
                     t ? std::to_string(sum_of(*t)) : "-");
}

} // namespace

std::vector<scenario_summary> summarize(const std::vector<run_result>& results) {
  std::vector<scenario_summary> rows;
  for (const auto& result : results) {
    const auto& name = result.plan.scenario->name;
    if (std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.scenario == name; }))
      continue;
    std::vector<const run_result*> runs;
    for (const auto& other : results)
      if (other.plan.scenario->name == name)
        runs.push_back(&other);
    rows.push_back(summarize_scenario(runs));
  }
  return rows;
}

int tier_sum(const std::vector<scenario_summary>& rows) {
  int sum = 0;
  for (const auto& row : rows)
    sum += row.tiers ? sum_of(*row.tiers) : 0;
  return sum;
}

std::string format_table(const std::vector<scenario_summary>& rows, bool colour) {
  std::size_t width = std::string_view("scenario").size();
  for (const auto& row : rows)
    width = std::max(width, row.scenario.size());
  const auto w = static_cast<int>(width);
  auto text = fmt::format("{:<{}} {:>8} {:>9} {:>9} {:>11} {:>10}  {:>7} {:>4}\n", "scenario", w, "passed",
                          "messages", "failures", "duplicates", "median ms", "tiers", "sum");
  for (const auto& row : rows)
    text += format_row(row, w, colour);
  const bool graded =
      std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.tiers.has_value(); });
  return graded ? text + fmt::format("{:<{}} {:>65}\n", "sum", w, tier_sum(rows)) : text;
}

std::string format_distributions(const std::vector<scenario_summary>& rows) {
  std::string text;
  for (const auto& row : rows)
    if (row.runs > 1)
      text += fmt::format("\n{}", format_spreads(row.scenario, row.spreads));
  if (!text.empty())
    text += '\n';
  return text;
}

std::string format_hash(const std::vector<run_result>& results) {
  history_hash all;
  bool any = false;
  for (const auto& result : results)
    if (result.hash) {
      all.add('r', {}, nobody, fmt::format("{:016x}", *result.hash));
      any = true;
    }
  if (!any)
    return "";
  // Of one run its own, as everywhere else.
  return fmt::format("history {:016x}\n", results.size() == 1 ? *results.front().hash : all.value());
}

std::string format_faults(const std::vector<run_result>& results, bool colour) {
  const bool brief = results.size() > most_told_in_full;
  std::string text;
  std::size_t lost_with_replica = 0;
  std::size_t duplicates = 0;
  for (const auto& result : results) {
    const auto run = fmt::format("{} (seed {})", result.plan.scenario->name, result.plan.seed);
    for (const auto& check : result.verdict.failed_checks)
      text += fmt::format("{} {}: {}\n", run, paint("failed", red, colour), check);
    for (const auto& request : result.figures.unanswered) {
      if (brief && request.killed_after && *request.killed_after < same_moment)
        ++lost_with_replica;
      else
        text += fmt::format("{} {}\n", run, describe(request));
    }
    for (const auto& [key, complaint] : result.complaints) {
      if (brief && key.second == course::misdeed::second_answer)
        duplicates += complaint.count;
      else
        text += fmt::format("{} {} {}: {}{}\n", run, key.first == nobody ? "somebody" : to_string(key.first),
                            to_string(key.second), complaint.first,
                            complaint.count > 1 ? fmt::format(" ({} times)", complaint.count) : "");
    }
  }
  if (lost_with_replica > 0)
    text +=
        fmt::format("{} requests were never answered, sent in the same moment as their replica was killed\n",
                    lost_with_replica);
  if (duplicates > 0)
    text += fmt::format("{} answers were duplicates\n", duplicates);
  return text;
}

} // namespace troupe::sim
