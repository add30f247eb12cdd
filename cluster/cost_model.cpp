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
  auto& [begins, ends] = in_.at(to.value);
  if (sent > begins) {
    begins = std::max(ends, sent + flight());
    ends = begins;
  }
  ends = ends + costs_.replica_turn; // later turns wait for the whole of this one
  return begins + costs_.replica_turn;
}

} // namespace troupe
