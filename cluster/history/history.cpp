#include "cluster/history/history.hpp"

#include <limits>

namespace troupe::history {

std::string_view to_string(operation_kind kind) {
  switch (kind) {
  case operation_kind::get:
    return "get";
  case operation_kind::put:
    return "put";
  case operation_kind::append:
    return "append";
  case operation_kind::cas:
    return "cas";
  case operation_kind::erase:
    return "delete";
  }
  return "";
}

std::string_view to_string(ending how) {
  switch (how) {
  case ending::ok:
    return "ok";
  case ending::refused:
    return "refused";
  case ending::unknown:
    return "unknown";
  }
  return "";
}

std::int64_t end_of(const operation& o) {
  return o.ending == ending::unknown ? std::numeric_limits<std::int64_t>::max() : o.done;
}

std::optional<std::string> value_after(const operation& o, const std::string& held) {
  if (o.ending == ending::refused)
    return std::nullopt;
  const bool answered = o.ending == ending::ok;
  const bool told_what_it_met = answered && o.result && (o.kind == operation_kind::get || !o.applied);
  if (told_what_it_met && *o.result != held)
    return std::nullopt;
  if (answered && o.kind == operation_kind::get && !o.result && !held.empty())
    return std::nullopt;
  const bool applies = o.kind != operation_kind::cas || held == o.expected;
  if (answered && o.kind == operation_kind::cas && o.applied != applies)
    return std::nullopt;
  if (!applies || (answered && !o.applied))
    return held;
  switch (o.kind) {
  case operation_kind::get:
    return held;
  case operation_kind::put:
  case operation_kind::cas:
    return o.value;
  case operation_kind::append:
    return held + o.value;
  case operation_kind::erase:
    return "";
  }
  return held;
}

} // namespace troupe::history
