#pragma once
// A cluster to experiment with: replicas, a network that does what it is told, and clients, in a few lines.
//
//   troupe::cluster c({.replicas = 5, .seed = 7});
//   c.elect();
//   c.put("colour", "blue");
//   c.crash(*c.leader());
//   assert(c.get("colour") == "blue");        // runs until the next leader has answered
//   assert(c.verify().empty());               // no rule of Raft was broken, no answer was wrong
//
// Time is virtual and moves only in calls that say so: `run_for`, `run_until`, `elect` and the requests that
// wait for an answer. The same seed and the same calls give the same history, to the nanosecond. Everything
// about processes, clocks and what can be seen inside comes from virtual_cluster.hpp, links from
// virtual_network.hpp.

#include "cluster/history/history.hpp"
#include "cluster/virtual_cluster.hpp"
#include "cluster/virtual_network.hpp"
#include "protocol/wire/simulator_codec.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// How patient a client is.
struct manners {
  /// Asks somebody else under the same MID when it has had no answer for so long; 0: never.
  duration repeat_after = std::chrono::seconds(2);
  /// How often it asks at most, redirects included; whoever reaches it gives up.
  std::size_t most_attempts = 1'000;
};

/// One request of one client.
struct request {
  replica_id client;
  std::string mid;
  kv::operation operation;
  troupe::manners manners;
  instant asked;                          ///< for the first time
  std::optional<instant> answered;        ///< with ok, for the first time
  std::optional<wire::envelope> answer{}; ///< that one
  replica_id at = nobody;                 ///< whom it was sent to last
  std::size_t attempts = 0;
  std::size_t oks = 0;
  std::size_t redirects = 0;
  std::size_t fails = 0;
};
using request_number = std::size_t;

struct cluster_setup {
  std::size_t replicas = 3; ///< 1 to 21, with ids from 0000 on
  std::uint64_t seed = 1;
  raft::options raft{};
  actors::router_options router{};
  wire::limits transport{};
  link_quality network{};        ///< between replicas
  link_quality client_network{}; ///< between replicas and clients
  /// See virtual_cluster_setup.
  std::vector<raft::stored_state> stored{};
  std::vector<std::int64_t> clock_rates{};
  std::vector<duration> clock_offsets{};
  duration storage_takes{0};
  bool durable = false;
  trace::recorder* recorder = nullptr;
};

class cluster : public virtual_cluster {
 public:
  /// All replicas are started.
  explicit cluster(cluster_setup setup);

  virtual_network& network() { return network_; }
  /// Told what becomes of each message, and of what clients do; for a log.
  void on_fate(virtual_network::watch w) { on_fate_ = std::move(w); }

  // ---- time

  using virtual_cluster::run_until;
  void run_for(duration d) { run_until(now() + d); }
  /// Runs until a majority follows a leader that has committed an entry of its term, and returns who it is;
  /// `nobody` if that takes longer.
  replica_id elect(duration limit = std::chrono::seconds(30));

  // ---- faults, besides those of virtual_cluster

  /// Nothing passes between these replicas and all others, until `heal`. Clients reach everybody.
  void isolate(const std::vector<replica_id>& inside);
  void heal() { network_.heal(); }
  /// Ends the leader at this moment, and returns who it was; `nobody` if nobody leads.
  replica_id crash_leader();

  // ---- clients, with ids from C000 on

  /// Sends a request now: to `to`, or to whom the client believes to lead, or to anybody.
  request_number ask(kv::operation operation, replica_id client = first_client, replica_id to = nobody,
                     manners m = {});
  /// Sends it once more now, under the same MID, whatever has become of it.
  void ask_again(request_number n, replica_id to);
  const troupe::request& request(request_number n) const { return requests_.at(n); }
  const std::vector<troupe::request>& requests() const { return requests_; }

  /// Asks and runs until there is an answer; nothing if it takes longer than `limit`.
  std::optional<kv::result> ask_and_wait(kv::operation operation, duration limit = std::chrono::seconds(30));
  /// The value of a key; nothing if no answer came.
  std::optional<std::string> get(const std::string& key);
  /// True if it was answered in time.
  bool put(const std::string& key, const std::string& value);

  // ---- judges

  /// What all clients did and were told so far.
  history::operations history() const;
  /// Compares what the replicas hold, checks that the clients' history is linearizable, and returns all rules
  /// that were broken since the start, in words. Empty: none.
  std::vector<std::string> verify();

 private:
  void route(replica_id from, std::string_view bytes);
  void count_request(replica_id at, std::string_view bytes);
  void judge_reply(replica_id from, const wire::envelope& reply);
  std::vector<std::string> judge_answers() const;
  void post(replica_id from, replica_id to, std::string_view bytes);
  void note_fate(replica_id from, replica_id to, std::string_view bytes, fate f);
  void attempt(request_number n, replica_id to);
  void repeat_later(request_number n, duration wait);
  void take_answer(replica_id from, const std::string& bytes);
  replica_id somebody();
  instant stamp();
  bool is_settled() const;
  std::vector<std::size_t> writes_in_log() const;

  course::random_source choices_;
  virtual_network network_;
  virtual_network::watch on_fate_;
  std::vector<troupe::request> requests_;
  std::map<std::string, request_number> by_mid_;
  /// What passed between one request and one life of one replica.
  struct exchange {
    std::size_t arrived = 0;
    std::size_t replies = 0;
  };
  std::map<std::tuple<replica_id, std::uint64_t, std::string>, exchange> exchanges_;
  std::map<replica_id, replica_id> believed_; ///< by client: who leads
  instant last_stamp_{};
};

} // namespace troupe
