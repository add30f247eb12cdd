#pragma once
#include "cluster/chaos/run.hpp"

#include <cstddef>
#include <functional>

namespace troupe::chaos {

/// Plays a schedule and tells which rule was broken; "" if none.
using trial = std::function<std::string(const schedule&)>;

struct shrunk {
  chaos::schedule schedule;
  std::size_t trials = 0;
  bool smallest = false; ///< without any one of its items it does not fail; false if the trials ran out
};

/// Leaves faults and requests away for as long as the same rule is broken (delta debugging: Zeller and
/// Hildebrandt 2002). Precondition: playing `s` breaks `rule`.
shrunk shrink(schedule s, const std::string& rule, const trial& t, std::size_t most_trials);

} // namespace troupe::chaos
