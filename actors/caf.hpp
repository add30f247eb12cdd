#pragma once
// The only header that includes CAF. What differs between its versions ends here.

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace troupe::actors {

/// An interface: the messages that an actor takes. All of ours answer with messages of their own, never with
/// a response, so that nothing on the way of a request waits.
template <class... Messages>
using takes = caf::typed_actor<typename caf::reacts_to<Messages>...>;

} // namespace troupe::actors
