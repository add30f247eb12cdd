#pragma once

#include "cluster/chaos/run.hpp"

#include <functional>

namespace troupe::sim {

/// What plays a schedule, as chaos::play does.
using player = std::function<chaos::outcome(const chaos::schedule&, const chaos::teller&, trace::recorder*)>;

/// `troupe-sim chaos`: random clusters, workloads and faults on virtual time, each run judged. Takes the
/// arguments from "chaos" on; returns the exit status. Throws usage_error for a call that cannot be carried
/// out.
int chaos_command(int argc, char** argv, const player& play = chaos::play);

} // namespace troupe::sim
