#pragma once
// Text that comes from outside is checked once, where it comes in.

#include <string_view>

namespace troupe {

/// True for well-formed UTF-8: nothing overlong, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

} // namespace troupe
