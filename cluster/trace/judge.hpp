#pragma once
// Were the rules of Raft kept, as far as a trace shows? Needs neither replicas nor CAF.

#include "cluster/trace/history_of.hpp"
#include "trace/read.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::trace {

/// A broken rule, in words, and the events that show it.
struct finding {
  std::string what;
  std::vector<const record*> events;
};

/// The first rule that is broken: election safety, leader append-only, log matching, leader completeness,
/// state machine safety (figure 3 of the extended Raft paper); terms, votes and commits never go back;
/// entries are applied once and in order; one lease at a time. Also what the run itself found out. Nothing if
/// all is well.
std::optional<finding> find_violation(const story& s);

} // namespace troupe::trace
