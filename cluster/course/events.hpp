#pragma once
// Whom an event hits.

#include "cluster/course/random_source.hpp"
#include "protocol/types.hpp"

#include <optional>
#include <vector>

namespace troupe::course {

/// What the world knows when an event is due.
struct situation {
  std::size_t replicas = 0;       ///< how many there were at the start
  std::vector<replica_id> living; ///< neither killed nor dead
  replica_id leader = nobody;     ///< as the simulator believes; may be dead

  bool leader_lives() const;
};

/// The leader; nobody if none is known or it is not alive any more.
std::optional<replica_id> leader_to_kill(const situation& now);
/// A random living replica other than the leader; nobody if there is none.
std::optional<replica_id> non_leader_to_kill(const situation& now, random_source& random);
/// A random majority (n/2 + 1 of all n), chosen among the living, fewer if not so many live. Sorted.
std::vector<replica_id> random_majority(const situation& now, random_source& random);
/// The same, with the leader in it. Precondition: now.leader_lives().
std::vector<replica_id> majority_with_leader(const situation& now, random_source& random);

} // namespace troupe::course
