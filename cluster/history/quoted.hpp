#pragma once
// Strings from outside, for people.

#include <string>
#include <string_view>

namespace troupe::history {

/// With anything that is not a printable character of UTF-8 escaped, and quotes. Of a text longer than `most`
/// bytes the beginning and the end.
std::string printable(std::string_view text, std::size_t most = 60);

/// The same in quotes.
std::string quoted(std::string_view text, std::size_t most = 60);

} // namespace troupe::history
