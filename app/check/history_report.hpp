#pragma once
// What is said about judged histories.

#include "cluster/history/linearizable.hpp"
#include "cluster/history/read.hpp"

namespace troupe::check {

/// A file that was read and judged, or could not be read.
struct judged_file {
  std::string path;
  history::format format = history::format::troupe;
  std::size_t operations = 0;
  history::check_result result;
  std::string error;          ///< why it could not be read; empty if it could
  std::size_t error_line = 0; ///< 0 if it is not about a line
};

/// `FILE: verdict`, and indented below what there is to say about it.
std::string format_text(const judged_file& file);

/// `FILE:LINE: reason`, for a file that could not be read.
std::string format_error(const judged_file& file);

/// Everything about all files, as docs/history_format.md describes.
std::string format_json(const std::vector<judged_file>& files);

} // namespace troupe::check
