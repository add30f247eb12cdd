#pragma once

#include "app/sim/file_descriptor.hpp"

namespace troupe::sim {

/// Turns SIGINT, SIGTERM and SIGHUP into a descriptor that becomes, and stays, readable. Make only one.
class stop_signal {
 public:
  /// Throws std::system_error.
  stop_signal();
  int descriptor() const { return pipe_.read.get(); }

 private:
  pipe_ends pipe_;
};

} // namespace troupe::sim
