#pragma once
// A history is linearizable if there is an order that explains it. Whoever knows one need not search.

#include "cluster/history/history.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace troupe::history {

/// Tries to explain a history by the writes taking effect in this order, with the reads somewhere between
/// them. Nothing: that works, so the history is linearizable. Otherwise what does not fit, in one line;
/// another order may explain it all the same: `check` searches for one.
///
/// @param writes  places in `history`, each at most once, of the writes that took effect or were answered not
/// to
///                have been applied; what is not among them never took effect
/// Takes n log n steps for n operations, however many of them are concurrent.
std::optional<std::string> find_misfit(const operations& history, const std::vector<std::size_t>& writes);

/// Where `find_misfit` finds none: places in `history` of these writes and of all answered reads, in an order
/// that explains them, one key after the other. Otherwise nothing.
std::optional<std::vector<std::size_t>> place_reads(const operations& history,
                                                    const std::vector<std::size_t>& writes);

} // namespace troupe::history
