#pragma once
// Messages as they come in, with as little typing as possible.

#include "protocol/wire/codec.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace troupe::test {

using namespace troupe::wire;

inline const directory cluster("0000", {"0001", "00a2", "0003", "0004"});
inline constexpr replica_id other{1};

inline codec make_codec(std::size_t max_bytes = 65'507) { return {cluster, {max_bytes}}; }

template <class T>
T decode_as(std::string_view bytes) {
  auto result = make_codec().decode(bytes);
  if (const auto* error = std::get_if<decode_error>(&result)) {
    INFO(error->text);
    REQUIRE(std::holds_alternative<T>(result));
  }
  REQUIRE(std::holds_alternative<T>(result));
  return std::get<T>(std::move(result));
}

inline decode_problem problem_of(std::string_view bytes) { return decode_as<decode_error>(bytes).kind; }

inline std::string from_peer_json(std::string_view type, std::string_view fields) {
  return fmt::format(R"({{"src":"0001","dst":"0000","leader":"0001","type":"{}",{}}})", type, fields);
}

inline std::string from_client_json(std::string_view type, std::string_view fields) {
  return fmt::format(R"({{"src":"00F1","dst":"0000","leader":"FFFF","type":"{}",{}}})", type, fields);
}

inline std::string append_json(std::string_view entries, std::uint64_t previous_index = 4,
                               int previous_term = 2) {
  return from_peer_json("append_request",
                        fmt::format(R"("term":5,"sequence":9,"previous_index":{},"previous_term":{},)"
                                    R"("commit":3,"entries":{})",
                                    previous_index, previous_term, entries));
}

template <class Message>
inline std::string encoded(const Message& message, replica_id to, replica_id leader) {
  std::string out = "left over";
  make_codec().encode(peer_message{message}, to, leader, out);
  return out;
}

inline std::string answer(const client_reply& reply, std::size_t max_bytes = 65'507) {
  std::string out = "left over";
  make_codec(max_bytes).encode(reply, other, out);
  return out;
}

} // namespace troupe::test
