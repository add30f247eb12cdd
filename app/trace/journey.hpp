#pragma once
// How time is spent between a cause and its last effect.

#include "trace/read.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe::trace_app {

/// What the time between the two went to: `network`, `timer`, or the room that was waited for, as in
/// `raft of 0001`. Precondition: `before` caused `after`.
std::string spent_in(const trace::record& before, const trace::record& after);

/// Nanoseconds by what they went to, from moment `since` on; together they are the time up to the last
/// record, as far back as the path goes.
std::map<std::string, std::int64_t> spent_on(const std::vector<const trace::record*>& path,
                                             std::int64_t since);

/// A request and its first answer `ok`.
struct answered_request {
  const trace::record* asked; ///< when the client sent it, or when the first replica got it
  const trace::record* answer;
};
std::vector<answered_request> first_answers(const trace::story& s);

} // namespace troupe::trace_app
