#pragma once
// Real mode: replicas are processes, messages are datagrams on 127.0.0.1.

#include "app/sim/run_result.hpp"
#include "app/sim/watchdog.hpp"

#include <optional>
#include <string>

namespace troupe::sim {

/// What a run shows while it goes on. Called from the thread of the run.
class spectator {
 public:
  virtual ~spectator() = default;
  /// A line that a replica printed.
  virtual void replica_said(replica_id who, const std::string& line) = 0;
  virtual void happened(duration since_start, const std::string& text) = 0;
  virtual void progressed(duration since_start, replica_id leader) = 0;
};

struct real_setting {
  std::string replica; ///< path of the executable
  const watchdog& guard;
  int stop; ///< a descriptor that becomes readable when all runs have to end
};

/// Plays one scenario. Returns nothing if it was stopped. Throws std::system_error if the replicas cannot be
/// started. No process of the run is left when it returns or throws.
std::optional<run_result> play_real(const run_plan& plan, const real_setting& setting, spectator& spectator);

} // namespace troupe::sim
