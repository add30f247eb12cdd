#include "protocol/wire/read.hpp"

#include "protocol/wire/check.hpp"
#include "protocol/wire/keys.hpp"
#include "protocol/wire/value_reader.hpp"

#include <fmt/format.h>

namespace troupe::wire {
namespace {

/// What every message has, and what decides how the rest is read.
struct heading {
  std::string_view from, to, type;
};

decode_error in_message(const heading& e, const decode_error& problem) {
  return {problem.kind, fmt::format("{} from {}: {}", quoted(e.type), quoted(e.from), problem.text)};
}

std::string_view string_field(value_reader& reader, const json& root, std::string_view name) {
  const json* found = reader.find(root, name);
  if (found != nullptr && !found->IsString()) {
    reader.fail(decode_problem::wrong_type, fmt::format("{} is no string", quoted(name)));
  }
  return found == nullptr || reader.failed() ? std::string_view{} : text_of(*found);
}

decoded read_from_peer(const json& root, const heading& e, replica_id from, const directory& replicas) {
  value_reader reader;
  const auto leader = replicas.find(string_field(reader, root, keys::leader)).value_or(nobody);
  decoded result;
  const bool known = with_alternative<peer_message>(e.type, [&](auto message) {
    reader.fields(root, message);
    if constexpr (std::is_same_v<decltype(message), append_request>) {
      reader.entries(message);
    }
    result = from_peer{from, leader, std::move(message)};
  });
  if (!known) {
    reader.fail(decode_problem::unknown_type, "no such message");
  }
  if (reader.failed()) {
    return in_message(e, reader.problem());
  }
  if (const auto wrong = contradiction(std::get<from_peer>(result).message); !wrong.empty()) {
    return in_message(e, {decode_problem::inconsistent, std::string(wrong)});
  }
  return result;
}

using operation = decltype(client_request::operation);

bool is_request(std::string_view type) {
  return with_alternative<operation>(type, [](const auto&) {});
}

bool is_between_replicas(std::string_view type) {
  return type == types::hello || with_alternative<peer_message>(type, [](const auto&) {});
}

/// Why a request cannot be carried by the transport; empty if it can. A value has to fit twice: into the
/// message that replicates it, and into the answer of whoever reads it.
struct too_long_to_carry {
  const kv::request_id& id;
  std::size_t max_bytes;

  std::string operator()(const kv::get&) const { return {}; }
  std::string operator()(const kv::erase& e) const { return replicate(e); }
  std::string operator()(const kv::put& p) const { return store(p); }
  std::string operator()(const kv::append& a) const { return store(a); }
  std::string operator()(const kv::cas& c) const { return store(c); }

  template <class Write>
  std::string store(const Write& w) const {
    const std::size_t answer = reply_overhead_bytes + max_request_id_bytes + json_bytes(w.value);
    return answer > max_bytes ? too_long(answer) : replicate(w);
  }

  template <class Write>
  std::string replicate(const Write& w) const {
    const std::size_t message = append_overhead_bytes + wire_bytes(kv::command{id, w});
    return message > max_bytes ? too_long(message) : std::string{};
  }

  std::string too_long(std::size_t needed) const {
    return fmt::format("needs a message of {} bytes where {} can be carried", needed, max_bytes);
  }
};

decoded read_request(const json& root, const heading& e, const limits& transport) {
  value_reader reader;
  client_request request;
  request.id.mid = string_field(reader, root, keys::mid);
  request.id.client = e.from;
  if (reader.failed()) {
    return in_message(e, reader.problem());
  }
  if (json_bytes(request.id.client) + json_bytes(request.id.mid) > max_request_id_bytes) {
    return in_message(e, {decode_problem::out_of_range,
                          fmt::format("sender and MID are longer than {} bytes", max_request_id_bytes)});
  }
  with_alternative<operation>(e.type, [&](auto asked) {
    reader.fields(root, asked);
    request.operation = std::move(asked);
  });
  if (reader.failed()) {
    return unservable{std::move(request.id), reader.problem().text};
  }
  auto why_not = std::visit(too_long_to_carry{request.id, transport.max_datagram_bytes}, request.operation);
  if (!why_not.empty()) {
    return unservable{std::move(request.id), std::move(why_not)};
  }
  return request;
}

decoded read_from_outside(const json& root, const heading& e, const limits& transport) {
  if (e.from.empty() || parse_replica_id(e.from) == nobody) {
    return in_message(e, {decode_problem::foreign_sender, "nobody could be answered"});
  }
  if (is_request(e.type)) {
    return read_request(root, e, transport);
  }
  if (is_between_replicas(e.type)) {
    return in_message(e, {decode_problem::foreign_sender, "only replicas say this"});
  }
  return in_message(e, {decode_problem::unknown_type, "no such request"});
}

decoded read_from_member(const json& root, const heading& e, replica_id from, const directory& replicas) {
  if (from == replicas.self()) {
    return in_message(e, {decode_problem::foreign_sender, "this replica said it itself"});
  }
  if (e.type == types::hello) {
    return ignorable{};
  }
  if (is_request(e.type)) {
    return in_message(e, {decode_problem::foreign_sender, "replicas are no clients"});
  }
  return read_from_peer(root, e, from, replicas);
}

} // namespace

decoded read_message(const json& root, const directory& replicas, const limits& transport) {
  if (!root.IsObject()) {
    return decode_error{decode_problem::not_an_object, "JSON, but no object"};
  }
  value_reader reader;
  const heading e{string_field(reader, root, keys::from), string_field(reader, root, keys::to),
                  string_field(reader, root, keys::type)};
  if (reader.failed()) {
    return reader.problem();
  }
  if (const auto to = parse_replica_id(e.to); to != replicas.self() && to != nobody) {
    return in_message(e, {decode_problem::not_for_us, fmt::format("it is for {}", quoted(e.to))});
  }
  const auto member = replicas.find(e.from);
  return member ? read_from_member(root, e, *member, replicas) : read_from_outside(root, e, transport);
}

} // namespace troupe::wire
