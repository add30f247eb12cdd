#include "cluster/scenario_fields.hpp"

#include "cluster/scenario.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <vector>

namespace troupe {

namespace {

std::string_view text_of(const rapidjson::Value& string) {
  return {string.GetString(), string.GetStringLength()};
}

/// For error messages, which take one line: what cannot be printed becomes a question mark.
std::string printable(std::string_view text) {
  std::string result(text.substr(0, 60));
  std::replace_if(
      result.begin(), result.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return result;
}

} // namespace

scenario_fields::scenario_fields(const rapidjson::Value& object, std::string origin, std::string path)
    : object_(object), origin_(std::move(origin)), path_(std::move(path)) {
  if (!object_.IsObject())
    throw scenario_error(
        fmt::format("{}: {} must be an object", origin_, path_.empty() ? "the scenario" : path_));
}

void scenario_fields::only(std::initializer_list<std::string_view> names) const {
  std::set<std::string_view> seen;
  for (const auto& member : object_.GetObject()) {
    const auto name = text_of(member.name);
    if (std::find(names.begin(), names.end(), name) == names.end())
      refuse(printable(name), "is not a field of a scenario");
    if (!seen.insert(name).second)
      refuse(name, "is there twice");
  }
}

bool scenario_fields::has(std::string_view name) const { return object_.HasMember(std::string(name)); }

const rapidjson::Value& scenario_fields::at(std::string_view name) const {
  const auto found = object_.FindMember(std::string(name));
  if (found == object_.MemberEnd())
    refuse(name, "is missing");
  return found->value;
}

double scenario_fields::number(std::string_view name, double low, double high, double fallback) const {
  return has(name) ? number(name, low, high) : fallback;
}

double scenario_fields::number(std::string_view name, double low, double high) const {
  const auto& value = at(name);
  if (const auto problem = number_problem(value, low, high); !problem.empty())
    refuse(name, problem);
  return value.GetDouble();
}

std::uint64_t scenario_fields::count(std::string_view name, std::uint64_t low, std::uint64_t high) const {
  const auto& value = at(name);
  if (!value.IsUint64() || value.GetUint64() < low || value.GetUint64() > high)
    refuse(name, fmt::format("must be a whole number from {} to {}", low, high));
  return value.GetUint64();
}

scenario_fields scenario_fields::child(std::string_view name) const {
  return {at(name), origin_, path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name)};
}

void scenario_fields::refuse(std::string_view name, const std::string& problem) const {
  throw scenario_error(fmt::format("{}: {}{}{} {}", origin_, path_, path_.empty() ? "" : ".", name, problem));
}

std::string number_problem(const rapidjson::Value& value, double low, double high) {
  if (!value.IsNumber() || !(value.GetDouble() >= low) || !(value.GetDouble() <= high))
    return fmt::format("must be a number from {} to {}", low, high);
  return {};
}

} // namespace troupe
