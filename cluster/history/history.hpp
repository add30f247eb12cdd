#pragma once
// What clients asked a key-value store and what they were told: the history that a checker judges.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::history {

enum class operation_kind { get, put, append, cas, erase };

/// As in our own format: get, put, append, cas, delete.
std::string_view to_string(operation_kind kind);

/// How an operation ended for its client.
enum class ending {
  ok,      ///< answered: it took effect at one instant between call and done
  refused, ///< answered, and known to have had no effect
  unknown  ///< no answer: it may have taken effect at any instant after its call, even after the end of the
           ///< history, or never
};

std::string_view to_string(ending how);

/// One request of one client. The state that it meets is that of our key-value store
/// (protocol/kv/command.hpp): a key that was never written, or was deleted, holds "".
struct operation {
  std::string client; ///< who; only messages name it
  std::string id;     ///< the request's name, for messages; may be empty
  operation_kind kind = operation_kind::get;
  std::string key;
  std::string value;     ///< of put and append; the new one of cas
  std::string expected;  ///< of cas
  std::int64_t call = 0; ///< nanoseconds or any other counter
  std::int64_t done = 0; ///< the same counter, not before `call`; means nothing if the ending is unknown
  history::ending ending = history::ending::unknown;
  /// What a get read; what a write that was not applied found, if it was told.
  std::optional<std::string> result;
  /// False for a cas that found another value than it expected, and for any write that was answered to have
  /// changed nothing.
  bool applied = true;
  std::size_t line = 0; ///< where it stands in its file, from 1; 0 if it is not from a file
  bool operator==(const operation&) const = default;
};

/// In any order: only the times count. Where one operation is done in the very moment at which another one is
/// called they count as concurrent.
using operations = std::vector<operation>;

/// The latest moment at which it can have taken effect: for ever open if its ending is unknown.
std::int64_t end_of(const operation& o);

/// What its key holds behind an operation; nothing if its answer says that it met something else.
/// @param held  what the key held before it; empty if nothing
std::optional<std::string> value_after(const operation& o, const std::string& held);

} // namespace troupe::history
