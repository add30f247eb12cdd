#pragma once
// Several cores with a network and a storage between them, all of it plain data: nothing happens that a test
// or its seed did not decide.

#include "protocol/raft/core.hpp"
#include "protocol/raft/invariants.hpp"
#include "protocol/raft/store_gate.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace troupe::test {

using namespace std::chrono_literals;

inline replica_id id_of(std::size_t number) { return {static_cast<std::uint16_t>(number)}; }

/// Voters 0 to size - 1.
raft::configuration voters(std::size_t size);

/// A put of `value` to key "k" by a client, as proposals carry it.
raft::proposal put_of(const std::string& value, const std::string& client = "c",
                      std::size_t wire_bytes = 100);

/// An entry as a leader would have made it.
raft::entry_ptr entry_of(std::uint64_t term, std::uint64_t index, const std::string& value = "");

/// One core with a storage that stores when it is told to.
struct pure_replica {
  std::unique_ptr<raft::core> core;
  raft::store_gate gate;
  raft::stored_state disk;                  ///< what a restart finds
  std::deque<raft::storage_write> unstored; ///< in order
  std::vector<raft::entry_ptr> applied;     ///< since the last (re)start
  std::vector<raft::entry_ptr> answered;    ///< what it answered clients for
  std::vector<raft::read_ready> reads;
  std::vector<raft::refused_read> refused_reads;
  std::vector<raft::proposal_outcome> outcomes;
  std::vector<std::string> refusals;
  instant deadline; ///< on its own clock
  bool up = true;
  bool stalled = false; ///< its storage stores nothing
  bool paused = false;  ///< it takes no step, and what it is sent meanwhile comes late
  /// Its clock: how much it shows per second, in milliseconds, and how far it is ahead.
  std::int64_t clock_rate = 1'000;
  duration clock_ahead{0};
  log_index applied_index;
  /// For each read that waits for an answer: how much was committed anywhere when it was asked.
  std::map<std::uint64_t, log_index> asked;
  /// How far it has answered clients since it (re)started.
  log_index answered_index;
};

class pure_cluster {
 public:
  struct in_flight {
    replica_id from;
    replica_id to;
    peer_message message;
    instant due;
  };

  explicit pure_cluster(std::size_t size, raft::options o = {}, std::uint64_t seed = 1);

  pure_replica& operator[](std::size_t number) { return replicas_.at(number); }
  raft::core& core(std::size_t number) { return *replicas_.at(number).core; }
  std::size_t size() const { return replicas_.size(); }
  log_index committed_anywhere() const { return committed_anywhere_; }
  instant now() const { return now_; }
  const raft::observer& observer() const { return observer_; }

  /// What a replica's clock shows.
  instant clock_of(std::size_t number) const;

  /// Steps one replica now. Its messages are on their way afterwards; its writes wait for `store`. Checks
  /// that no property of figure 3 is broken, that reads are linearizable, that clients are answered, and that
  /// time goes on.
  raft::effects step(std::size_t number, raft::input in);
  /// Stores all that waits at a replica.
  void store(std::size_t number);
  void crash(std::size_t number);
  /// One more replica, not a member yet: it knows the first ones as voters.
  void add_replica();
  /// Starts again with what was stored; or, to show what goes wrong then, with nothing.
  void restart(std::size_t number, bool forget_everything = false);

  // The network. Everything takes `delay()`; nothing is lost unless `lose` says so.
  std::vector<in_flight> network;
  std::function<bool(const in_flight&)> lose = [](const in_flight&) { return false; };
  std::function<bool(const in_flight&)> repeat = [](const in_flight&) { return false; };
  std::function<duration()> delay = [] { return duration(1ms); };
  /// Storing happens at once, unless a test wants to do it itself.
  bool store_at_once = true;

  /// Lets time pass: delivers, fires deadlines, stores.
  void run_for(duration d);
  /// Lets time pass until the condition holds. False if it does not within `limit`.
  bool run_until(const std::function<bool()>& condition, duration limit = 30s);
  /// Delivers everything that is on its way, now and what follows from it, without letting time pass.
  void deliver_all();
  /// The number of the only leader of the latest term; nothing if there is none.
  std::optional<std::size_t> leader() const;
  /// Runs until there is a leader that has committed an entry of its term. Fails the test if there is none.
  std::size_t elect();
  /// Makes this replica campaign now, whoever leads, by letting its deadline pass and everybody forget the
  /// leader.
  void make_leader(std::size_t number);

  std::mt19937_64 random;

 private:
  void carry_out(std::size_t number, raft::effects& e);
  void check_reads(std::size_t number, const raft::effects& e);
  void check_answers(std::size_t number, const raft::effects& e);
  void collect(std::size_t number, std::vector<raft::outgoing>& messages);
  /// When a replica's deadline comes; never while it is down or paused.
  instant due_at(std::size_t number) const;
  bool advance(instant limit);

  raft::options options_;
  raft::configuration initial_; ///< what an empty log starts with
  std::vector<pure_replica> replicas_;
  raft::observer observer_;
  log_index committed_anywhere_;
  instant now_;
};

} // namespace troupe::test
