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
// There is no network in it: what a replica sends goes to a hook, and what is delivered comes from outside;
// cluster.hpp adds a network and clients. After every step of every replica the rules of Raft are checked
// (protocol/raft/invariants.hpp), and that no two replicas hold a lease at a time, that no vote is told
// twice or to the harm of a leader that rests on it, that no promise leaves before it is stored, that no
// queue exceeds its bound, and that no replica forgets a request that it took in. What is broken is kept in
// words and never ends the process.

#include "actors/loop.hpp"
#include "actors/memory_storage.hpp"
#include "actors/replica.hpp"
#include "cluster/course/random_source.hpp"
#include "cluster/virtual_clock.hpp"
#include "cluster/virtual_disk.hpp"
#include "disk/disk_log.hpp"
#include "protocol/raft/invariants.hpp"
#include "trace/context.hpp"
#include "trace/recorder.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace troupe {

struct virtual_cluster_setup {
  std::size_t replicas = 3; ///< 1 to 21, with ids from 0000 on
  /// What a replica finds in its storage when it starts for the first time; those not named find nothing.
  std::vector<raft::stored_state> stored{};
  std::uint64_t seed = 1;
  raft::options raft{}; ///< but each replica's seed is drawn from `seed`, anew at each start
  actors::router_options router{};
  wire::limits transport{};
  /// How fast each replica's clock runs, in millionths of true time; those not named run true.
  std::vector<std::int64_t> clock_rates{};
  /// How far each replica's clock is ahead of true time at the start; at least 0.
  std::vector<duration> clock_offsets{};
  /// How long each replica's storage takes; see set_storage_delay.
  duration storage_takes{0};
  /// Logs are files of disks that keep nothing but what was synced when a crash comes: virtual_disk.hpp.
  bool durable = false;
  /// Takes down what happens; null: nobody does. Changes nothing in it.
  trace::recorder* recorder = nullptr;
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
  /// Its power goes before so many operations on its disk (at least 1) take place from now on, or from its
  /// next start on if it does not run. Without a disk nothing happens.
  void crash_in_write(replica_id id, std::size_t operations);
  /// The so many-th operation on its disk from now on (at least 1) fails, and it has to stop by itself.
  void fail_write(replica_id id, std::size_t operations);
  /// Nothing on its disk can be read: it has to refuse to start.
  void fail_reads(replica_id id);
  /// Takes all of that back, as far as it has not happened yet.
  void mend_disk(replica_id id);
  /// A bit turns over in what its disk has kept: in any file, but not in the last batch, since
  /// that looks like a crash which came before it was durable. If it is told of that at its next start, it
  /// gets the file back from a copy, and starts again. Precondition: it does not run.
  /// @param number  which bit
  void flip_bit(replica_id id, std::uint64_t number);
  /// Its storage loses everything, like a disk that was replaced. Precondition: it does not run.
  void wipe(replica_id id);
  /// Stops it like a stopped process: time goes on, and messages queue as in a socket's buffer, until
  /// `resume`. What the buffer cannot take is lost.
  void pause(replica_id id);
  void resume(replica_id id);
  /// Asks a replica to hand leadership over; nothing happens if it does not lead.
  void transfer(replica_id from, replica_id to);
  /// Calls `what` in the middle of a moment: between two messages that its actors take in, when they have
  /// taken in so many more (at least 1). What the one has said to the other by then may not have been heard
  /// yet. Forgotten when the process ends before.
  void after_steps(replica_id id, std::size_t steps, std::function<void()> what);

  /// From now on its storage looks so long after a write was issued for what there is to write. Until then
  /// nothing is stored, and a crash loses it; 0: it stores at once.
  void set_storage_delay(replica_id id, duration d);

  /// From now on its clock runs at this rate, in millionths of true time. Timers that are set already keep
  /// their moment.
  void set_clock_rate(replica_id id, std::int64_t rate);
  /// Its clock jumps forward, and whatever is due by it is done.
  void advance_clock(replica_id id, duration d);
  const virtual_clock& clock(replica_id id) const { return find(id).clock; }

  bool running(replica_id id) const { return find(id).life != nullptr; }
  bool paused(replica_id id) const { return find(id).paused; }
  /// How often it was started.
  std::uint64_t lives(replica_id id) const { return find(id).lives; }

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
  actors::mailbox_depths depths(replica_id id) const { return life_of(id).depths(); }
  /// Who leads in the latest term, among those that run; a paused one may be wrong about itself.
  std::optional<replica_id> leader() const;
  /// What was committed, by index from 1 on; null where only a snapshot of it was seen.
  const std::vector<raft::entry_ptr>& committed() const { return observer_.committed(); }
  /// How many steps of Raft were taken by all replicas together.
  std::uint64_t steps() const { return steps_; }

  // ---- judges

  /// Compares what the replicas hold: logs entry by entry, and the state machines of those that have applied
  /// the same. Adds to the violations.
  void compare();
  /// The first broken rules, in words.
  const std::vector<std::string>& violations() const { return violations_; }

 protected:
  void violate(std::string what);
  /// Whether this replica, in this life and as a leader, has put a write into its log that is still there and
  /// may still commit. Precondition: running(id).
  bool may_still_commit(replica_id id, const kv::request_id& write) const;
  trace::recorder* recorder() { return setup_.recorder; }

 private:
  class replica_edge;
  class replica_storage;
  struct life;
  struct member {
    replica_id id;
    actors::memory_storage storage; ///< all of it, or what has to be on the disk
    std::optional<virtual_disk> disk;
    std::uint64_t disks = 0;                   ///< how many it has had
    std::function<void()> mend_bit;            ///< if one has turned over
    std::vector<raft::storage_write> unsynced; ///< what the storage has taken over since its last sync
    virtual_clock clock;
    bool clock_jumped = false; ///< ever: its alarms may be set for moments that it now shows earlier
    std::unique_ptr<virtual_cluster::life> life; ///< null while it does not run
    std::uint64_t lives = 0;                     ///< how often it was started
    term_number voted_in;   ///< the last term in which it was seen to vote for somebody else
    term_number elected_in; ///< the last term that it was seen to lead
    term_number first_term; ///< at its last start
    instant leader_heard;   ///< when it took in the last message that it answers to a leader, by its clock
    /// Until its clock shows this it has promised the leader of that term to elect nobody else.
    instant loyal_until{duration::min()};
    term_number loyal_in;
    bool paused = false;
    duration storage_takes{0};
    /// Of a leader that waits for its own storage: by its clock, since when that has not gone on, and how far
    /// it is.
    instant stalled_since = never;
    log_index stalled_at;
    bool storing = false;  ///< the storage is going to look for what there is to write
    bool drafting = false; ///< it is going to write a piece of a snapshot
    struct countdown {
      std::size_t steps;
      std::function<void()> what;
    };
    std::vector<countdown> countdowns;
    /// What arrived while it was paused.
    std::deque<std::pair<std::string, trace::context>> buffer;
    std::size_t buffered_bytes = 0;
    instant lease_until{duration::min()}; ///< in true time; of a leader that may read without a round
  };
  struct plan {
    instant when;
    std::uint64_t number = 0; ///< keeps plans for the same moment in order
    std::function<void()> what;
    trace::context why; ///< what was going on when it was planned
    bool operator<(const plan& other) const {
      return std::tie(other.when, other.number) < std::tie(when, number);
    }
  };

  void give_disk(member& m);
  disk::owner owner_of(const member& m) const { return {m.id, ids_}; }
  raft::stored_state open_disk(member& m, std::optional<disk::disk_log>& log);
  wire::directory directory_of(replica_id self) const;
  actors::replica_setup make_setup(member& m, life& l);
  void note(std::string_view event, replica_id who, std::string_view text = {});
  void note_lost(replica_id to, std::string_view bytes, std::string_view fate);
  void judge(member& m, const raft::core& c, const raft::effects& e);
  void judge_restart(const member& m);
  void judge_choice(member& m, const raft::core& c);
  void judge_election(const member& m, const raft::core& c);
  void judge_commit(const raft::core& c, const raft::effects& e, std::size_t committed_before);
  void judge_stall(member& m, const raft::core& c);
  void judge_lease(member& m, const raft::core& c);
  instant reads_until(const member& m) const;
  void judge_promise(member& m, std::string_view bytes);
  void judge_vote(const member& voter, replica_id candidate, const vote_reply& reply);
  void note_messages(member& m, const raft::core& c, const std::vector<raft::outgoing>& messages);
  void note_loyalty(member& m, replica_id leader);
  void judge_requests();
  void settle();
  void stop_all();
  void wake(member& m);
  void count_step(member& m);
  void hold_storage(member& m);
  void crash_soon(replica_id id);
  void store_later(member& m);
  void store(member& m);
  void write_draft_later(member& m);
  const member& find(replica_id id) const { return members_.at(id.value); }
  member& find(replica_id id) { return members_.at(id.value); }
  const actors::replica& life_of(replica_id id) const;
  /// Null if it does not run, or is only being made.
  const actors::replica* find_replica(const member& m) const;

  virtual_cluster_setup setup_;
  std::vector<replica_id> ids_;
  course::random_source order_;
  course::random_source seeds_;
  send_hook on_send_;
  log_hook on_log_;

  raft::observer observer_;
  /// Whom each replica has told to have its vote, in each term.
  std::map<std::pair<replica_id, term_number>, std::set<replica_id>> votes_told_;
  /// What each candidate has asked for in each term.
  std::map<std::pair<replica_id, term_number>, vote_request> campaigns_;
  /// Whom a leader has told to campaign, and for which term.
  std::set<std::pair<replica_id, term_number>> called_;
  std::vector<std::string> violations_;
  std::uint64_t steps_ = 0;
  instant moment_; ///< of the last job, and how many there were in it
  std::uint64_t jobs_in_moment_ = 0;
  std::size_t countdowns_ = 0; ///< of all replicas

  std::vector<plan> plans_; ///< a heap
  std::uint64_t next_plan_ = 0;
  std::size_t steps_in_moment_ = 0;
  bool stuck_ = false; ///< time does not go on any more
  std::unique_ptr<actors::loop_system> system_;
  std::vector<member> members_;
};

} // namespace troupe
