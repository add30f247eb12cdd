#pragma once
// Nobody outlives the simulator. A tiny process holds the other end of a pipe; when the simulator ends, in
// whatever way, the kernel closes the pipe and the watchdog kills every process group that is still listed.

#include "app/sim/file_descriptor.hpp"

#include <sys/types.h>

namespace troupe::sim {

class watchdog {
 public:
  /// Forks, so it must be made before any thread. Throws std::system_error.
  watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
  /// Ends the watchdog, and with it whoever is still listed.
  ~watchdog();

  /// Lists a process group. Async-signal-safe: a child lists itself before it becomes another program, so
  /// that there is no moment at which it runs unlisted.
  void add(pid_t group) const;
  /// Strikes it off again, once nobody is left in it.
  void remove(pid_t group) const;

 private:
  file_descriptor pipe_;
  pid_t process_ = -1;
};

} // namespace troupe::sim
