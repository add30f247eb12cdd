#pragma once
// Who takes which message. The actors themselves stand in files of their own.

#include "actors/caf.hpp"
#include "actors/messages.hpp"

// The messages stay within one process, so CAF never has to write them as bytes.
#define TROUPE_LOCAL_MESSAGES(add)                                                                           \
  add(start) add(datagram) add(outbound) add(client_answer) add(standing_changed) add(propose)               \
      add(read_requests) add(client_requests) add(state_saved) add(locate_leader) add(leader_heard)          \
          add(hand_over) add(write_done) add(flush) add(wake) add(write) add(sync_done) add(committed)       \
              add(install_snapshot) add(outcomes) add(reads_ready) add(reads_refused) add(room_again)        \
                  add(save_more) add(lease_over)

#define TROUPE_ALLOW(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::name)
TROUPE_LOCAL_MESSAGES(TROUPE_ALLOW)
#undef TROUPE_ALLOW
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::client_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::raft::received)

#define TROUPE_ADD(name) CAF_ADD_TYPE_ID(troupe, (troupe::actors::name))
CAF_BEGIN_TYPE_ID_BLOCK(troupe, first_custom_type_id)
TROUPE_LOCAL_MESSAGES(TROUPE_ADD)
CAF_ADD_TYPE_ID(troupe, (troupe::client_request))
CAF_ADD_TYPE_ID(troupe, (troupe::raft::received))
CAF_END_TYPE_ID_BLOCK(troupe)
#undef TROUPE_ADD

namespace troupe::actors {

/// Owns the edge: parses, checks, counts, sends. Knows nothing of the protocol but who leads.
using network_actor = takes<start, datagram, outbound, client_answer, standing_changed, flush>;

/// Owns the clients: what waits for what, the state machine, the answers.
using router_actor =
    takes<client_request, client_requests, standing_changed, committed, install_snapshot, outcomes,
          reads_ready, reads_refused, lease_over, leader_heard, room_again, save_more, flush>;

/// Runs the core and carries out its effects.
using raft_actor = takes<start, raft::received, propose, read_requests, locate_leader, state_saved, hand_over,
                         write_done, flush, wake>;

/// Makes durable, in order, and says so.
using log_store_actor = takes<write, sync_done>;

/// The actors of one replica. Filled in before the first message is sent.
struct rooms {
  network_actor network;
  router_actor router;
  raft_actor raft;
  log_store_actor log_store;
};

} // namespace troupe::actors
