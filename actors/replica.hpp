#pragma once
// Wires the four rooms of one replica. The only file that knows all of them.

#include "actors/interfaces.hpp"
#include "actors/router.hpp"
#include "actors/surroundings.hpp"
#include "protocol/raft/core.hpp"
#include "protocol/wire/codec.hpp"

#include <memory>
#include <vector>

namespace troupe::actors {

struct replica_setup {
  wire::directory directory; ///< this replica and its peers: the first configuration
  wire::limits transport;
  raft::options raft;
  router_options router;
  edge* out = nullptr; ///< outlives the replica, as do the others
  storage* disk = nullptr;
  actors::host host;
  watch_step after_step = nullptr;
  direct_edge* direct = nullptr; ///< in place of `out`, where nobody understands text
};

/// How many messages wait for each actor.
struct mailbox_depths {
  std::size_t network = 0;
  std::size_t router = 0;
  std::size_t raft = 0;
  std::size_t log_store = 0;
  std::size_t sum() const { return network + router + raft + log_store; }
};

/// Four actors that serve until `stop`.
class replica {
 public:
  /// Spawns and starts them: hello is on its way once they run.
  /// @throws broken_invariant if what the storage holds contradicts itself, and what the storage throws
  replica(caf::actor_system& system, replica_setup setup);
  ~replica() { stop(); }
  replica(const replica&) = delete;
  replica& operator=(const replica&) = delete;

  /// Hands a message from the edge to the network actor.
  void receive(std::string bytes);
  /// Hands what was said in this process to whom it is for. It is not checked: who says it is trusted.
  void receive(raft::received m);
  void receive(std::vector<client_request> list);
  /// Ends all four, once. Their scheduler has to run on until they are gone.
  void stop();

  const actors::rooms& rooms() const { return *rooms_; }

  /// Of this moment; the actors may run meanwhile.
  mailbox_depths depths() const;

  /// For those who watch from outside while no actor runs.
  const raft::core& core() const;
  const actors::router& router() const;
  /// All four, as a scheduler knows them.
  std::vector<caf::actor> actors() const;

 private:
  std::shared_ptr<actors::rooms> rooms_;
};

} // namespace troupe::actors
