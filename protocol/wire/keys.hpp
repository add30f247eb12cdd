#pragma once
// The words of the simulators' protocol. Private to protocol/wire.

#include <string_view>

namespace troupe::wire {

namespace keys {
inline constexpr std::string_view from = "src";
inline constexpr std::string_view to = "dst";
inline constexpr std::string_view leader = "leader";
inline constexpr std::string_view type = "type";
inline constexpr std::string_view mid = "MID";
inline constexpr std::string_view value = "value";
inline constexpr std::string_view applied = "applied"; ///< ours: false for a cas that found something else
inline constexpr std::string_view reason = "reason";   ///< ours: why a request failed
} // namespace keys

namespace types {
inline constexpr std::string_view hello = "hello";
inline constexpr std::string_view ok = "ok";
inline constexpr std::string_view redirect = "redirect";
inline constexpr std::string_view fail = "fail";
} // namespace types

/// What entries are called that are no command; a command goes by the name of what it writes.
namespace entry_names {
inline constexpr std::string_view no_op = "no_op";
inline constexpr std::string_view configuration = "configuration";
} // namespace entry_names

} // namespace troupe::wire
