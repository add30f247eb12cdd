#pragma once
// What the four actors of a replica say to each other. None of it leaves the process; what does is in
// protocol/messages.hpp.
//
// clang-format off
//
//   from         to          what
//   the edge     network     datagram
//   network      the edge    what is sent
//   network      router      client_request
//   router       network     client_answer
//   network      raft        raft::received
//   raft         network     outbound, standing_changed
//   router       raft        propose, read_requests, locate_leader, state_saved
//   raft         router      standing_changed, committed, install_snapshot, outcomes, reads_ready, reads_refused,
//                            lease_over, leader_heard, room_again
//   raft         log store   write
//   log store    raft        write_done
//
// clang-format on

#include "protocol/kv/command.hpp"
#include "protocol/messages.hpp"
#include "protocol/raft/step.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::actors {

// ---- to network
// ------------------------------------------------------------------------------------------------

/// The first message to every actor: everybody is there.
struct start {
  static constexpr std::string_view type_name = "start";
  static constexpr auto fields() { return std::tuple{}; }
};

/// What arrived at the edge, whole.
struct datagram {
  static constexpr std::string_view type_name = "datagram";
  std::string bytes;
  /// A trace has what it says in the message that follows from it.
  static constexpr auto fields() { return std::tuple{}; }
};

/// For other replicas.
struct outbound {
  static constexpr std::string_view type_name = "outbound";
  std::vector<raft::outgoing> messages;
  static constexpr auto fields() { return std::tuple{field{"messages", &outbound::messages}}; }
};

/// For a client.
struct client_answer {
  static constexpr std::string_view type_name = "client_answer";
  client_reply reply;
  static constexpr auto fields() { return std::tuple{field{"reply", &client_answer::reply}}; }
};

/// Also to the router: another role, term or leader.
struct standing_changed {
  static constexpr std::string_view type_name = "standing_changed";
  raft::standing standing;
  static constexpr auto fields() { return std::tuple{field{"standing", &standing_changed::standing}}; }
};

// ---- to raft
// ---------------------------------------------------------------------------------------------------

struct propose {
  static constexpr std::string_view type_name = "propose";
  std::vector<raft::proposal> proposals;
  static constexpr auto fields() { return std::tuple{field{"proposals", &propose::proposals}}; }
};

/// When may the state be read? The answers carry the ids.
struct read_requests {
  static constexpr std::string_view type_name = "read_requests";
  std::vector<std::uint64_t> ids;
  static constexpr auto fields() { return std::tuple{field{"ids", &read_requests::ids}}; }
};

/// The state machine as of an applied index; see raft::compact.
struct state_saved {
  static constexpr std::string_view type_name = "state_saved";
  log_index last_index;
  std::string data;
  std::uint64_t keep_bytes = 0;
  static constexpr auto fields() {
    return std::tuple{field{"last_index", &state_saved::last_index}, field{"data", &state_saved::data},
                      field{"keep_bytes", &state_saved::keep_bytes}};
  }
};

/// Asks for `leader_heard` as soon as this replica's leader has been heard from after the given moment.
struct locate_leader {
  static constexpr std::string_view type_name = "locate_leader";
  instant newer_than;
  static constexpr auto fields() { return std::tuple{field{"newer_than", &locate_leader::newer_than}}; }
};

/// Hands leadership over, if this replica leads.
struct hand_over {
  static constexpr std::string_view type_name = "hand_over";
  replica_id to;
  static constexpr auto fields() { return std::tuple{field{"to", &hand_over::to}}; }
};

/// All writes up to this one are stored, and with them the log up to (index, term).
struct write_done {
  static constexpr std::string_view type_name = "write_done";
  std::uint64_t number = 0;
  log_index index;
  term_number term;
  static constexpr auto fields() {
    return std::tuple{field{"number", &write_done::number}, field{"index", &write_done::index},
                      field{"term", &write_done::term}};
  }
};

/// Raft to itself, by way of the network and the router: nothing that had arrived when proposals began to be
/// collected is still on its way.
struct flush {
  static constexpr std::string_view type_name = "flush";
  static constexpr auto fields() { return std::tuple{}; }
};
/// Raft to itself: an alarm that was set has come.
struct wake {
  static constexpr std::string_view type_name = "wake";
  instant alarm; ///< on the replica's clock
  static constexpr auto fields() { return std::tuple{field{"alarm", &wake::alarm}}; }
};

// ---- to the log store
// --------------------------------------------------------------------------------------------

struct write {
  static constexpr std::string_view type_name = "write";
  std::uint64_t number = 0; ///< counts up by one
  raft::storage_write what;
  static constexpr auto fields() {
    return std::tuple{field{"number", &write::number}, field{"what", &write::what}};
  }
};

/// The log store to itself: a sync that was under way is over.
struct sync_done {
  static constexpr std::string_view type_name = "sync_done";
  std::string error; ///< empty: all is durable
  static constexpr auto fields() { return std::tuple{field{"error", &sync_done::error}}; }
};

// ---- to the router
// -----------------------------------------------------------------------------------------------

/// What clients in this process asked at once; others' requests come one by one, as client_request.
struct client_requests {
  static constexpr std::string_view type_name = "client_requests";
  std::vector<client_request> list;
  static constexpr auto fields() { return std::tuple{field{"list", &client_requests::list}}; }
};

/// The next entries of the log, to be applied in order.
struct committed {
  static constexpr std::string_view type_name = "committed";
  std::vector<raft::entry_ptr> entries;
  bool answer = false; ///< as in raft::effects
  static constexpr auto fields() {
    return std::tuple{field{"entries", &committed::entries}, field{"answer", &committed::answer}};
  }
};

/// A state in place of what has been applied so far.
struct install_snapshot {
  static constexpr std::string_view type_name = "install_snapshot";
  raft::snapshot_ptr snapshot;
  std::shared_ptr<raft::snapshot_reader> read = nullptr; ///< as in raft::effects
  static constexpr auto fields() { return std::tuple{field{"snapshot", &install_snapshot::snapshot}}; }
};

struct outcomes {
  static constexpr std::string_view type_name = "outcomes";
  std::vector<raft::proposal_outcome> list;
  static constexpr auto fields() { return std::tuple{field{"list", &outcomes::list}}; }
};

struct reads_ready {
  static constexpr std::string_view type_name = "reads_ready";
  std::vector<raft::read_ready> list;
  static constexpr auto fields() { return std::tuple{field{"list", &reads_ready::list}}; }
};

/// What `reads_ready` said of a lease is taken back.
struct lease_over {
  static constexpr std::string_view type_name = "lease_over";
  static constexpr auto fields() { return std::tuple{}; }
};

struct reads_refused {
  static constexpr std::string_view type_name = "reads_refused";
  std::vector<raft::refused_read> list;
  static constexpr auto fields() { return std::tuple{field{"list", &reads_refused::list}}; }
};

/// The leader has been heard from; see `locate_leader`.
struct leader_heard {
  static constexpr std::string_view type_name = "leader_heard";
  replica_id leader;
  bool by_others = false; ///< who say so; this replica hears from no leader
  static constexpr auto fields() {
    return std::tuple{field{"leader", &leader_heard::leader}, field{"by_others", &leader_heard::by_others}};
  }
};

/// The router to itself: there is more of the state to be saved.
struct save_more {
  static constexpr std::string_view type_name = "save_more";
  static constexpr auto fields() { return std::tuple{}; }
};

/// What was refused for now may be tried again.
struct room_again {
  static constexpr std::string_view type_name = "room_again";
  static constexpr auto fields() { return std::tuple{}; }
};

} // namespace troupe::actors
