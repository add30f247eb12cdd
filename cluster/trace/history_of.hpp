#pragma once
// The history of the clients that is in a trace.

#include "cluster/history/history.hpp"
#include "trace/read.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::trace {

/// What clients asked and were told, as seen by the replicas' routers. An operation's interval lies within
/// the one that its client saw, and holds the instant at which it took effect.
struct client_history {
  history::operations operations;
  /// Places in it, in the order in which writes were committed.
  std::vector<std::size_t> writes_in_log;
  /// Texts were cut where whole ones are needed to judge.
  bool is_cut = false;
  /// A replica was given a state with entries that nobody in the trace committed: gets may find what no
  /// operation wrote.
  bool lacks_entries = false;
};
client_history history_of(const story& s);

/// A file that does not begin with the run: it cannot tell what a first read should have found. Null: there
/// is none.
const recording* find_late_beginning(const story& s);

/// The same, a record after the other.
class history_collector {
 public:
  void take(const record& r);
  client_history finish();

 private:
  std::size_t add(const value& id, const value& what, std::int64_t call);
  void answer(const record& r, const value& reply);
  void commit(const value& entries);
  void install(const value& snapshot);

  client_history result_;
  std::unordered_map<std::string, std::size_t> places_; ///< by client and MID
  std::vector<bool> listed_;                            ///< among the writes in the log
  std::uint64_t committed_ = 0;
  std::optional<std::int64_t> began_; ///< nobody in it asked before
  bool any_cut_ = false;
};

} // namespace troupe::trace
