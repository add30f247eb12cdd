#include "cluster/cost_model.hpp"

#include <algorithm>

namespace troupe {

duration transit::flight() {
  const auto most = static_cast<std::uint64_t>(costs_.jitter.count());
  return costs_.flight + duration(static_cast<duration::rep>(random_.below(most + 1)));
}

instant transit::to_simulator(replica_id from, instant sent) {
  auto& last = out_.at(from.value);
  return last = std::max(last, sent + flight());
}

instant transit::to_replica(replica_id to, instant sent) {
  auto& last = in_.at(to.value);
  return last = std::max(last, sent + flight()) + costs_.replica_turn;
}

} // namespace troupe
