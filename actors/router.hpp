#pragma once
#include "actors/room.hpp"
#include "protocol/kv/state_machine.hpp"

#include <deque>
#include <map>
#include <optional>
#include <unordered_map>

namespace troupe::actors {

struct router_options {
  /// A leader that was not heard from for so long may be gone: clients are not sent there before it speaks
  /// again.
  duration leader_silence = std::chrono::milliseconds(400);
  /// How many requests may wait for a leader; what is over it fails with a reason.
  std::size_t max_parked = 10'000;
  /// And how many bytes they may say.
  std::size_t max_parked_bytes = 64 << 20;
  /// The state is saved, and the log cut, when so many bytes of entries were applied since the last time, and
  /// at least a quarter of what was saved then; 0: never.
  std::size_t snapshot_after_bytes = 8 << 20;
  /// So much of the state is saved in one turn: about a quarter of a millisecond.
  std::size_t save_at_once_bytes = 128 << 10;
};

/// Owns the clients: where each request goes, what waits for what, the state machine, and the answers.
///
/// A request is in exactly one place: parked until somebody can serve it, proposed, in the log at (index,
/// term), or a read that waits for its moment. It leaves with exactly one answer from this replica, or with
/// none when its entry was committed by another leader, who then answers, or may have been. A write that may
/// still commit, or may have committed, is never redirected: the client would write it twice.
class router : public room<router_actor> {
 public:
  router(caf::actor_config& c, rooms_ptr r, replica_id self, router_options o, host h);
  const char* name() const override { return "router"; }
  behavior_type make_behavior() override;

  /// For those who watch from outside while no actor runs.
  const kv::state_machine& state() const { return machine_; }
  std::size_t parked() const { return parked_.size(); }
  std::size_t waiting() const;
  /// How many requests were taken in and have not left.
  std::size_t known() const { return known_.size(); }
  /// Until when it reads without asking raft, on this replica's clock.
  std::optional<instant> lease_until() const { return lease_until_; }

 private:
  struct write_in_log {
    log_index index; ///< 0 until raft says where the proposal went
    term_number term;
    log_index applied; ///< how far the state was when it was handed in
    client_request request;
  };
  struct hash_of_id {
    std::size_t operator()(const kv::request_id& id) const;
  };

  /// A write that is proposed or in the log, or nullptr. Valid until the request leaves.
  std::optional<write_in_log>* find_write(const kv::request_id& id);
  void take(client_request& r);
  void ask_raft();
  bool answer_if_applied(const client_request& r);
  void serve(client_request r);
  void find_place(client_request r);
  void submit(client_request r);
  bool park(client_request r);
  void serve_parked(replica_id leader);
  void locate();

  void apply(const committed& c);
  void settle(const raft::entry& e);
  void give_up_overtaken();
  void decide_on(std::optional<write_in_log>& write);
  void install(const install_snapshot& s);
  void save_state_when_due(const raft::entry& last);
  void save_some();
  void note(const raft::proposal_outcome& o);
  void read(const raft::read_ready& r);
  bool read_by_lease(const client_request& r);
  void refuse(const raft::refused_read& r);

  void reply(client_reply r);
  static client_reply ok(const kv::request_id& id, const kv::result& r);

  replica_id self_;
  router_options options_;

  raft::standing standing_;
  kv::state_machine machine_;
  log_index applied_; ///< the last entry in it, and its term
  term_number applied_term_;
  kv::state_machine replaced_; ///< by a snapshot; freed little by little
  std::deque<client_request> parked_;
  std::size_t parked_bytes_ = 0;
  bool locating_ = false; ///< raft will tell when the leader is heard from
  instant redirected_at_; ///< when clients were last sent to a leader
  /// All that waits in any place; what is proposed or in the log stands here. Nothing depends on its order.
  std::unordered_map<kv::request_id, std::optional<write_in_log>, hash_of_id> known_;
  std::multimap<log_index, kv::request_id> by_index_;
  term_number given_up_below_; ///< no write in the log is of an earlier term
  std::map<std::uint64_t, client_request> reads_;
  std::optional<instant> lease_until_; ///< on this replica's clock; as far as raft has said
  std::uint64_t next_read_ = 1;
  /// What the message that is handled asks of raft, together when it is done with.
  propose proposals_;
  read_requests read_requests_;
  std::size_t applied_bytes_ = 0; ///< since the state was saved
  std::size_t saved_bytes_ = 0;   ///< how long the state was then
  log_index saving_;              ///< the last entry in the state that is being saved
};

} // namespace troupe::actors
