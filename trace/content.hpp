#pragma once
// What a message says: copied into a record while the program runs, printed as JSON when somebody wants to
// read it. Both come from the list of its fields (protocol/fields.hpp); whoever adds a message writes nothing
// here.

#include "protocol/fields.hpp"
#include "protocol/types.hpp"
#include "protocol/wire/json_writer.hpp"

#include <cstring>
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
/// Of a text that is cut and longer than this, so many bytes from all over it decide about the hash.
inline constexpr std::size_t wholly_hashed_bytes = 1 << 20;

/// Bytes to which values are appended, or text; keeps its memory from one record to the next.
class packer {
 public:
  void clear() { size_ = 0; }
  std::string_view bytes() const { return {bytes_.data(), size_}; }

  template <class T>
  void raw(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(make_room(sizeof value), &value, sizeof value);
  }
  void text(const std::string& text) {
    if (text.size() > short_text_bytes) [[unlikely]]
      return any_text(text);
    char* const at = make_room(sizeof(std::uint32_t) + short_text_bytes);
    const auto count = static_cast<std::uint32_t>(text.size() * 2);
    std::memcpy(at, &count, sizeof count);
    std::memcpy(at + sizeof count, text.data(), short_text_bytes); // what is behind its end is overwritten
    size_ -= short_text_bytes - text.size();
  }
  /// Of what follows.
  void count(std::size_t n) { raw(static_cast<std::uint32_t>(n)); }
  /// Without their number.
  void bytes_of(std::string_view text) {
    if (!text.empty())
      std::memcpy(make_room(text.size()), text.data(), text.size());
  }

  packer& operator+=(char c) {
    *make_room(1) = c;
    return *this;
  }
  packer& operator+=(std::string_view text) {
    bytes_of(text);
    return *this;
  }

  /// Leaves room for so many bytes, which are to be patched.
  void skip(std::size_t bytes) { make_room(bytes); }
  /// Overwrites what was appended at that place. Precondition: as many bytes are there.
  template <class T>
  void patch(std::size_t at, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }

 private:
  /// What every string has room for (inside of itself, in libstdc++ 15 and in libc++ 22 bytes), so that this
  /// many bytes of it can be copied at once. Most of what is packed are texts as short as that.
  static constexpr std::size_t short_text_bytes = 15;
  static_assert(sizeof(std::string) > short_text_bytes);

  void any_text(std::string_view text);
  /// Of so many bytes, which are then taken. In each record there are dozens of values: this is to be
  /// inlined.
  char* make_room(std::size_t bytes) {
    if (size_ + bytes > bytes_.size()) [[unlikely]]
      grow(bytes);
    size_ += bytes;
    return bytes_.data() + size_ - bytes;
  }
  void grow(std::size_t bytes);

  std::vector<char> bytes_ = std::vector<char>(256);
  std::size_t size_ = 0;
};

/// Of lines. A std::string would do, but checks more each time than there is to write.
using json_writer = wire::basic_json_writer<packer>;

/// The text itself, or its beginning with length and hash, so that different texts stay different. Bytes that
/// are no UTF-8 become question marks.
void write_text(json_writer& json, std::string_view text);

/// Takes them off again, in the same order.
class unpacker {
 public:
  explicit unpacker(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T raw() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  /// Whether the next value is this one, which is then taken off.
  template <class T>
  bool skip(const T& value) {
    if (std::memcmp(rest_.data(), &value, sizeof value) != 0)
      return false;
    take(sizeof value);
    return true;
  }
  std::size_t count() { return raw<std::uint32_t>(); }
  void print_text(json_writer& json);
  std::string_view rest() const { return rest_; }

 private:
  std::string_view take(std::size_t bytes) {
    const auto taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest_;
};

/// How values of a type are packed and printed. What has neither fields nor a form is printed as null, so
/// that every message can be recorded.
template <class T>
struct form {
  static constexpr bool is_name = requires(const T& value) { to_string(value); }
  &&std::is_enum_v<T>;
  static constexpr bool is_plain = std::is_arithmetic_v<T> || is_name;

  static void pack(packer& out, const T& value) {
    if constexpr (is_plain)
      out.raw(value);
    else if constexpr (has_fields<T>)
      for_each_field(value,
                     [&]<class Member>(std::string_view, const Member& m) { form<Member>::pack(out, m); });
  }

  static void print(unpacker& in, json_writer& json) {
    if constexpr (std::is_same_v<T, bool>) {
      json.boolean(in.raw<bool>());
    } else if constexpr (is_name) {
      json.string(to_string(in.raw<T>()));
    } else if constexpr (std::is_unsigned_v<T>) {
      json.number(in.raw<T>());
    } else if constexpr (std::is_signed_v<T>) {
      json.signed_number(in.raw<T>());
    } else if constexpr (has_fields<T>) {
      json.open('{');
      print_members(in, json);
      json.close('}');
    } else {
      json.null();
    }
  }

  /// Without brackets. What is not there is left out.
  static void print_members(unpacker& in, json_writer& json) {
    std::apply([&](const auto&... f) { (print_member(in, json, f), ...); }, T::fields());
  }

  /// Whether a value that is left out comes next, which is then taken off.
  static bool skip_absent(unpacker&) { return false; }

 private:
  template <class Member>
  static void print_member(unpacker& in, json_writer& json, const field<T, Member>& f) {
    if (form<Member>::skip_absent(in))
      return;
    json.key(f.name);
    form<Member>::print(in, json);
  }
};

template <class Meaning>
struct form<number<Meaning>> : form<std::uint64_t> {
  static void pack(packer& out, number<Meaning> n) { out.raw(n.value); }
};

template <>
struct form<duration> : form<std::int64_t> {
  static void pack(packer& out, duration d) { out.raw<std::int64_t>(d.count()); }
};

template <>
struct form<instant> : form<std::int64_t> {
  static void pack(packer& out, instant t) { out.raw<std::int64_t>(t.since_start.count()); }
  static bool skip_absent(unpacker& in) { return in.skip<std::int64_t>(never.since_start.count()); }
};

template <>
struct form<replica_id> {
  static void pack(packer& out, replica_id id) { out.raw(id); }
  static void print(unpacker& in, json_writer& json) { print(in.raw<replica_id>(), json); }
  static void print(replica_id id, json_writer& json) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto value = id.value;
    const char text[] = {digits[value >> 12U], digits[value >> 8U & 0xFU], digits[value >> 4U & 0xFU],
                         digits[value & 0xFU]};
    json.plain_string({text, sizeof text});
  }
  static bool skip_absent(unpacker&) { return false; }
};

template <>
struct form<std::string> {
  static void pack(packer& out, const std::string& text) { out.text(text); }
  static void print(unpacker& in, json_writer& json) { in.print_text(json); }
  static bool skip_absent(unpacker&) { return false; }
};

template <class T>
struct form<std::vector<T>> {
  static void pack(packer& out, const std::vector<T>& list) {
    out.count(list.size());
    for (const auto& item : list)
      form<T>::pack(out, item);
  }
  static void print(unpacker& in, json_writer& json) {
    json.open('[');
    for (auto left = in.count(); left > 0; --left)
      form<T>::print(in, json);
    json.close(']');
  }
  static bool skip_absent(unpacker&) { return false; }
};

/// Of something that may be there: a pointer or an optional.
template <class Maybe, class T>
struct form_of_maybe {
  static void pack(packer& out, const Maybe& maybe) {
    out.raw<bool>(static_cast<bool>(maybe));
    if (maybe)
      form<T>::pack(out, *maybe);
  }
  static void print(unpacker& in, json_writer& json) {
    if (in.raw<bool>())
      form<T>::print(in, json);
    else
      json.null();
  }
  static bool skip_absent(unpacker& in) { return in.skip(false); }
};
template <class T>
struct form<std::shared_ptr<T>> : form_of_maybe<std::shared_ptr<T>, std::remove_const_t<T>> {};
template <class T>
struct form<std::optional<T>> : form_of_maybe<std::optional<T>, T> {};

/// One of several meanings: its name comes first.
template <class... T>
struct form<std::variant<T...>> {
  static_assert(sizeof...(T) < 256);
  static void pack(packer& out, const std::variant<T...>& one_of) {
    out.raw(static_cast<std::uint8_t>(one_of.index()));
    std::visit([&]<class Meaning>(const Meaning& m) { form<Meaning>::pack(out, m); }, one_of);
  }
  static void print(unpacker& in, json_writer& json) {
    using print_one = void (*)(unpacker&, json_writer&);
    static constexpr print_one all[] = {print_named<T>...};
    json.open('{');
    all[in.raw<std::uint8_t>()](in, json);
    json.close('}');
  }
  static bool skip_absent(unpacker&) { return false; }

 private:
  template <class Meaning>
  static void print_named(unpacker& in, json_writer& json) {
    if constexpr (has_fields<Meaning>) {
      json.plain_member("type", Meaning::type_name);
      form<Meaning>::print_members(in, json);
    }
  }
};

/// Those fields of `now` that are not as they were: the name of each and its value. Nothing at all if all
/// are.
template <class T>
void pack_changes(packer& out, const std::optional<T>& before, const T& now) {
  std::uint64_t changed = 0;
  std::uint64_t bit = 1;
  const auto note = [&](const auto& f) {
    if (!before || !((*before).*(f.member) == now.*(f.member)))
      changed |= bit;
    bit <<= 1U;
  };
  std::apply([&](const auto&... f) { (note(f), ...); }, T::fields());
  out.raw(changed);
  const auto keep = [&]<class Member>(const field<T, Member>& f) {
    if ((changed & 1U) != 0)
      form<Member>::pack(out, now.*(f.member));
    changed >>= 1U;
  };
  std::apply([&](const auto&... f) { (keep(f), ...); }, T::fields());
}

/// As an object. Precondition: pack_changes<T> was there.
template <class T>
void print_changes(unpacker& in, json_writer& json) {
  auto changed = in.raw<std::uint64_t>();
  json.open('{');
  const auto print = [&]<class Member>(const field<T, Member>& f) {
    if ((changed & 1U) != 0) {
      json.key(f.name);
      form<Member>::print(in, json);
    }
    changed >>= 1U;
  };
  std::apply([&](const auto&... f) { (print(f), ...); }, T::fields());
  json.close('}');
}

} // namespace troupe::trace
