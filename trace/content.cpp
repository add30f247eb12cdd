#include "trace/content.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <xxhash.h>

namespace troupe::trace {

namespace {

constexpr std::uint64_t each(std::uint64_t byte) { return byte * 0x0101010101010101U; }
constexpr std::uint64_t high = each(0x80);

/// The high bit of each byte that is below `bound`, and perhaps of its neighbours.
constexpr std::uint64_t below(std::uint64_t v, std::uint64_t bound) { return (v - each(bound)) & ~v & high; }

/// Not zero if one of eight bytes is no ASCII, a control, a quote or a backslash.
constexpr std::uint64_t odd(std::uint64_t v) {
  return (v & high) | below(v, 0x20) | below(v ^ each('"'), 1) | below(v ^ each('\\'), 1);
}

/// Nothing in it needs escaping, as in nearly all texts.
bool is_plain(std::string_view text) {
  std::uint64_t found = 0;
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t v = 0;
    std::memcpy(&v, text.data(), 8);
    found |= odd(v);
  }
  auto rest = each(' ');
  std::copy(text.begin(), text.end(),
            reinterpret_cast<char*>(&rest)); // not memcpy: an empty text may be null
  return (found | odd(rest)) == 0;
}

} // namespace

void write_text(wire::json_writer& json, std::string_view text) {
  if (text.size() <= longest_text_bytes && is_plain(text))
    return json.plain_string(text);
  if (!is_utf8(text)) {
    // A message that nobody understood, say.
    std::string readable(text);
    std::replace_if(
        readable.begin(), readable.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return write_text(json, readable);
  }
  if (text.size() <= longest_text_bytes)
    return json.string(text);
  auto kept = longest_text_bytes;
  while (kept > 0 && (static_cast<unsigned char>(text[kept]) & 0xC0U) == 0x80U)
    --kept; // not in the middle of a character
  char hash[16];
  const auto end = std::to_chars(hash, hash + sizeof hash, XXH3_64bits(text.data(), text.size()), 16).ptr;
  std::string shown(text.substr(0, kept));
  shown += "...(";
  shown += std::to_string(text.size());
  shown += " bytes, ";
  shown.append(hash, end);
  shown += ')';
  json.string(shown);
}

} // namespace troupe::trace
