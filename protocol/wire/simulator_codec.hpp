#pragma once
// The course simulator's side of the wire: what it reads in a replica's datagram, and the requests that it
// writes on behalf of clients. One JSON object a datagram; see docs/simulator.md.

#include "protocol/kv/command.hpp"
#include "protocol/types.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::wire {

/// The largest UDP payload on IPv4, in bytes.
inline constexpr std::size_t max_datagram_bytes = 65507;

/// What a message means to the simulator. `other` travels between replicas and is theirs alone.
enum class message_kind { hello, ok, redirect, fail, other };

/// The part of a replica's message that the simulator looks at.
struct envelope {
  replica_id src;
  replica_id dst; ///< a replica, a client, or `nobody` for everyone
  replica_id leader;
  message_kind kind = message_kind::other;
  std::string type;
  std::optional<std::string> mid;   ///< absent if the field is missing or not a string
  std::optional<std::string> value; ///< absent if the field is missing or not a string
  bool applied = true;              ///< false only in the answer to a write that was refused
};

/// Reads the envelope of a datagram. Fields that it does not know are skipped, however deep.
/// On bad input returns nothing and says in `error` what is wrong, in one line.
std::optional<envelope> parse_envelope(std::string_view datagram, std::string& error);

/// Four upper-case hexadecimal digits, or nothing.
std::optional<replica_id> parse_id(std::string_view text);

/// Who asks whom, and under which MID.
struct request_header {
  replica_id client;
  replica_id replica;
  replica_id leader; ///< whom the client believes to lead
  std::string mid;
};

/// A client's request, ready to send. The course's clients only get and put.
std::string write_request(const request_header& header, const kv::operation& operation);

} // namespace troupe::wire
