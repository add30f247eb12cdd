#pragma once
#include "app/replica/arguments.hpp"

namespace troupe::app {

/// Runs a replica until a signal ends it or the simulator closes the connection.
/// @param signals  a descriptor that becomes readable when it is time to end
/// @returns the exit status
int serve(const replica_arguments& arguments, int signals);

} // namespace troupe::app
