#pragma once
// What a peer's message must satisfy beyond its form. Private to protocol/wire.

#include "protocol/messages.hpp"

#include <string_view>

namespace troupe::wire {

/// What in the message contradicts Raft or itself and would break whoever relies on it; empty if nothing
/// does.
std::string_view contradiction(const peer_message& message);

/// The same for a configuration.
std::string_view contradiction(const raft::configuration& c);

} // namespace troupe::wire
