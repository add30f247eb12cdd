#pragma once
// In which order could one copy of the store have done these operations?

#include "cluster/history/linearizable.hpp"

#include <string>
#include <vector>

namespace troupe::history {

/// An operation, and what its key holds behind it.
struct ordered_operation {
  std::size_t operation = 0; ///< its place in the history
  std::string held;
};

/// The operations on one key.
struct key_order {
  std::string key;
  std::vector<std::size_t> operations; ///< places in the history, by call
  /// An order that gives every operation in it the answer that it was told; none comes before one that ended
  /// before its call. If the history is linearizable it has all of them, those last that were never answered
  /// and perhaps never took effect.
  std::vector<ordered_operation> order;
  history::verdict verdict = history::verdict::linearizable; ///< unknown: the limits ended the search
};

/// Looks for an order for each key, in the order in which keys come up: first that of the log, if it is known
/// (`writes_in_log` are places in the history of writes, as they were committed), then any. Where there is
/// none, or the limits end the search, it is as long a beginning as was found.
std::vector<key_order> find_orders(const operations& history, const std::vector<std::size_t>& writes_in_log,
                                   const check_limits& limits = {});

} // namespace troupe::history
