#include "cluster/course/network.hpp"

namespace troupe::course {

network::fate network::decide(replica_id from, replica_id to) {
  if (inside(from) != inside(to))
    return fate::cut;
  return random_.chance(drops_) ? fate::dropped : fate::arrives;
}

} // namespace troupe::course
