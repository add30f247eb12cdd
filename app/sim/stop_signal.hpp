#pragma once

#include "app/sim/file_descriptor.hpp"

namespace troupe::sim {

/// Turns SIGINT, SIGTERM and SIGHUP into a descriptor that becomes, and stays, readable; those that the
/// process was started to ignore, as nohup does, are ignored still. SIGUSR1 does nothing any more. Make only
/// one.
class stop_signal {
 public:
  enum class second {
    changes_nothing,
    ends_at_once ///< with status 130: where nothing has to be cleaned up, and one run may take long
  };
  /// Throws std::system_error.
  explicit stop_signal(second what);
  int descriptor() const { return pipe_.read.get(); }

 private:
  pipe_ends pipe_;
};

} // namespace troupe::sim
