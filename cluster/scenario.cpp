#include "cluster/scenario.hpp"

#include "cluster/builtin_scenarios.hpp"
#include "cluster/scenario_fields.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <limits>
#include <rapidjson/error/en.h>

namespace troupe {

namespace {

constexpr double longest_seconds = 86400;
constexpr std::size_t largest_file_bytes = 1 << 20;
constexpr std::array<std::string_view, 10> event_names{
    "kill_leader",  "kill_non_leader",  "part_easy",    "part_hard",        "part_end",
    "crash_leader", "crash_non_leader", "pause_leader", "pause_non_leader", "resume"};
constexpr std::string_view generation_fraction = "maximum_get_generation_fail_fraction";

duration seconds(double value) { return duration(std::llround(value * 1e9)); }

/// Line and column of a byte, both from 1, as editors count them.
std::string place(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto newline = before.rfind('\n');
  return fmt::format("{}:{}", line, newline == before.npos ? before.size() + 1 : before.size() - newline);
}

event read_event(const scenario_fields& fields) {
  fields.only({"type", "time"});
  const auto& type = fields.at("type");
  const auto found =
      std::find(event_names.begin(), event_names.end(), type.IsString() ? type.GetString() : "");
  if (found == event_names.end())
    fields.refuse("type", fmt::format("must be one of {}", fmt::join(event_names, ", ")));
  return {static_cast<event_type>(found - event_names.begin()),
          seconds(fields.number("time", 0, longest_seconds))};
}

void read_events(const scenario_fields& top, const std::string& origin, scenario& into) {
  const auto& list = top.at("events");
  if (!list.IsArray())
    top.refuse("events", "must be an array of objects");
  for (rapidjson::SizeType i = 0; i < list.Size(); ++i) {
    const scenario_fields fields(list[i], origin, fmt::format("events[{}]", i));
    into.events.push_back(read_event(fields));
    if (into.events.back().time > into.lifetime + into.end_wait)
      fields.refuse("time", "lies after the end of the run");
  }
  std::stable_sort(into.events.begin(), into.events.end(),
                   [](const event& a, const event& b) { return a.time < b.time; });
}

tier_limits read_limits(const scenario_fields& fields, std::string_view name) {
  const auto& list = fields.at(name);
  if (!list.IsArray() || list.Size() != 3)
    fields.refuse(name, "must be an array of three limits");
  tier_limits limits{};
  for (rapidjson::SizeType i = 0; i < 3; ++i) {
    if (const auto problem = number_problem(list[i], 0, 1e12); !problem.empty())
      fields.refuse(fmt::format("{}[{}]", name, i), problem);
    limits[i] = list[i].GetDouble();
  }
  if (!std::is_sorted(limits.begin(), limits.end()))
    fields.refuse(name, "must not decrease");
  return limits;
}

void read_tests(const scenario_fields& tests, scenario& into) {
  tests.only({"benchmarks", "maximum_get_fail_fraction", "maximum_put_fail_fraction", generation_fraction,
              "maximum_appends_batched_fraction"});
  const auto fraction = [&](std::string_view name, double& target) {
    target = tests.number(name, 0, 1, target);
  };
  fraction("maximum_get_fail_fraction", into.maximum_get_fail_fraction);
  fraction("maximum_put_fail_fraction", into.maximum_put_fail_fraction);
  fraction(generation_fraction, into.maximum_get_generation_fail_fraction);
  fraction("maximum_appends_batched_fraction", into.maximum_appends_batched_fraction);
  if (!tests.has("benchmarks"))
    return;
  const auto fields = tests.child("benchmarks");
  fields.only({"total_msgs", "failures", "duplicates", "median_latency"});
  into.benchmarks = benchmarks{read_limits(fields, "total_msgs"), read_limits(fields, "failures"),
                               read_limits(fields, "duplicates"), read_limits(fields, "median_latency")};
}

/// The course's own files have this fraction beside `tests`, where the course's simulator overlooks it.
void read_misplaced_fraction(const scenario_fields& top, scenario& into) {
  if (!top.has(generation_fraction))
    return;
  if (top.has("tests") && top.child("tests").has(generation_fraction))
    top.refuse(generation_fraction, "stands both beside and inside tests");
  into.maximum_get_generation_fail_fraction = top.number(generation_fraction, 0, 1);
  into.notes.push_back(
      fmt::format("{} stands beside tests, where the course's simulator ignores it; here it counts",
                  generation_fraction));
}

rapidjson::Document parse_json(std::string_view text, const std::string& origin) {
  rapidjson::Document document;
  // Iterative: a file of nothing but brackets is refused, not a stack overflow.
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (document.HasParseError())
    throw scenario_error(fmt::format("{}:{}: {}", origin, place(text, document.GetErrorOffset()),
                                     rapidjson::GetParseError_En(document.GetParseError())));
  return document;
}

std::string read_file(const std::string& path) {
  if (std::filesystem::is_directory(path))
    throw scenario_error(fmt::format("{}: is a directory, not a scenario file", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const auto reason = errno;
    throw scenario_error(reason == ENOENT
                             ? fmt::format("{}: no such file, and no built-in scenario (those are: {})", path,
                                           fmt::join(builtin_scenario_names(), ", "))
                             : fmt::format("{}: {}", path, std::strerror(reason)));
  }
  std::string text(largest_file_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > largest_file_bytes)
    throw scenario_error(fmt::format("{}: longer than {} bytes, so no scenario", path, largest_file_bytes));
  return text;
}

} // namespace

std::string_view to_string(event_type type) { return event_names[static_cast<std::size_t>(type)]; }

scenario parse_scenario(std::string_view text, const std::string& name, const std::string& origin) {
  const auto document = parse_json(text, origin);
  const scenario_fields top(document, origin, "");
  top.only({"lifetime", "replicas", "requests", "seed", "mix", "start_wait", "end_wait", "drops",
            "max_packets", "events", "tests", generation_fraction});
  scenario result;
  result.name = name;
  result.lifetime = seconds(top.number("lifetime", 0.001, longest_seconds));
  result.start_wait = seconds(top.number("start_wait", 0, longest_seconds, 5));
  result.end_wait = seconds(top.number("end_wait", 0, longest_seconds, 2));
  result.replicas = top.count("replicas", 3, 21);
  result.requests = top.count("requests", 1, 1'000'000);
  if (top.has("seed"))
    result.seed = top.count("seed", 0, std::numeric_limits<std::uint64_t>::max());
  result.mix = top.number("mix", 0, 1, result.mix);
  result.drops = top.number("drops", 0, 1, result.drops);
  if (top.has("max_packets"))
    result.max_packets = top.count("max_packets", 1, 1'000'000'000);
  if (top.has("events"))
    read_events(top, origin, result);
  if (top.has("tests"))
    read_tests(top.child("tests"), result);
  read_misplaced_fraction(top, result);
  return result;
}

scenario load_scenario(const std::string& name_or_path) {
  for (const auto& builtin : builtin_scenarios())
    if (builtin.name == name_or_path)
      return parse_scenario(builtin.text, name_or_path, name_or_path);
  const auto text = read_file(name_or_path);
  return parse_scenario(text, std::filesystem::path(name_or_path).stem().string(), name_or_path);
}

std::vector<std::string> builtin_scenario_names() {
  std::vector<std::string> names;
  for (const auto& builtin : builtin_scenarios())
    names.emplace_back(builtin.name);
  return names;
}

} // namespace troupe
