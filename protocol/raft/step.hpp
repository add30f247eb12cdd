#pragma once
// What goes into a step of the core and what comes out of it.

#include "protocol/messages.hpp"
#include "protocol/raft/entry.hpp"
#include "protocol/raft/snapshot_reader.hpp"
#include "protocol/types.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::raft {

// ---- state that survives a crash (figure 2) ---------------------------------------------------------------

struct hard_state {
  static constexpr std::string_view type_name = "hard_state";
  term_number term;
  replica_id voted_for = nobody;
  bool operator==(const hard_state&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"term", &hard_state::term}, field{"voted_for", &hard_state::voted_for}};
  }
};

/// The state machine as of an entry, in place of the log up to it (section 7).
struct snapshot {
  static constexpr std::string_view type_name = "snapshot";
  log_index last_index;
  term_number last_term;
  raft::configuration configuration;
  std::string data; ///< valid UTF-8
  static constexpr auto fields() {
    return std::tuple{field{"last_index", &snapshot::last_index}, field{"last_term", &snapshot::last_term},
                      field{"configuration", &snapshot::configuration}, field{"data", &snapshot::data}};
  }
};
using snapshot_ptr = std::shared_ptr<const snapshot>;

/// What a replica finds in its storage when it starts.
struct stored_state {
  raft::hard_state hard_state;
  snapshot_ptr snapshot;          ///< null: none
  std::vector<entry_ptr> entries; ///< consecutive, behind the snapshot
  /// How far they are known to be committed; what was committed last may not be counted.
  log_index commit = {};
};

// ---- inputs
// ------------------------------------------------------------------------------------------------

struct received {
  static constexpr std::string_view type_name = "received";
  replica_id from;
  peer_message message;
  static constexpr auto fields() {
    return std::tuple{field{"from", &received::from}, field{"message", &received::message}};
  }
};

struct proposal {
  static constexpr std::string_view type_name = "proposal";
  kv::command command;
  std::size_t wire_bytes = 0; ///< as in entry
  static constexpr auto fields() {
    return std::tuple{field{"command", &proposal::command}, field{"wire_bytes", &proposal::wire_bytes}};
  }
};
/// Clients' writes; those of one input leave in one append.
struct propose {
  std::vector<proposal> proposals;
};

/// Asks when the state machine may be read. The ids come back in the effects; one round serves all.
struct reads {
  std::vector<std::uint64_t> ids;
};

/// The storage holds everything up to this entry. An index alone would not do: the entry may have been
/// replaced since it was sent to the storage.
struct stored {
  log_index index;
  term_number term;
};

/// The deadline of the effects of an earlier step is reached (being early or late does no harm).
struct deadline_passed {};

/// Hand leadership to another voter (D 3.10).
struct transfer {
  replica_id to;
};

/// Change who takes part, by one voter at most (D 4.1).
struct reconfigure {
  raft::configuration configuration;
};

/// The state machine has been saved as of an applied index: the log up to it may go, but for so many bytes of
/// entries, and a leader keeps up to `kept_for_followers` times as many while a follower that answers lacks
/// them: it would get the whole state, and lag again when it has it.
struct compact {
  log_index last_index;
  std::string data;
  std::size_t keep_bytes = 0;
  static constexpr std::size_t kept_for_followers = 32;
};

using input = std::variant<received, propose, reads, stored, deadline_passed, transfer, reconfigure, compact>;

// ---- effects
// -----------------------------------------------------------------------------------------------

/// What has to be made durable, in the order of the members.
struct storage_write {
  static constexpr std::string_view type_name = "storage_write";
  std::optional<raft::hard_state> hard_state;
  snapshot_ptr snapshot; ///< replaces the log up to its last index, and all of it unless it holds that entry
  std::optional<log_index> truncate_behind;
  std::vector<entry_ptr> entries;
  /// How far the log is committed, with these entries. Goes along for the next start, and is no reason to
  /// write: who starts without it only learns it later.
  log_index commit = {};

  bool empty() const { return !hard_state && !snapshot && !truncate_behind && entries.empty(); }
  static constexpr auto fields() {
    return std::tuple{
        field{"hard_state", &storage_write::hard_state}, field{"snapshot", &storage_write::snapshot},
        field{"truncate_behind", &storage_write::truncate_behind}, field{"entries", &storage_write::entries}};
  }
};

struct outgoing {
  static constexpr std::string_view type_name = "outgoing";
  replica_id to;
  peer_message message;
  static constexpr auto fields() {
    return std::tuple{field{"to", &outgoing::to}, field{"message", &outgoing::message}};
  }
};

/// What became of one proposal: either it is in the leader's log at (index, term), or why it is not.
enum class refusal {
  none,
  not_leader,
  handing_over, ///< leadership is on its way to somebody else
  busy,         ///< too much is uncommitted; try again when something commits
  too_large     ///< no message could carry it
};
constexpr std::string_view to_string(refusal r) {
  constexpr std::string_view names[] = {"none", "not_leader", "handing_over", "busy", "too_large"};
  return names[static_cast<std::size_t>(r)];
}

struct proposal_outcome {
  static constexpr std::string_view type_name = "proposal_outcome";
  kv::request_id id;
  log_index index;
  term_number term;
  raft::refusal refusal = refusal::none;
  static constexpr auto fields() {
    return std::tuple{field{"id", &proposal_outcome::id}, field{"index", &proposal_outcome::index},
                      field{"term", &proposal_outcome::term}, field{"refusal", &proposal_outcome::refusal}};
  }
};

/// The state machine may be read for request `id`, once it has applied what was committed so far, while the
/// clock is before `until`: after that the lease is over, and the read has to be asked for again. With a
/// lease that is true of every read that comes until then, unless `lease_over` takes it back.
struct read_ready {
  static constexpr std::string_view type_name = "read_ready";
  std::uint64_t id = 0;
  instant until = never;
  static constexpr auto fields() {
    return std::tuple{field{"id", &read_ready::id}, field{"until", &read_ready::until}};
  }
};

struct refused_read {
  static constexpr std::string_view type_name = "refused_read";
  std::uint64_t id = 0;
  raft::refusal refusal = refusal::none;
  static constexpr auto fields() {
    return std::tuple{field{"id", &refused_read::id}, field{"refusal", &refused_read::refusal}};
  }
};

enum class role_kind { follower, pre_candidate, candidate, leader };
constexpr std::string_view to_string(role_kind r) {
  constexpr std::string_view names[] = {"follower", "pre_candidate", "candidate", "leader"};
  return names[static_cast<std::size_t>(r)];
}

struct standing {
  static constexpr std::string_view type_name = "standing";
  role_kind role = role_kind::follower;
  term_number term;
  replica_id leader = nobody; ///< whom this replica believes to lead
  bool operator==(const standing&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"role", &standing::role}, field{"term", &standing::term},
                      field{"leader", &standing::leader}};
  }
};

/// Everything that a step wants done. To be carried out in the order of the members.
struct effects {
  /// To be stored; what is sent once stored waits for this and for all that was to be stored before.
  storage_write write;
  /// No read may count on a lease any more: leadership is on its way to somebody else.
  bool lease_over = false;
  std::vector<outgoing> send_now;
  std::vector<outgoing> send_once_stored;
  /// A snapshot in place of the state machine's whole state; and if it came from the leader, what has read
  /// it.
  snapshot_ptr install;
  std::shared_ptr<snapshot_reader> install_read;
  /// Newly committed entries, in order.
  std::vector<entry_ptr> committed;
  /// Whether this replica answers the clients of `committed`: as their leader, but not for what another
  /// leader is known to have committed and answered.
  bool answer_committed = false;
  /// For a `propose`, in its order.
  std::vector<proposal_outcome> outcomes;
  std::vector<read_ready> ready_reads;
  std::vector<refused_read> refused_reads;
  /// What was refused as busy or handing_over since the last time may be asked for again.
  bool room_again = false;
  /// Whom other replicas hear from as their leader, while this one hears from nobody.
  std::optional<replica_id> leader_of_others;
  /// Set when it differs from before the step.
  std::optional<raft::standing> standing;
  /// Why a transfer, a reconfiguration or a compaction was not taken up; or why a message was dropped that no
  /// correct replica sends.
  std::optional<std::string> refused_input;
  /// When the next `deadline_passed` is due.
  instant next_deadline = never;
};

} // namespace troupe::raft
