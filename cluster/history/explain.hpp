#pragma once
// The smallest stretch of a history that cannot be explained.

#include "cluster/history/search.hpp"

#include <span>

namespace troupe::history {

/// Precondition: a search of `told` ended with `impossible`, and the place of this end is the furthest it got
/// to. The budget pays for the search for something smaller; what is found when it ends is still true.
explanation explain(std::span<const told_operation> told, const key_history& history, std::uint32_t furthest,
                    budget& costs);

} // namespace troupe::history
