#include "trace/content.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
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

namespace {

/// What nobody understood, say.
void make_readable(std::string& text) {
  if (!is_utf8(text))
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
}

/// Stands for the text. No message of a client or a peer is longer than a look at all of it is worth; of a
/// state, which may be hundreds of megabytes, it takes blocks from all over: whoever sends one has others
/// waiting.
std::uint64_t digest(std::string_view text) {
  if (text.size() <= wholly_hashed_bytes)
    return XXH3_64bits(text.data(), text.size());
  constexpr std::size_t block = 4'096, blocks = wholly_hashed_bytes / block;
  const auto last = text.size() - block, step = last / (blocks - 1);
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (std::size_t i = 0; i + 1 < blocks; ++i)
    XXH3_64bits_update(&state, text.data() + i * step, block);
  XXH3_64bits_update(&state, text.data() + last, block);
  return XXH3_64bits_digest(&state);
}

/// Copies only what is kept: it may be a snapshot.
std::string shorten(std::string_view text) {
  auto kept = longest_text_bytes;
  while (kept > 0 && (static_cast<unsigned char>(text[kept]) & 0xC0U) == 0x80U)
    --kept; // not in the middle of a character
  std::string beginning(text.substr(0, kept));
  make_readable(beginning);
  return fmt::format("{}...({} bytes, {:x})", beginning, text.size(), digest(text));
}

} // namespace

void write_text(json_writer& json, std::string_view text) {
  if (text.size() > longest_text_bytes)
    return json.string(shorten(text));
  if (is_plain(text))
    return json.plain_string(text);
  std::string readable(text);
  make_readable(readable);
  json.string(readable);
}

// ---- texts in records: the number of bytes, twice, and one more if it has been cut already

void packer::any_text(std::string_view text) {
  if (text.size() <= longest_text_bytes) {
    count(text.size() * 2);
    return bytes_of(text);
  }
  const auto cut = shorten(text);
  count(cut.size() * 2 + 1);
  bytes_of(cut);
}

void packer::grow(std::size_t bytes) { bytes_.resize(2 * (size_ + bytes)); }

void unpacker::print_text(json_writer& json) {
  const auto size = count();
  const auto text = take(size / 2);
  if (size % 2 == 0)
    write_text(json, text);
  else
    json.string(text);
}

} // namespace troupe::trace
