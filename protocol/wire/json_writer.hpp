#pragma once
// Compact JSON, appended to a string, or to something like it.

#include "protocol/escaped.hpp"

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::wire {

/// Whether a text stands in a JSON string as it is. Most do, so this looks at many bytes at once: without a
/// branch in the inner loop, which the compiler then turns into vector instructions.
inline bool needs_no_escape(std::string_view text) {
  constexpr std::size_t stride = 64;
  const auto is_special = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20) | (byte == '"') | (byte == '\\');
  };
  std::size_t at = 0;
  for (; at + stride <= text.size(); at += stride) {
    unsigned char any = 0;
    for (std::size_t i = 0; i < stride; ++i)
      any |= static_cast<unsigned char>(is_special(text[at + i]));
    if (any)
      return false;
  }
  for (; at < text.size(); ++at)
    if (is_special(text[at]))
      return false;
  return true;
}

/// Appends what it is told and sets commas; keeping brackets in pairs is the caller's business.
///
/// @tparam Out  takes a char and a std::string_view by +=
template <class Out>
class basic_json_writer {
 public:
  explicit basic_json_writer(Out& out) : out_(out) {}

  void open(char bracket) {
    separate();
    out_ += bracket;
    fresh_ = true;
  }

  void close(char bracket) {
    out_ += bracket;
    fresh_ = false;
  }

  /// Keys are ours and need no escaping.
  void key(std::string_view name) {
    separate();
    out_ += '"';
    out_ += name;
    out_ += std::string_view("\":");
    fresh_ = true;
  }

  void number(std::uint64_t value) {
    separate();
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out_ += std::string_view(digits, static_cast<std::size_t>(end - digits));
  }

  void signed_number(std::int64_t value) {
    separate();
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out_ += std::string_view(digits, static_cast<std::size_t>(end - digits));
  }

  void boolean(bool value) {
    separate();
    out_ += value ? std::string_view("true") : std::string_view("false");
  }

  void null() {
    separate();
    out_ += std::string_view("null");
  }

  void string(std::string_view text) {
    separate();
    out_ += '"';
    escape(text);
    out_ += '"';
  }

  /// Precondition: nothing in it needs escaping.
  void plain_string(std::string_view text) {
    separate();
    out_ += '"';
    out_ += text;
    out_ += '"';
  }

  void member(std::string_view name, std::string_view text) {
    key(name);
    string(text);
  }
  /// Precondition: nothing in the text needs escaping.
  void plain_member(std::string_view name, std::string_view text) {
    key(name);
    plain_string(text);
  }

 private:
  void separate() {
    if (!fresh_) {
      out_ += ',';
    }
    fresh_ = false;
  }

  void escape(std::string_view text) {
    if (needs_no_escape(text)) {
      out_ += text;
      return;
    }
    std::size_t plain = 0; // where the stretch begins that needs no escaping
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::size_t bytes = escaped_bytes(text[i]);
      if (bytes == 1) {
        continue;
      }
      out_ += text.substr(plain, i - plain);
      plain = i + 1;
      bytes == 2 ? escape_short(text[i]) : escape_long(text[i]);
    }
    out_ += text.substr(plain);
  }

  void escape_short(char c) {
    out_ += '\\';
    switch (c) {
    case '\b':
      out_ += 'b';
      break;
    case '\f':
      out_ += 'f';
      break;
    case '\n':
      out_ += 'n';
      break;
    case '\r':
      out_ += 'r';
      break;
    case '\t':
      out_ += 't';
      break;
    default:
      out_ += c;
    }
  }

  void escape_long(char c) {
    constexpr std::string_view hexadecimal = "0123456789ABCDEF";
    const auto value = static_cast<unsigned char>(c);
    out_ += std::string_view("\\u00");
    out_ += hexadecimal[value >> 4U];
    out_ += hexadecimal[value & 0xFU];
  }

  Out& out_;
  bool fresh_ = true; ///< no comma belongs before what comes next
};

using json_writer = basic_json_writer<std::string>;

} // namespace troupe::wire
