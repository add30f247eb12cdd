#pragma once

#include "app/command_line.hpp"
#include "app/sim/run_result.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::sim {

struct options {
  std::vector<std::string> scenarios; ///< built-in names and paths, `all` replaced by what it stands for
  run_mode mode = run_mode::virtual_time;
  std::string replica; ///< path of the executable
  bool ours = true;    ///< nobody named another
  std::optional<std::uint64_t> seed;
  std::size_t runs = 1;
  std::size_t jobs = 1;
  bool durable = false; ///< logs are on disks
  bool verbose = false;
  std::string trace; ///< where to write what happens; empty for nowhere
  std::string html;  ///< where to write a page that shows the run; empty for none
  std::string json;  ///< path of the report, - for the standard output; empty for none
};

using app::usage_error;

/// Reads the command line. Returns nothing if there is nothing left to do, after --help. Throws usage_error.
std::optional<options> parse_options(int argc, char** argv);

} // namespace troupe::sim
