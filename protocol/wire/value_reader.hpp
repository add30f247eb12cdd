#pragma once
// JSON values -> the types that fields have. Private to protocol/wire.

#include "protocol/wire/read.hpp"

#include <optional>

namespace troupe::wire {

/// Text from outside, made fit for a line of ours: printable ASCII, and not too much of it.
std::string quoted(std::string_view text);

inline std::string_view text_of(const json& string) { return {string.GetString(), string.GetStringLength()}; }

/// Calls `visit` with a fresh object of the alternative of `Variant` that goes by `name`; false if none does.
template <class Variant, std::size_t I = 0, class Visit>
bool with_alternative(std::string_view name, Visit&& visit) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return false;
  } else {
    using alternative = std::variant_alternative_t<I, Variant>;
    if (alternative::type_name == name) {
      visit(alternative{});
      return true;
    }
    return with_alternative<Variant, I + 1>(name, visit);
  }
}

/// Reads one value after the other until the first that is wrong; from there on it does nothing.
class value_reader {
 public:
  bool failed() const { return problem_.has_value(); }
  /// Precondition: failed().
  const decode_error& problem() const { return *problem_; }
  void fail(decode_problem kind, std::string text);

  /// The member of an object that goes by this name, or nullptr after a failure.
  const json* find(const json& object, std::string_view name);

  /// All the fields that `T` lists, by their names.
  template <class T>
  void fields(const json& object, T& out) {
    for_each_field(out, [&](std::string_view name, auto& value) {
      if (const json* found = find(object, name)) {
        read(*found, name, value);
      }
    });
  }

  // An overload for each type that a field may have.
  template <class Meaning>
  void read(const json& value, std::string_view name, number<Meaning>& out) {
    read(value, name, out.value);
  }
  void read(const json& value, std::string_view name, std::uint64_t& out);
  void read(const json& value, std::string_view name, bool& out);
  void read(const json& value, std::string_view name, std::string& out);
  void read(const json& value, std::string_view name, replica_id& out);
  void read(const json& value, std::string_view name, std::vector<replica_id>& out);

  /// Entries are only found here: what makes them whole may be read after them.
  void read(const json& value, std::string_view name, std::vector<raft::entry_ptr>& out);
  /// Fills in the entries once the rest of the message is there.
  void entries(append_request& message);

 private:
  bool expect(bool holds, std::string_view name, std::string_view what);
  raft::entry_ptr entry(const json& value, log_index index);
  raft::payload payload(const json& items, std::string_view name);
  kv::command command(const json& items, std::string_view name);

  /// The values of a struct's fields in order, from `items[next]` on.
  template <class T>
  void values(const json& items, rapidjson::SizeType& next, T& out) {
    for_each_field(out, [&](std::string_view name, auto& value) {
      if (failed()) {
        return;
      }
      if (next == items.Size()) {
        fail(decode_problem::missing_field, "an entry without its " + quoted(name));
        return;
      }
      read(items[next++], name, value);
    });
  }

  std::optional<decode_error> problem_;
  const json* entries_ = nullptr;
};

} // namespace troupe::wire
