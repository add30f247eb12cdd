#include "app/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace troupe::app {

namespace {

std::string check_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seed);
  return error == std::errc() && stop == end ? "" : "must be a whole number from 0 to 18446744073709551615";
}

/// CLI11 says some things in several.
std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

} // namespace

bool read_arguments(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return true;
  } catch (const CLI::Success& help) {
    app.exit(help);
    return false;
  } catch (const CLI::ParseError& error) {
    throw usage_error(one_line(error.what()));
  }
}

CLI::Validator seed_check() { return {check_seed, "", "seed"}; }

} // namespace troupe::app
