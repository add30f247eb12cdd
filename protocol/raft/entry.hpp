#pragma once
// What the log holds.

#include "protocol/kv/command.hpp"
#include "protocol/types.hpp"

#include <algorithm>
#include <memory>
#include <variant>
#include <vector>

namespace troupe::raft {

/// A leader's first entry: lets it commit what it inherited (section 5.4.2, section 8).
struct no_op {
  static constexpr std::string_view type_name = "no_op";
  bool operator==(const no_op&) const = default;
  static constexpr auto fields() { return std::tuple{}; }
};

/// Who takes part. A replica uses the newest configuration in its log, committed or not (D 4.1).
/// Learners receive the log but are never counted. Both lists are sorted and have no id in common.
struct configuration {
  static constexpr std::string_view type_name = "configuration";
  std::vector<replica_id> voters;
  std::vector<replica_id> learners;
  bool operator==(const configuration&) const = default;

  bool is_voter(replica_id id) const { return std::binary_search(voters.begin(), voters.end(), id); }
  bool is_learner(replica_id id) const { return std::binary_search(learners.begin(), learners.end(), id); }
  static constexpr auto fields() {
    return std::tuple{field{"voters", &configuration::voters}, field{"learners", &configuration::learners}};
  }
};

using payload = std::variant<no_op, kv::command, configuration>;

/// What a no-op takes in a message, in bytes, at most; and a configuration of up to 42 members.
inline constexpr std::size_t no_op_wire_bytes = 64;
inline constexpr std::size_t configuration_wire_bytes = 512;

/// One entry of the log; never changed once made, so that everybody can share it.
struct entry {
  static constexpr std::string_view type_name = "entry";
  term_number term;
  log_index index;
  raft::payload payload;
  /// What this entry takes in a message, in bytes: what keeps an append within its transport's limit.
  std::size_t wire_bytes = 0;

  /// Two entries are the same if they say the same; what they weigh does not matter.
  bool operator==(const entry& other) const {
    return term == other.term && index == other.index && payload == other.payload;
  }
  static constexpr auto fields() {
    return std::tuple{field{"term", &entry::term}, field{"index", &entry::index},
                      field{"payload", &entry::payload}};
  }
};

using entry_ptr = std::shared_ptr<const entry>;

} // namespace troupe::raft
