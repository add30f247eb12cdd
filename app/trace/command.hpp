#pragma once
// What the commands of troupe-trace have in common.

#include "app/command_line.hpp"
#include "trace/read.hpp"

#include <string>
#include <vector>

namespace troupe::trace_app {

enum exit_status { all_right = 0, not_found = 1, bad_input = 2 };

using app::usage_error;

/// Reads files and puts them together. Says on standard error where one was damaged. Throws usage_error.
trace::story read_story(const std::vector<std::string>& paths);

/// `1.234567`, in seconds: of a moment, since the run began.
std::string seconds(std::int64_t ns);
/// `12.3 us`, `4.56 ms`: a length of time that a person compares.
std::string length(std::int64_t ns);
/// `0001/raft`, `0001->0002`: where it happened.
std::string place_of(const trace::record& r);
/// All of a record in one line, without its time.
std::string describe(const trace::record& r);
/// UTF-8 of at most `most` bytes, and dots where something is cut off.
std::string shortened(std::string text, std::size_t most);

/// Each command adds itself, and when it was called leaves its exit status in `status`.
void add_show(CLI::App& app, exit_status& status);
void add_explain(CLI::App& app, exit_status& status);
void add_stats(CLI::App& app, exit_status& status);
void add_diff(CLI::App& app, exit_status& status);
void add_html(CLI::App& app, exit_status& status);
void add_export(CLI::App& app, exit_status& status);

} // namespace troupe::trace_app
