#pragma once
// Were the rules of Raft kept, as far as a trace shows? Needs neither replicas nor CAF.

#include "cluster/history/history.hpp"
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

/// What clients asked and were told, as seen by the replicas' routers. An operation's interval lies within
/// the one that its client saw, and holds the instant at which it took effect.
struct client_history {
  history::operations operations;
  /// Places in it, in the order in which writes were committed.
  std::vector<std::size_t> writes_in_log;
  /// Texts were cut where whole ones are needed to judge.
  bool is_cut = false;
};
client_history history_of(const story& s);

/// A file that does not begin with the run: it cannot tell what a first read should have found. Null: there
/// is none.
const recording* find_late_beginning(const story& s);

} // namespace troupe::trace
