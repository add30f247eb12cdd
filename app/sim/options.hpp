#pragma once

#include "app/sim/run_result.hpp"

#include <CLI/CLI.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::sim {

struct options {
  std::vector<std::string> scenarios; ///< built-in names and paths, `all` replaced by what it stands for
  run_mode mode = run_mode::virtual_time;
  std::string replica; ///< path of the executable
  std::optional<std::uint64_t> seed;
  std::size_t runs = 1;
  std::size_t jobs = 1;
  bool verbose = false;
  std::string trace; ///< where to write what happens; empty for nowhere
  std::string json;  ///< path of the report; empty for none
};

/// A call that cannot be carried out; `what()` is one line that says why.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// For options that take a seed; CLI11 itself takes -1 for a large number.
CLI::Validator seed_check();
/// What CLI11 says, in one line.
std::string one_line(std::string text);

/// Reads the command line. Returns nothing if there is nothing left to do, after --help. Throws usage_error.
std::optional<options> parse_options(int argc, char** argv);

} // namespace troupe::sim
