#pragma once
// What happens in a chaos run, as data: drawn from a seed, and cut down item by item when a run has failed.

#include "cluster/cluster.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::chaos {

enum class fault_kind {
  crash,       ///< ends and starts again, with what its storage kept
  pause,       ///< stands still, as after SIGSTOP
  cut,         ///< nothing passes between some and others
  one_way,     ///< what some send does not reach others
  loss,        ///< messages are lost
  repeat,      ///< messages arrive twice
  late,        ///< messages are held up and overtaken
  slow,        ///< links carry few bytes a second
  transfer,    ///< the leader is asked to hand over
  disk,        ///< storages take their time
  broken_disk, ///< writing fails, or reading, or a bit turns over; only where logs are on disks
};
inline constexpr std::size_t fault_kind_count = 11;

/// `crash`, `pause`, `cut`, `one-way`, `loss`, `repeat`, `late`, `slow`, `transfer`, `disk`, `broken-disk`.
std::string_view to_string(fault_kind kind);
/// Throws std::invalid_argument for another word, with a line that names the right ones.
fault_kind fault_kind_of(std::string_view word);

/// Which links a fault of the network is about.
enum class link_scope { replicas, clients, from_some };

struct fault {
  std::size_t number = 0; ///< among the faults of its schedule
  fault_kind kind = fault_kind::crash;
  duration at{0};    ///< since the start of the run
  duration lasts{0}; ///< nothing for a transfer
  /// Goes on when the others have stopped: the cluster has to work without them, who are a minority.
  bool lasting = false;
  /// Whom it hits; of a cut or one-way cut, who is on one side.
  std::vector<replica_id> whom;
  /// Of a cut or one-way cut, who is on the other side; empty: all that are not on the one.
  std::vector<replica_id> others;
  /// Whoever leads then takes the place of the first of them.
  bool leader = false;
  /// A crash or pause comes when the actors have taken in so many more messages, in the middle of what they
  /// do. Of a broken disk: which operation on it fails.
  std::size_t steps = 0;
  bool deaf = false; ///< of one-way: they do not hear the others, instead of the others them
  link_scope scope = link_scope::replicas; ///< of loss, repeat, late and slow
  double probability = 0;                  ///< of loss, repeat and late
  duration by{0};                          ///< of late and disk
  std::uint64_t bandwidth = 0;             ///< of slow, in bytes a second
  std::uint64_t bit = 0;                   ///< of a broken disk: which one turns over
};

struct planned_request {
  std::size_t number = 0; ///< among the requests of its schedule
  duration at{0};
  replica_id client;
  replica_id to; ///< `nobody`: whom the client believes to lead
  kv::operation operation;
  troupe::manners manners;
};

struct schedule {
  std::uint64_t seed = 0;
  cluster_setup setup;
  duration storm{0}; ///< how long faults and requests go on; then the faults stop
  std::vector<fault> faults;
  std::vector<planned_request> requests;
};

/// Narrows down what may be drawn.
struct wishes {
  std::set<fault_kind> faults; ///< which kinds; empty: all
  duration storm{0};           ///< how long; 0: as drawn
  bool durable = false;        ///< logs are on disks, and crashes come in the middle of writing to them, too
};

/// Everything that happens in the run of this seed.
schedule draw(std::uint64_t seed, const wishes& w = {});

/// One line each.
std::string describe(const fault& f);
std::string describe(const planned_request& r);
/// Several lines, without a newline at the end: the cluster and its timings.
std::string describe(const schedule& s);

// ---- parts of a schedule

/// Which items of a schedule there are: "f0,f3-7,r12"; "none".
std::string selection_of(const schedule& s);
/// Leaves only the items of a selection. Throws std::invalid_argument with a line that says what is wrong.
void keep(schedule& s, std::string_view selection);

} // namespace troupe::chaos
