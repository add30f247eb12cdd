#include "app/sim/chaos_report.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace troupe::sim {

namespace {

constexpr std::size_t most_violations = 4;

} // namespace

std::string trace_of_one(const std::string& path, std::uint64_t seed) {
  const std::filesystem::path all(path);
  return (all.parent_path() / fmt::format("{}-{}{}", all.stem().string(), seed, all.extension().string()))
      .string();
}

std::string describe_failure(const chaos::schedule& s, const chaos::outcome& o, const failure_traces& t) {
  std::string text = fmt::format("seed {} FAILED: {}\n", s.seed, o.violations.front());
  for (std::size_t i = 1; i < std::min(o.violations.size(), most_violations); ++i)
    text += fmt::format("  also: {}\n", o.violations[i]);
  text += fmt::format("replay: {}\n{}\nthe last moments:\n{}", t.replay, chaos::describe(s), t.last_moments);
  if (!t.trace.empty())
    text += fmt::format("\nthe trace: {}", t.trace);
  if (!t.page.empty())
    text += fmt::format("\na page that shows it: {}", t.page);
  if (!t.unwritten.empty())
    text += fmt::format("\nits {} could not be written: {}", t.trace.empty() ? "trace" : "page", t.unwritten);
  return text;
}

} // namespace troupe::sim
