#include "cluster/history/quoted.hpp"

#include "protocol/utf8.hpp"

#include <fmt/format.h>

namespace troupe::history {

namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

/// Where to cut, at `most` or a little before: between two characters.
std::size_t cut(std::string_view text, std::size_t most) {
  while (most > 0 && continues_character(text[most]))
    --most;
  return most;
}

std::string escaped(std::string_view text, bool utf8) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !utf8))
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out;
}

} // namespace

std::string printable(std::string_view text, std::size_t most) {
  const bool utf8 = is_utf8(text);
  if (text.size() <= most)
    return escaped(text, utf8);
  const auto begin = text.substr(0, cut(text, most / 2));
  const auto end = text.substr(cut(text, text.size() - most / 2));
  return fmt::format("{}[...]{}", escaped(begin, utf8), escaped(end, utf8));
}

std::string quoted(std::string_view text, std::size_t most) {
  const auto inner = printable(text, most);
  return text.size() <= most ? fmt::format("\"{}\"", inner)
                             : fmt::format("\"{}\" ({} bytes)", inner, text.size());
}

} // namespace troupe::history
