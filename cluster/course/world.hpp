#pragma once
// The course's world around a set of replicas: eight clients, a lossy network, events, and what is counted.
// It has no clock, socket or thread: whoever runs it brings the time and the datagrams, and carries out
// actions.
//
//   while (!world.finished()) {
//     wait for a datagram, but no longer than until world.next_due();
//     world.receive(...) for each datagram;
//     while (world.advance(now, actions)) carry out actions;
//   }
//   world.finish(now);

#include "cluster/course/clients.hpp"
#include "cluster/course/events.hpp"
#include "cluster/course/network.hpp"
#include "cluster/course/random_source.hpp"
#include "cluster/course/record.hpp"
#include "cluster/scenario.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::course {

/// Where a replica is reached; a UDP port for real processes. The world learns it from hello.
using endpoint = std::uint32_t;

struct deliver {
  replica_id to;
  course::endpoint endpoint = 0;
  std::string bytes;
};
struct kill {
  replica_id victim;
  bool at_once = false; ///< it gets no chance to end by itself
};
struct freeze {
  replica_id victim;
};
struct thaw {
  replica_id victim;
};
using action = std::variant<deliver, kill, freeze, thaw>;
/// To be carried out at once, in this order.
using action_list = std::vector<action>;

class world {
 public:
  /// How long the simulator sleeps at most when no datagram comes.
  static constexpr duration longest_sleep = std::chrono::milliseconds(100);

  /// `start` is when the replicas were started. The same seed makes the same choices.
  world(const troupe::scenario& scenario, std::uint64_t seed, instant start);
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// Every replica of the scenario, in order.
  std::vector<replica_id> replicas() const;

  /// Does one thing that is due: sends a request, or lets an event happen; appends to `actions`. A request
  /// counts as sent at `now`. Returns whether anything was due: call again, with a new time, until it is not.
  bool advance(instant now, action_list& actions);
  /// Takes a datagram that came from `from`.
  void receive(endpoint from, std::string_view datagram, instant now, action_list& actions);
  /// A replica ended. Does not matter if it was killed, otherwise the run has failed. `how` is for the
  /// report.
  void ended(replica_id id, const std::string& how, instant now);

  /// When to call advance() even if nothing comes.
  instant next_due() const { return last_look_ + longest_sleep; }
  /// The time is up, too much was said, or nobody lives.
  bool finished() const { return finished_; }
  /// Closes the books; call once, at the end of the run.
  void finish(instant now);

  const course::figures& figures() const { return record_.figures; }
  /// What the clients asked for and were told.
  history::operations history() const { return clients_.history(); }
  const course::complaints& complaints() const { return record_.complaints(); }
  std::vector<news> take_news() { return record_.take_news(); }
  /// Whom the simulator believes to lead; may be nobody or dead.
  replica_id leader() const { return leader_; }
  /// Neither killed nor dead.
  bool lives(replica_id id) const;
  /// Whether a partition is between them now.
  bool separated(replica_id a, replica_id b) const { return network_.inside(a) != network_.inside(b); }

 private:
  enum class peer_state { silent, alive, killed, dead };
  struct one_peer {
    replica_id id;
    peer_state state = peer_state::silent; ///< silent until hello
    course::endpoint endpoint = 0;
    std::uint64_t messages = 0; ///< between replicas, as it sent them
    bool spoke = false;         ///< said anything but hello
    bool paused = false;
    instant killed_at = never;
  };

  // Datagrams.
  one_peer* identify(endpoint from, const wire::envelope& message, instant now);
  void hello(endpoint from, const wire::envelope& message, instant now);
  void believe(const one_peer& sender, const wire::envelope& message, instant now);
  void dispatch(one_peer& sender, const wire::envelope& message, std::string_view datagram, instant now,
                action_list& actions);
  void pass_on(one_peer& sender, one_peer& receiver, const std::string& type, std::string_view datagram,
               instant now, action_list& actions);
  void answer(one_peer& sender, wire::envelope message, instant now, action_list& actions);

  // What goes out.
  void hand_over(one_peer& receiver, std::string bytes, instant now, action_list& actions);
  void send_request(instant now, action_list& actions);
  void happen(const event& event, instant now, action_list& actions);
  std::vector<replica_id> carry_out(event_type type, instant now, action_list& actions);
  std::vector<replica_id> kill_replica(std::optional<replica_id> victim, bool at_once, instant now,
                                       action_list& actions);
  std::vector<replica_id> pause_replica(std::optional<replica_id> victim, action_list& actions);
  std::vector<replica_id> resume_all(action_list& actions);
  void list_unanswered();
  std::vector<replica_id> cut(event_type type);

  void die(one_peer& peer, misdeed how, const std::string& what, instant now);
  void check_storm(instant now);
  instant request_time(std::size_t number) const;
  situation look() const;
  std::vector<replica_id> living() const;
  one_peer* find(replica_id id);
  const one_peer* find(replica_id id) const;

  troupe::scenario scenario_;
  instant start_;
  record record_;
  course::clients clients_;
  course::network network_;
  random_source event_random_;
  std::vector<one_peer> peers_;
  replica_id leader_ = nobody;
  replica_id last_known_leader_ = nobody;
  std::size_t requests_sent_ = 0;
  std::size_t events_done_ = 0;
  instant last_look_;
  bool finished_ = false;
};

} // namespace troupe::course
