#pragma once
// A trace as a page that a browser opens by itself: docs/page.md says what one sees there.

#include "trace/read.hpp"

#include <chrono>
#include <iosfwd>
#include <string>
#include <string_view>

namespace troupe::page {

/// Writes one file of HTML that needs no other. Judges the trace as `troupe-check trace` does, and marks what
/// is wrong.
///
/// @param limit  for the question whether the clients' history is linearizable
void write(const trace::story& s, std::ostream& to,
           std::chrono::nanoseconds limit = std::chrono::seconds(10));

/// The same into a file. Throws std::runtime_error with one line that names it.
void write(const trace::story& s, const std::string& path);

/// The page without a trace, which page/ is the source of. Has `trace_mark` once, where the trace goes.
std::string_view viewer();
inline constexpr std::string_view trace_mark = "<!--TRACE-->";

} // namespace troupe::page
