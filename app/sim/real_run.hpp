#pragma once
// Real mode: replicas are processes, messages are datagrams on 127.0.0.1.

#include "app/sim/run_result.hpp"
#include "app/sim/spectator.hpp"
#include "app/sim/watchdog.hpp"
#include "trace/recorder.hpp"

#include <optional>
#include <string>

namespace troupe::sim {

struct real_setting {
  std::string replica; ///< path of the executable
  const watchdog& guard;
  /// Each replica of ours writes one, under this name with its own behind it; empty: none does.
  std::string trace;
  trace::recorder* recorder = nullptr; ///< takes down what passes through the network
  instant began;                       ///< of the run that is recorded: where its times count from
  int stop = -1;                       ///< a descriptor that becomes readable when all runs have to end
};

/// Plays one scenario. Returns nothing if it was stopped. Throws std::system_error if the replicas cannot be
/// started. No process of the run is left when it returns or throws.
std::optional<run_result> play_real(const run_plan& plan, const real_setting& setting, spectator& spectator);

} // namespace troupe::sim
