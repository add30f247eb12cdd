#pragma once
// Arbitrary, but valid: what replicas and clients could say.

#include "protocol/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <rapidcheck.h>
#include <string>

namespace troupe::test {

// Numbers

/// A number from `low` to `high`, both included.
rc::Gen<std::uint64_t> between(std::uint64_t low, std::uint64_t high);
/// Mostly small, sometimes anything, sometimes the largest there is.
rc::Gen<std::uint64_t> at_least(std::uint64_t low);

template <class Number>
rc::Gen<Number> number_from(std::uint64_t low) {
  return rc::gen::map(at_least(low), [](std::uint64_t n) { return Number{n}; });
}

// Text

/// Valid UTF-8, often with what JSON or UTF-8 treats as special.
rc::Gen<std::string> text();
/// Any bytes at all.
rc::Gen<std::string> bytes();

// Clients and what they write

/// Few clients, few MIDs and few keys: things should meet.
rc::Gen<kv::request_id> request_id();
rc::Gen<std::string> key();
/// Few values too, so that a cas is applied now and then.
rc::Gen<std::string> value();
rc::Gen<kv::write> write();
rc::Gen<kv::command> command();
rc::Gen<client_request> request();

// Entries

rc::Gen<raft::configuration> configuration();
rc::Gen<raft::payload> payload();

// What replicas say

/// A term or an index that elections or a log can have reached; messages with larger ones are refused.
inline constexpr std::uint64_t within_reach = (std::uint64_t{1} << 62) - 1;

/// One kind of message, as a correct replica might send it.
/// @param kind  its place among the alternatives of peer_message
rc::Gen<peer_message> message(std::size_t kind);
rc::Gen<peer_message> any_peer_message();

} // namespace troupe::test
