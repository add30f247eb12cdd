#pragma once

#include "protocol/types.hpp"

#include <string>

namespace troupe::sim {

/// What a run shows while it goes on. Called from the thread of the run.
class spectator {
 public:
  virtual ~spectator() = default;
  /// A line that a replica printed.
  virtual void replica_said(replica_id who, duration since_start, const std::string& line) = 0;
  virtual void happened(duration since_start, const std::string& text) = 0;
  virtual void progressed(duration since_start, replica_id leader) = 0;
};

} // namespace troupe::sim
