#pragma once

#include "actors/memory_storage.hpp"

#include <string>
#include <vector>

namespace troupe {

/// What is wrong with what a replica finds on its disk after a crash: it has to be what was durable, and of
/// what came after that any beginning. In place of a snapshot of its own log there may be what that stands
/// for: the entries, behind an older snapshot. Empty if nothing is.
///
/// @param durable   what the disk had said to be durable
/// @param unsynced  what was written later, in order
std::string find_loss(actors::memory_storage durable, const std::vector<raft::storage_write>& unsynced,
                      const raft::stored_state& found);

} // namespace troupe
