#pragma once
// What the four actors of a replica say to each other. None of it leaves the process; what does is in
// protocol/messages.hpp.
//
//              datagram |
//                       v     client_request             propose, read_request, locate_leader, state_saved
//   edge <--- send -- network ----------------> router --------------------------------------------------->
//   raft
//                     ^     <----------------          <---------------------------------------------------
//                     |       client_answer              standing_changed, committed, install_snapshot,
//                     outcomes, |                                  reads_ready, reads_refused, leader_heard,
//                     room_again
//                     |
//                     |  raft::received                       write
//                     +----------------------------> raft -----------------> log store
//                        outbound, standing_changed       <-----------------
//                                                             write_done

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
struct start {};

/// What arrived at the edge, whole.
struct datagram {
  std::string bytes;
};

/// For other replicas.
struct outbound {
  std::vector<raft::outgoing> messages;
};

/// For a client.
struct client_answer {
  client_reply reply;
};

/// Also to the router: another role, term or leader.
struct standing_changed {
  raft::standing standing;
};

// ---- to raft
// ---------------------------------------------------------------------------------------------------

struct propose {
  raft::proposal proposal;
};

/// When may the state be read? The answer carries the id.
struct read_request {
  std::uint64_t id = 0;
};

/// The state machine as of an applied index.
struct state_saved {
  log_index last_index;
  std::string data;
};

/// Asks for `leader_heard` as soon as this replica's leader has been heard from after the given moment.
struct locate_leader {
  instant newer_than;
};

/// Hands leadership over, if this replica leads.
struct hand_over {
  replica_id to;
};

/// All writes up to this one are stored, and with them the log up to (index, term).
struct write_done {
  std::uint64_t number = 0;
  log_index index;
  term_number term;
};

/// Raft to itself: proposals have been collected; an alarm that was set has come.
struct flush {};
struct wake {
  instant alarm; ///< on the replica's clock
};

// ---- to the log store
// --------------------------------------------------------------------------------------------

struct write {
  std::uint64_t number = 0; ///< counts up by one
  raft::storage_write what;
};

// ---- to the router
// -----------------------------------------------------------------------------------------------

/// The next entries of the log, to be applied in order.
struct committed {
  std::vector<raft::entry_ptr> entries;
  bool answer = false; ///< as in raft::effects
};

/// A state in place of what has been applied so far.
struct install_snapshot {
  raft::snapshot_ptr snapshot;
};

struct outcomes {
  std::vector<raft::proposal_outcome> list;
};

struct reads_ready {
  std::vector<raft::read_ready> list;
};

struct reads_refused {
  std::vector<raft::refused_read> list;
};

/// The leader has been heard from; see `locate_leader`.
struct leader_heard {
  replica_id leader;
};

/// What was refused for now may be tried again.
struct room_again {};

} // namespace troupe::actors
