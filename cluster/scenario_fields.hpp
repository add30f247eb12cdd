#pragma once
// Reads the fields of a JSON object strictly: each has a type and a range, none is unknown or repeated.

#include <rapidjson/document.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace troupe {

/// One object of a scenario file. `path` is its place in the file, as in `tests.benchmarks`; empty at the
/// top. All members throw scenario_error, with origin and path.
class scenario_fields {
 public:
  scenario_fields(const rapidjson::Value& object, std::string origin, std::string path);

  /// Refuses any field not named here, and any that is there twice.
  void only(std::initializer_list<std::string_view> names) const;

  bool has(std::string_view name) const;
  /// The field, which must be there.
  const rapidjson::Value& at(std::string_view name) const;
  /// A number from low to high, both included; `fallback` if it is missing.
  double number(std::string_view name, double low, double high, double fallback) const;
  /// The same for a number that must be there.
  double number(std::string_view name, double low, double high) const;
  /// A whole number from low to high, both included.
  std::uint64_t count(std::string_view name, std::uint64_t low, std::uint64_t high) const;
  /// The object under a name.
  scenario_fields child(std::string_view name) const;

  /// Throws: `<origin>: <path of the field> <problem>`.
  [[noreturn]] void refuse(std::string_view name, const std::string& problem) const;

 private:
  const rapidjson::Value& object_;
  std::string origin_;
  std::string path_;
};

/// A number from low to high, or an explanation of what it should be instead.
/// Returns an empty string if all is well.
std::string number_problem(const rapidjson::Value& value, double low, double high);

} // namespace troupe
