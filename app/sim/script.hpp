#pragma once

namespace troupe::sim {

/// `troupe-sim script FILE...`: plays scripts (docs/scripts.md). `argv[0]` is the subcommand. Returns the
/// exit status: 0 if all expectations were met, 1 if one was not. Throws usage_error and script_error.
int run_scripts(int argc, char** argv);

} // namespace troupe::sim
