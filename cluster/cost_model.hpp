#pragma once
// What messages cost in virtual time, where computing costs nothing by itself. A model, not a measurement:
// docs/simulator.md says what it is made of.

#include "cluster/course/random_source.hpp"
#include "protocol/types.hpp"

#include <vector>

namespace troupe {

struct cost_model {
  /// From a send to the wake-up of a receiver that sleeps: at least, and by chance up to so much more. What
  /// is sent meanwhile is there when it wakes up.
  duration flight = std::chrono::microseconds(20);
  duration jitter = std::chrono::microseconds(20);
  /// What the simulator spends on a datagram that it reads, or a request that it sends.
  duration simulator_turn = std::chrono::microseconds(15);
  /// What a replica spends on a datagram, up to and including its answer.
  duration replica_turn = std::chrono::microseconds(30);
};

/// The way between each replica and the simulator, as on sockets of one machine: nothing is lost here and
/// nothing overtakes.
class transit {
 public:
  transit(const cost_model& costs, std::size_t replicas, course::random_source random)
      : costs_(costs), random_(std::move(random)), out_(replicas), in_(replicas) {}

  /// When the simulator can read what this replica sends now.
  instant to_simulator(replica_id from, instant sent);
  /// When this replica has done its turn for what the simulator sends it now: one turn takes all that has
  /// come by the time it begins.
  instant to_replica(replica_id to, instant sent);
  duration simulator_turn() const { return costs_.simulator_turn; }

 private:
  duration flight();

  cost_model costs_;
  course::random_source random_;
  struct turn {
    instant begins; ///< the last one's, which may be yet to come
    instant ends;
  };
  std::vector<instant> out_;
  std::vector<turn> in_;
};

} // namespace troupe
