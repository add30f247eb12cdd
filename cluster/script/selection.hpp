#pragma once
// Which messages a line of a script means.

#include "cluster/script/words.hpp"
#include "protocol/messages.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::script {

/// The names of all messages between replicas, in the order of peer_message.
const std::vector<std::string_view>& message_types();

/// A field of a message as a number: what it says, 1 or 0 for yes or no, how many for a list, how long for a
/// text. Nothing if messages of this type have no such field.
std::optional<std::uint64_t> field_of(const peer_message& m, std::string_view name);

/// True if messages of some type have a field of this name.
bool is_field(std::string_view name);

/// The message's type and fields in one line.
std::string describe(const peer_message& m);

enum class picked { all, oldest, newest };

/// What a script says of messages: `append_request from 1 to 2 3 with entries 1 but ...`.
struct selection {
  struct condition {
    std::string field;
    std::uint64_t value = 0;
  };

  picked which = picked::all;
  std::vector<std::size_t> types; ///< as in message_types(); empty: any
  std::vector<replica_id> from;   ///< empty: anybody
  std::vector<replica_id> to;     ///< empty: anybody
  std::vector<condition> conditions;
  std::vector<selection> but; ///< none of these

  bool matches(replica_id sender, replica_id receiver, const peer_message& m) const;
};

} // namespace troupe::script
