#pragma once
// What becomes of a message between two replicas.

#include "cluster/course/random_source.hpp"
#include "protocol/types.hpp"

#include <optional>
#include <set>
#include <vector>

namespace troupe::course {

/// Loses messages at random, and cuts replicas off from each other. Clients' messages never come here.
class network {
 public:
  enum class fate { arrives, dropped, cut };

  /// `drops` is the probability that a message is lost, 0 to 1.
  network(double drops, random_source random) : drops_(drops), random_(std::move(random)) {}

  /// Decides about one delivery.
  fate decide(replica_id from, replica_id to);

  /// From now on nothing passes between these replicas and all others. Replaces an earlier partition.
  void partition(const std::vector<replica_id>& inside) { inside_.emplace(inside.begin(), inside.end()); }
  void heal() { inside_.reset(); }
  bool partitioned() const { return inside_.has_value(); }
  /// True for everybody while there is no partition.
  bool inside(replica_id id) const { return !inside_ || inside_->count(id) > 0; }

 private:
  double drops_;
  random_source random_;
  std::optional<std::set<replica_id>> inside_;
};

} // namespace troupe::course
