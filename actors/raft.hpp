#pragma once
#include "actors/room.hpp"
#include "protocol/raft/core.hpp"
#include "protocol/raft/store_gate.hpp"

#include <vector>

namespace troupe::actors {

/// What raft starts with.
struct raft_setup {
  replica_id self;
  raft::configuration initial;
  raft::options options;
  raft::stored_state found;
  /// Sees every step before its effects are carried out; null where nobody watches.
  watch_step after_step = nullptr;
};

/// Runs the core and carries out its effects in order. No rule of Raft is in it.
class raft_runner : public room<raft_actor> {
 public:
  raft_runner(caf::actor_config& c, rooms_ptr r, raft_setup setup, host h);
  const char* name() const override { return "raft"; }
  behavior_type make_behavior() override;

  /// For those who watch from outside while no actor runs.
  const raft::core& core() const { return core_; }

 private:
  void begin();
  void step(raft::input in);
  void carry_out(raft::effects& e);
  void collect(propose& p);
  void tell_leader();
  void set_alarm(instant deadline);
  void alarm(const wake& w);
  void done(const write_done& d);
  void post(std::vector<raft::outgoing> messages);

  watch_step after_step_;
  raft::core core_;
  raft::store_gate gate_;
  std::vector<raft::proposal> collected_;

  std::optional<instant> leader_wanted_; ///< the router waits for a sign of the leader after this

  instant deadline_ = never;
  std::vector<instant> alarms_; ///< that are set; each is before those in front of it
  std::uint64_t refused_inputs_ = 0;
};

} // namespace troupe::actors
