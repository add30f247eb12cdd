#pragma once
// A history is linearizable if there is an order that explains it. Whoever knows one need not search.

#include "cluster/history/history.hpp"

#include <cstddef>
#include <vector>

namespace troupe::history {

/// Whether the writes took effect in this order, with the reads somewhere between them: then the history is
/// linearizable. If not, another order may explain it; `check` searches for one.
///
/// @param writes  places in `history`, each at most once, of the writes that took effect or were answered not
/// to
///                have been applied; what is not among them never took effect
/// Takes n log n steps for n operations, however many of them are concurrent.
bool is_explained_by(const operations& history, const std::vector<std::size_t>& writes);

} // namespace troupe::history
