#pragma once
// The rules of Raft for one replica, as plain code: an input and the time go in, effects come out. It never
// looks at a clock, a socket or a random device, so the same inputs always give the same effects.
//
// Where a rule is: election.cpp (section 5.2, 5.4.1, D 9.6), follower.cpp (5.3, the receiver's side),
// leader.cpp (5.3 and 5.4.2, the sender's side), reads.cpp (8, D 6.4), snapshots.cpp (7), handover.cpp
// (D 3.10, D 4.1).

#include "protocol/raft/gathered_text.hpp"
#include "protocol/raft/log.hpp"
#include "protocol/raft/options.hpp"
#include "protocol/raft/progress.hpp"
#include "protocol/raft/step.hpp"

#include <deque>
#include <set>
#include <span>
#include <variant>
#include <vector>

namespace troupe::raft {

// ---- roles, each with only its own data (section 5.1)
// --------------------------------------------------------

struct follower {
  replica_id leader = nobody;
  /// How far this log is known to be the same as that of this term's leader.
  log_index verified;
};

/// Who has been asked for something and what came of it. Those who do not answer are asked again
/// (section 5.1), less and less often.
struct ballot {
  std::set<replica_id> granted;
  std::set<replica_id> answered; ///< with a yes or a no
  duration patience{0};
  instant ask_again_at = never;
};

struct pre_candidate : ballot {
  bool again = false; ///< it has asked before, and nobody came to lead
};

struct candidate : ballot {
  bool transfer = false;
  /// How far voters know the log to be committed.
  log_index known_commit;
};

struct waiting_read {
  std::uint64_t id = 0;
  sequence_number after; ///< confirmed by answers to messages with this number or a later one
};

struct handover {
  replica_id to;
  instant give_up_at;
  bool asked = false; ///< timeout_now is sent
};

struct leader {
  std::vector<progress> followers; ///< sorted by id; voters and learners, without this replica
  log_index term_start;            ///< the no-op of this term
  sequence_number next_sequence{1};
  std::size_t uncommitted_bytes = 0;

  /// Somebody was refused for now and waits to hear that there is room again.
  bool turned_away = false;

  std::deque<waiting_read> reads;
  /// The round that is under way confirms the reads that wait for numbers up to this one.
  std::optional<sequence_number> round;

  std::optional<raft::handover> handover;
  /// Once somebody was told to campaign no lease is safe for the rest of the term: the message may come late.
  bool lease_void = false;
  /// Since when this replica's own storage holds no more than this, although there is more to hold.
  log_index storing_behind;
  instant storing_since = never;
  instant commit_told_at = never; ///< when the commit index is told to those who do not know it
};

/// A snapshot that arrives in pieces, all of them from the leader of one term.
struct arriving_snapshot {
  term_number sender_term;
  log_index last_index;
  gathered_text data;
  std::shared_ptr<snapshot_reader> reader;
};

// ---- the core
// --------------------------------------------------------------------------------------------------

class core {
 public:
  /// Starts as a follower (section 5.2).
  /// @param initial  the configuration for a log that holds none; sorted
  /// @param found    what the storage holds; empty on the first start
  /// @throws broken_invariant if `found` contradicts itself
  core(replica_id self, configuration initial, const options& o, instant now, stored_state found = {});

  /// Takes in one input at time `now`, which never goes back.
  /// @throws broken_invariant if a rule of the protocol turns out to be broken: the replica must stop
  effects step(instant now, input in);

  // What can be seen of it.
  replica_id self() const { return self_; }
  const options& settings() const { return options_; }
  role_kind role() const { return static_cast<role_kind>(role_.index()); }
  term_number term() const { return hard_.term; }
  replica_id voted_for() const { return hard_.voted_for; }
  /// Whom this replica believes to lead; nobody while an election is on.
  replica_id known_leader() const;
  raft::standing standing() const { return {role(), term(), known_leader()}; }
  const raft::log& log() const { return log_; }
  log_index commit_index() const { return commit_; }
  /// How far this replica's own storage is known to hold the log.
  log_index stored_index() const { return stored_; }
  const raft::configuration& active_configuration() const { return configurations_.back().second; }
  const snapshot_ptr& latest_snapshot() const { return snapshot_; }
  /// The leader's data; null in any other role.
  const leader* as_leader() const { return std::get_if<leader>(&role_); }
  /// When the current leader was last heard from; meaningless while nobody is known to lead.
  instant leader_heard_at() const { return loyal_until_ - options_.election_timeout_min; }
  /// Until when reads need no round; the past if there is no lease.
  instant lease_until() const;
  instant next_deadline() const;

 private:
  using role_variant = std::variant<follower, pre_candidate, candidate, leader>;

  // core.cpp
  void take(received& in);
  void take(propose& in);
  void take(reads& in);
  void take(stored& in);
  void take(deadline_passed& in);
  void take(transfer& in);
  void take(reconfigure& in);
  void take(compact& in);
  bool observe_term(term_number term);
  void become_follower(term_number term, replica_id leader);
  void restart_election_timer();
  void send(replica_id to, peer_message m) { out_.send_now.push_back({to, std::move(m)}); }
  void reply(replica_id to, peer_message m) { out_.send_once_stored.push_back({to, std::move(m)}); }
  void refuse(std::string why) { out_.refused_input = std::move(why); }
  void commit_up_to(log_index index, bool answer);
  void append_to_log(entry_ptr e);
  void truncate_log_behind(log_index index);
  bool is_voter() const { return active_configuration().is_voter(self_); }
  bool may_campaign() const;
  std::size_t quorum() const;

  // election.cpp
  void on(replica_id from, pre_vote_request& m);
  void on(replica_id from, pre_vote_reply& m);
  void on(replica_id from, vote_request& m);
  void on(replica_id from, vote_reply& m);
  bool is_loyal() const;
  replica_id leader_of_now() const;
  void start_pre_vote();
  void start_election(bool transfer);
  void ask(ballot& b, const peer_message& m, std::vector<outgoing>& when);
  void ask_for_pre_votes();
  void ask_for_votes();
  bool is_quorum(const std::set<replica_id>& granted) const;
  void become_leader();

  // follower.cpp
  void on(replica_id from, append_request& m);
  void on(replica_id from, commit_notice& m);
  bool accept_leader(replica_id from, term_number term);
  void tell_of_newer_term(replica_id to, term_number its_term);
  bool skip_compacted(append_request& m) const;
  bool store_entries(const append_request& m);

  // leader.cpp
  void on(replica_id from, append_accepted& m);
  void on(replica_id from, append_rejected& m);
  leader& leading() { return std::get<leader>(role_); }
  progress* follower_of_mine(replica_id id);
  void lead();
  void advance_commit();
  void learn_commit(log_index index);
  void release_bytes(log_index up_to);
  void replicate();
  void catch_up();
  void send_heartbeats();
  void tell_commit();
  std::uint64_t untold_allowed() const;
  duration heartbeat_interval(const progress& p) const;
  void tell_room();
  bool is_covered() const;
  bool is_round_covered() const;
  progress* next_to_send();
  void send_append(progress& p);
  void send_as_leader(replica_id to, peer_message m);
  void resume_sending(progress& p, const append_rejected& m, const flight& answered);
  bool can_help(const progress& p) const;
  void watch_storage();
  bool has_lost_contact() const;
  instant last_contact() const;
  instant leader_deadline() const;
  void track_followers();
  refusal admit(const proposal& p) const;
  template <class Value, class Get>
  Value quorum_value(Value mine, Get get) const;

  // reads.cpp
  void serve_reads();
  void refuse_reads(refusal why);

  // snapshots.cpp
  void on(replica_id from, snapshot_piece& m);
  void on(replica_id from, snapshot_reply& m);
  void send_snapshot(progress& p);
  log_index wanted_by_followers() const;
  log_index cut_for(const compact& in) const;
  void install(const snapshot_piece& m);

  // handover.cpp
  void on(replica_id from, timeout_now& m);
  void continue_handover();

  replica_id self_;
  options options_;
  std::uint64_t random_;

  hard_state hard_;
  raft::log log_;
  snapshot_ptr snapshot_;
  /// The configuration at the log's base, and each one in the log with its index.
  std::vector<std::pair<log_index, raft::configuration>> configurations_;

  log_index commit_;
  log_index found_commit_; ///< in the storage; the first step takes it up
  log_index stored_;
  role_variant role_;
  std::optional<arriving_snapshot> arriving_;
  instant election_deadline_;
  /// Until then this replica has promised a leader to elect nobody else (D 4.2.3, D 6.4.1).
  instant loyal_until_;

  // Only within a step.
  instant now_;
  effects out_;
};

} // namespace troupe::raft
