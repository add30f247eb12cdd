#pragma once
// What clients ask of the key-value store, and what they are told.

#include "protocol/fields.hpp"

#include <string>
#include <string_view>
#include <tuple>
#include <variant>

namespace troupe::kv {

/// Reads the value of a key; `""` for a key that was never written or was deleted.
struct get {
  static constexpr std::string_view type_name = "get";
  std::string key;
  bool operator==(const get&) const = default;
  static constexpr auto fields() { return std::tuple{field{"key", &get::key}}; }
};

/// Sets a key to a value.
struct put {
  static constexpr std::string_view type_name = "put";
  std::string key;
  std::string value;
  bool operator==(const put&) const = default;
  static constexpr auto fields() { return std::tuple{field{"key", &put::key}, field{"value", &put::value}}; }
};

/// Adds to the end of a key's value.
struct append {
  static constexpr std::string_view type_name = "append";
  std::string key;
  std::string value;
  bool operator==(const append&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"key", &append::key}, field{"value", &append::value}};
  }
};

/// Sets a key to `value` if it holds `expected`.
struct cas {
  static constexpr std::string_view type_name = "cas";
  std::string key;
  std::string expected;
  std::string value;
  bool operator==(const cas&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"key", &cas::key}, field{"expected", &cas::expected},
                      field{"value", &cas::value}};
  }
};

/// Deletes a key.
struct erase {
  static constexpr std::string_view type_name = "delete";
  std::string key;
  bool operator==(const erase&) const = default;
  static constexpr auto fields() { return std::tuple{field{"key", &erase::key}}; }
};

/// What changes the state and therefore goes through the log.
using write = std::variant<put, append, cas, erase>;

/// Whatever a client can ask for.
using operation = std::variant<get, put, append, cas, erase>;

/// Names one request: clients choose the MID, and repeat it only to repeat the request.
struct request_id {
  static constexpr std::string_view type_name = "request_id";
  std::string client;
  std::string mid;
  auto operator<=>(const request_id&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"client", &request_id::client}, field{"MID", &request_id::mid}};
  }
};

/// A write on behalf of a client.
struct command {
  static constexpr std::string_view type_name = "command";
  request_id id;
  write operation;
  bool operator==(const command&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"id", &command::id}, field{"operation", &command::operation}};
  }
};

/// What a write did.
/// `applied` is false only for a cas whose key did not hold what was expected, or for a write that would
/// make a value longer than `state_machine::max_value_bytes`; `value` is then what the key holds. Where that
/// is long only the first answer says it: it is `cut` out of what is remembered.
struct result {
  bool applied = true;
  std::string value;
  bool cut = false;
  bool operator==(const result&) const = default;
};

} // namespace troupe::kv
