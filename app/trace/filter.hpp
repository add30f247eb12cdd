#pragma once
// Which records are shown.

#include "trace/read.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::trace_app {

/// Every condition that is set has to hold; of the values of one, any will do.
struct filter {
  std::vector<std::string> replicas; ///< or clients, of network records
  std::vector<std::string> actors;   ///< rooms; `net` for the network between replicas
  std::vector<std::string> types;    ///< of the message itself or of the one it carries
  std::vector<std::string> terms;
  std::vector<std::string> keys;
  std::vector<std::string> clients;
  std::vector<std::string> mids;
  std::optional<double> from_s; ///< since the run began
  std::optional<double> to_s;
  bool changes = false; ///< only what changed raft's state

  /// `began`: when the run did, in ns.
  bool passes(const trace::record& r, std::int64_t began) const;
};

/// Whether somewhere in it a member of this name has this value.
bool mentions(const trace::value& v, std::string_view name, const std::string& wanted);

} // namespace troupe::trace_app
