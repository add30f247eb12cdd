#pragma once
// Virtual mode: replicas are actors in this process, messages are events, and time jumps from one to the
// next.

#include "app/sim/run_result.hpp"
#include "app/sim/spectator.hpp"
#include "trace/recorder.hpp"

namespace troupe::sim {

/// Plays one scenario. Everything in it follows from the plan: the same plan has the same result, and the
/// same hash of its history. May run in several threads at once.
/// A recorder takes down everything, and changes nothing.
run_result play_virtual(const run_plan& plan, spectator& spectator, trace::recorder* recorder = nullptr);

} // namespace troupe::sim
