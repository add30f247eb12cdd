#pragma once

namespace troupe::sim {

/// `troupe-sim chaos`: random clusters, workloads and faults on virtual time, each run judged. Takes the
/// arguments from "chaos" on; returns the exit status. Throws usage_error for a call that cannot be carried
/// out.
int chaos_command(int argc, char** argv);

} // namespace troupe::sim
