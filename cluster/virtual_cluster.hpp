#pragma once
// A whole cluster in one process, on virtual time: the actors that serve in production, in one loop, with
// every random choice from one seed. Time stands still while anybody has something to do and then jumps to
// the next moment at which something happens.
//
//   virtual_cluster cluster({.replicas = 3, .seed = 7});
//   cluster.on_send([&](replica_id from, std::string_view bytes) {
//     cluster.deliver(whom_it_is_for(bytes), std::string(bytes), cluster.now() + 50us);
//   });
//   cluster.start_all();
//   cluster.run_until([&] { return cluster.leader().has_value(); }, cluster.now() + 5s);
//
// There is no network in it: what a replica sends goes to a hook, and what is delivered comes from outside.
// After every step of every replica the rules of Raft are checked (protocol/raft/invariants.hpp); what is
// broken is kept in words and never ends the process.

#include "actors/loop.hpp"
#include "actors/memory_storage.hpp"
#include "actors/replica.hpp"
#include "cluster/course/random_source.hpp"
#include "protocol/raft/invariants.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace troupe {

struct virtual_cluster_setup {
  std::size_t replicas = 3; ///< 1 to 21, with ids from 0000 on
  std::uint64_t seed = 1;
  raft::options raft{}; ///< but each replica's seed is drawn from `seed`, anew at each start
  actors::router_options router{};
  wire::limits transport{};
};

class virtual_cluster {
 public:
  using send_hook = std::function<void(replica_id from, std::string_view bytes)>;
  using log_hook = std::function<void(replica_id, actors::log_level, const std::string&)>;

  /// Nobody runs yet. The clock shows one second.
  explicit virtual_cluster(virtual_cluster_setup setup);
  ~virtual_cluster();
  virtual_cluster(const virtual_cluster&) = delete;
  virtual_cluster& operator=(const virtual_cluster&) = delete;

  /// Gets every message that a replica sends, at the moment of sending: `now()`.
  void on_send(send_hook h) { on_send_ = std::move(h); }
  /// Gets what replicas tell people.
  void on_log(log_hook h) { on_log_ = std::move(h); }

  const std::vector<replica_id>& ids() const { return ids_; }

  // ---- processes. All of it takes effect at once; `at` plans it for later.

  /// Starts a replica that does not run, with what its storage kept.
  void start(replica_id id);
  void start_all();
  /// Ends a replica at this moment, and keeps its storage.
  void crash(replica_id id);
  /// Stops it like a stopped process: time goes on, and messages queue. Until `resume`.
  void pause(replica_id id);
  void resume(replica_id id);

  bool running(replica_id id) const { return find(id).life != nullptr; }
  bool paused(replica_id id) const { return find(id).paused; }

  // ---- time

  instant now() const;
  /// Hands a message over at that moment. Lost if the replica does not run then.
  void deliver(replica_id to, std::string bytes, instant when);
  /// Calls `what` at that moment. What is planned for one moment happens in the order of the plans.
  void at(instant when, std::function<void()> what);

  /// When the next thing happens; `never` if nothing will.
  instant next_moment() const;
  /// Jumps to that moment and lets happen what happens in it.
  void step();
  /// Lets everything happen up to and including that moment.
  void run_until(instant t);
  /// Stops after the first moment in which the condition holds; false if it did not by then.
  bool run_until(const std::function<bool()>& condition, instant limit);

  // ---- what can be seen, while nobody runs

  /// Precondition, here and below: running(id).
  const raft::core& core(replica_id id) const { return life_of(id).core(); }
  const kv::state_machine& state(replica_id id) const { return life_of(id).router().state(); }
  const actors::router& router(replica_id id) const { return life_of(id).router(); }
  /// Who leads in the latest term, among those that run; a paused one may be wrong about itself.
  std::optional<replica_id> leader() const;
  /// How many steps of Raft were taken by all replicas together.
  std::uint64_t steps() const { return steps_; }

  // ---- judges

  /// Compares what the replicas hold: logs entry by entry, and the state machines of those that have applied
  /// the same. Adds to the violations.
  void compare();
  /// The first broken rules, in words.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  class replica_edge;
  class replica_storage;
  struct life;
  struct member {
    replica_id id;
    actors::memory_storage storage;
    std::unique_ptr<virtual_cluster::life> life; ///< null while it does not run
    bool paused = false;
  };
  struct plan {
    instant when;
    std::uint64_t number = 0; ///< keeps plans for the same moment in order
    std::function<void()> what;
    bool operator<(const plan& other) const {
      return std::tie(other.when, other.number) < std::tie(when, number);
    }
  };

  actors::replica_setup make_setup(member& m, life& l);
  void judge(const raft::core& c, const raft::effects& e);
  void violate(std::string what);
  void settle();
  const member& find(replica_id id) const { return members_.at(id.value); }
  member& find(replica_id id) { return members_.at(id.value); }
  const actors::replica& life_of(replica_id id) const;

  virtual_cluster_setup setup_;
  std::vector<replica_id> ids_;
  course::random_source order_;
  course::random_source seeds_;
  send_hook on_send_;
  log_hook on_log_;

  raft::observer observer_;
  std::vector<std::string> violations_;
  std::uint64_t steps_ = 0;

  std::vector<plan> plans_; ///< a heap
  std::uint64_t next_plan_ = 0;
  std::unique_ptr<actors::loop_system> system_;
  std::vector<member> members_;
};

} // namespace troupe
