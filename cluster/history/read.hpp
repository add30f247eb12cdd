#pragma once
// Histories from text, in our own format and two of others; docs/history_format.md describes all three.

#include "cluster/history/history.hpp"

#include <stdexcept>

namespace troupe::history {

enum class format {
  troupe, ///< an operation a line, as JSON
  jepsen, ///< a log of one register: begin and end of each operation a line
  edn     ///< a map of strings: begin and end of each operation a line, as EDN maps
};

/// As on a command line: troupe, jepsen, edn.
std::string_view to_string(format f);

/// Text that is no history; `what()` is one line of printable characters that says why.
struct read_error : std::runtime_error {
  read_error(std::size_t line_number, const std::string& reason)
      : std::runtime_error(reason), line(line_number) {}
  std::size_t line; ///< from 1
};

/// By how the first line that is not blank begins.
std::optional<format> recognise(std::string_view text);

/// Reads a whole file; without a format it has to be recognised. The formats of others have no clock: there
/// the numbers of the lines are the time. Throws read_error, also if there is no operation in it.
operations read(std::string_view text, std::optional<format> as = std::nullopt);

} // namespace troupe::history
