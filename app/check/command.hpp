#pragma once
// What the commands of troupe-check have in common.

#include "app/command_line.hpp"

namespace troupe::check {

/// Of several files the largest counts.
enum exit_status { all_right = 0, not_right = 1, undecided = 2, bad_input = 3 };

using app::usage_error;

/// Each command adds itself, and when it was called leaves its exit status in `status`. Both have to outlive
/// the parsing of the command line.
void add_history_command(CLI::App& app, exit_status& status);
void add_trace_command(CLI::App& app, exit_status& status);
void add_log_command(CLI::App& app, exit_status& status);

} // namespace troupe::check
