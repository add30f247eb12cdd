#pragma once
#include "actors/room.hpp"
#include "protocol/raft/core.hpp"
#include "protocol/raft/store_gate.hpp"

#include <array>
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

/// What a trace shows of the core.
struct raft_view {
  static constexpr std::string_view type_name = "raft_view";
  raft::role_kind role = raft::role_kind::follower;
  term_number term;
  replica_id voted_for = nobody;
  replica_id leader = nobody;
  log_index last_index;
  term_number last_term;
  log_index commit;
  instant lease_until; ///< on the system's clock; 0: no lease
  bool operator==(const raft_view&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"role", &raft_view::role},
                      field{"term", &raft_view::term},
                      field{"voted_for", &raft_view::voted_for},
                      field{"leader", &raft_view::leader},
                      field{"last_index", &raft_view::last_index},
                      field{"last_term", &raft_view::last_term},
                      field{"commit", &raft_view::commit},
                      field{"lease_until", &raft_view::lease_until}};
  }
};

/// Runs the core and carries out its effects in order. No rule of Raft is in it.
class raft_runner : public room<raft_actor> {
 public:
  raft_runner(caf::actor_config& c, rooms_ptr r, raft_setup setup, host h);
  const char* name() const override { return "raft"; }
  behavior_type make_behavior() override;

  /// For those who watch from outside while no actor runs.
  const raft::core& core() const { return core_; }

 protected:
  trace::message_head::part pack_changes(trace::packer& out) override;

 private:
  raft_view look();
  void begin();
  void step(raft::input in);
  void carry_out(raft::effects& e);
  void collect(propose& p);
  bool more_may_follow() const;
  void tell_leader();
  void set_alarm(instant deadline);
  void alarm(const wake& w);
  void done(const write_done& d);
  void post(std::vector<raft::outgoing> messages);

  watch_step after_step_;
  raft::core core_;
  raft::store_gate gate_;
  std::vector<raft::proposal> collected_;
  /// Of the rooms that requests pass through; null: nobody knows what waits there.
  std::array<const mailbox_owner*, 3> way_of_requests_{};

  std::optional<instant> leader_wanted_; ///< the router waits for a sign of the leader after this

  instant deadline_ = never;
  std::vector<instant> alarms_; ///< that are set; each is before those in front of it
  std::uint64_t refused_inputs_ = 0;

  std::optional<raft_view> shown_; ///< in the trace so far
};

} // namespace troupe::actors
