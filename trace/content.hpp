#pragma once
// What a message says, in short and as JSON, out of the list of its fields (protocol/fields.hpp). Whoever
// adds a message writes nothing here.

#include "protocol/fields.hpp"
#include "protocol/types.hpp"
#include "protocol/wire/json_writer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace troupe::trace {

/// A longer text is cut to this many bytes (fewer if that would split a character).
inline constexpr std::size_t longest_text_bytes = 512;

/// The text itself, or its beginning with length and hash, so that different texts stay different.
/// Precondition: UTF-8.
void write_text(wire::json_writer& json, std::string_view text);

/// Writes values of any type that a field may have. What has neither fields nor an overload is written as
/// null, so that every message can be recorded.
struct content_writer {
  wire::json_writer& json;

  template <class T>
  void operator()(const T& value) {
    if constexpr (std::is_same_v<T, bool>)
      json.boolean(value);
    else if constexpr (std::is_unsigned_v<T>)
      json.number(value);
    else if constexpr (std::is_signed_v<T>)
      json.signed_number(value);
    else if constexpr (requires { to_string(value); })
      write_text(json, to_string(value));
    else if constexpr (has_fields<T>)
      object(value);
    else
      json.null();
  }
  template <class Meaning>
  void operator()(const number<Meaning>& n) {
    json.number(n.value);
  }
  void operator()(replica_id id) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const char text[] = {digits[id.value >> 12U], digits[id.value >> 8U & 0xFU],
                         digits[id.value >> 4U & 0xFU], digits[id.value & 0xFU]};
    json.plain_string({text, sizeof text});
  }
  void operator()(const std::string& text) { write_text(json, text); }
  void operator()(const duration& d) { json.signed_number(d.count()); }
  void operator()(const instant& t) { json.signed_number(t.since_start.count()); }
  template <class T>
  void operator()(const std::vector<T>& list) {
    json.open('[');
    for (const auto& item : list)
      (*this)(item);
    json.close(']');
  }
  template <class T>
  void operator()(const std::shared_ptr<T>& pointer) {
    (*this)(*pointer);
  }
  template <class T>
  void operator()(const std::optional<T>& some) {
    (*this)(*some);
  }
  /// One of several meanings: its name comes first.
  template <class... T>
  void operator()(const std::variant<T...>& one_of) {
    std::visit([this](const auto& value) { object(value, true); }, one_of);
  }

  template <class T>
  void object(const T& value, bool with_type = false) {
    json.open('{');
    if constexpr (has_fields<T>) {
      if (with_type)
        json.member("type", T::type_name);
      members(value);
    }
    json.close('}');
  }

  /// Without brackets. What is not there is left out.
  template <class T>
  void members(const T& value) {
    for_each_field(value, [this](std::string_view name, const auto& member) {
      if (!is_there(member))
        return;
      json.key(name);
      (*this)(member);
    });
  }

 private:
  template <class T>
  static bool is_there(const T&) {
    return true;
  }
  template <class T>
  static bool is_there(const std::shared_ptr<T>& pointer) {
    return pointer != nullptr;
  }
  template <class T>
  static bool is_there(const std::optional<T>& some) {
    return some.has_value();
  }
  static bool is_there(const instant& t) { return t != never; }
};

} // namespace troupe::trace
