#pragma once
// How long text is inside a JSON string.

#include <array>
#include <cstddef>
#include <cstdint>

namespace troupe {

/// What each byte takes inside a JSON string: 1, 2 as in `\n`, or 6 as in `\u0000`. A table, since every byte
/// that is written is looked up.
inline constexpr auto escaped_sizes = [] {
  std::array<std::uint8_t, 256> sizes{};
  for (std::size_t c = 0; c < sizes.size(); ++c)
    sizes[c] = c < 0x20 ? 6 : 1;
  for (const unsigned char c : {'"', '\\', '\b', '\f', '\n', '\r', '\t'})
    sizes[c] = 2;
  return sizes;
}();

inline constexpr std::size_t escaped_bytes(char c) { return escaped_sizes[static_cast<unsigned char>(c)]; }

} // namespace troupe
