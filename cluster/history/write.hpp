#pragma once
// Histories as text in our own format, which docs/history_format.md describes.

#include "cluster/history/history.hpp"

#include <iosfwd>

namespace troupe::history {

/// Appends one operation as a line. Its strings have to be UTF-8, as all that our clients say.
void write(const operation& o, std::string& out);

/// Writes a line for each operation; read() gives them back, but for what means nothing: the line, the end of
/// an operation that has none, and other fields that do not belong to its kind and ending.
void write(const operations& history, std::ostream& out);

} // namespace troupe::history
