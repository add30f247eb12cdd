#include "protocol/utf8.hpp"
#include "test/protocol/codec_support.hpp"
#include "test/support/generators.hpp"
#include "test/support/property.hpp"
#include "test/support/same_message.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

/// The replica that sends what `make_codec()` receives.
codec sender() { return {directory("0001", {"0000", "00a2", "0003", "0004"}), {65'507}}; }

std::string sent(const peer_message& message, replica_id to, replica_id leader) {
  std::string out;
  sender().encode(message, to, leader, out);
  return out;
}

std::string quoted_json(const std::string& text) {
  // A fail's reason is written as any string is; what it is wrapped in is cut off.
  std::string out;
  sender().encode(client_reply{client_fail{{"00F1", "1"}, fmt::format("x{}", text)}}, nobody, out);
  constexpr std::string_view before = R"("reason":"x)";
  const auto from = out.find(before) + before.size();
  return fmt::format("\"{}", out.substr(from, out.size() - from - 1));
}

std::string as_json(const client_request& r) {
  std::string json = fmt::format(R"({{"src":{},"dst":"0000","leader":"FFFF","MID":{},)",
                                 quoted_json(r.id.client), quoted_json(r.id.mid));
  std::visit(
      [&](const auto& operation) {
        json += fmt::format(R"("type":"{}")", operation.type_name);
        for_each_field(operation, [&](std::string_view name, const std::string& text) {
          json += fmt::format(",\"{}\":{}", name, quoted_json(text));
        });
      },
      r.operation);
  return json + "}";
}

std::string_view name_of(const peer_message& m) {
  return std::visit([](const auto& one) { return one.type_name; }, m);
}

void check_round_trip(std::size_t kind) {
  check_property(fmt::format("message {} arrives as it was sent", kind), [kind] {
    const auto m = *message(kind);
    RC_ASSERT(m.index() == kind);
    const auto leader = *rc::gen::element(nobody, replica_id{0}, other, replica_id{0xA2});
    const auto to = *rc::gen::element(nobody, replica_id{0});
    const auto json = sent(m, to, leader);
    RC_LOG() << name_of(m) << ": " << json << '\n';
    const auto received = make_codec().decode(json);
    if (const auto* error = std::get_if<decode_error>(&received)) {
      RC_FAIL(error->text);
    }
    const auto& r = std::get<from_peer>(received);
    RC_ASSERT(r.from == other);
    RC_ASSERT(r.leader == leader);
    RC_ASSERT(same_message(r.message, m));
  });
}

/// Changes, cuts or repeats a few places.
std::string mutated(std::string json) {
  const int changes = *rc::gen::inRange(1, 5);
  for (int i = 0; i < changes && !json.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, json.size());
    switch (*rc::gen::inRange(0, 4)) {
    case 0:
      json[at] = *rc::gen::arbitrary<char>();
      break;
    case 1:
      json[at] = *rc::gen::element('"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', '\0');
      break;
    case 2:
      json.erase(at, *rc::gen::inRange<std::size_t>(1, 9));
      break;
    default:
      json.insert(at, json.substr(*rc::gen::inRange<std::size_t>(0, json.size()),
                                  *rc::gen::inRange<std::size_t>(1, 40)));
    }
  }
  return json;
}

/// Whatever came out can be used, and errors can be printed.
void check_usable(const decoded& result) {
  if (const auto* error = std::get_if<decode_error>(&result)) {
    RC_ASSERT(!error->text.empty());
    RC_ASSERT(error->text.size() < 300);
    RC_ASSERT(error->text.find('\n') == std::string::npos);
  }
  if (const auto* peer = std::get_if<from_peer>(&result)) {
    const auto again = make_codec().decode(sent(peer->message, replica_id{0}, peer->leader));
    RC_ASSERT(std::holds_alternative<from_peer>(again));
    RC_ASSERT(same_message(std::get<from_peer>(again).message, peer->message));
  }
}

} // namespace

TEST_SUITE_BEGIN("codec: properties");

TEST_CASE("every kind of message arrives as it was sent") {
  for (std::size_t kind = 0; kind < std::variant_size_v<peer_message>; ++kind)
    check_round_trip(kind);
}

TEST_CASE("every request is understood as it was meant") {
  check_property("a client's request arrives as it was sent", [] {
    const auto r = *request();
    const auto json = as_json(r);
    RC_LOG() << json << '\n';
    const auto received = make_codec().decode(json);
    RC_ASSERT(std::holds_alternative<client_request>(received));
    RC_ASSERT(std::get<client_request>(received) == r);
  });
}

TEST_CASE("what is sent is one line of UTF-8 that no framing can split") {
  check_property("no newline and no NUL, and all of it UTF-8", [] {
    const auto json = sent(*any_peer_message(), replica_id{0}, nobody);
    RC_ASSERT(json.find('\n') == std::string::npos);
    RC_ASSERT(json.find('\0') == std::string::npos);
    RC_ASSERT(is_utf8(json));
  });
}

TEST_CASE("arbitrary bytes are survived") {
  check_property("bytes", [] { check_usable(make_codec().decode(*bytes())); });
}

TEST_CASE("damaged messages are survived, and what still makes sense is consistent") {
  check_property("damaged messages of replicas", [] {
    check_usable(make_codec().decode(mutated(sent(*any_peer_message(), replica_id{0}, other))));
  });
  check_property("damaged requests", [] { check_usable(make_codec().decode(mutated(as_json(*request())))); });
}

TEST_CASE("an append is never longer than its overhead and the weight of its entries") {
  check_property("the bound holds", [] {
    const auto m = std::get<append_request>(*message(peer_message(append_request{}).index()));
    std::size_t bound = append_overhead_bytes;
    for (const auto& e : m.entries) {
      bound += wire_bytes(e->payload);
    }
    RC_ASSERT(sent(m, replica_id{0}, other).size() <= bound);
  });
}

TEST_CASE("the weight of an entry is exact where its term is longest") {
  check_property("one more entry makes the message longer by its weight", [] {
    append_request m{{~0ULL}, {1}, {0}, {0}, {0}, {}};
    const raft::entry e{{~0ULL}, {1}, *payload(), 0};
    m.entries.push_back(std::make_shared<raft::entry>(e));
    const auto one = sent(m, replica_id{0}, other).size();
    m.entries.push_back(std::make_shared<raft::entry>(e));
    RC_ASSERT(sent(m, replica_id{0}, other).size() - one == wire_bytes(e.payload));
  });
}

TEST_CASE("a snapshot piece is never longer than its overhead, its data and its replicas") {
  check_property("the bound holds", [] {
    const auto m = std::get<snapshot_piece>(*message(peer_message(snapshot_piece{}).index()));
    RC_ASSERT(sent(m, replica_id{0}, other).size() <=
              snapshot_overhead_bytes + json_bytes(m.data) +
                  voter_bytes * (m.voters.size() + m.learners.size()));
  });
}

TEST_CASE("a text taken apart to fit is whole again when joined") {
  check_property("pieces fit, are UTF-8 and lose nothing", [] {
    const auto whole = *text();
    const auto max_bytes = *rc::gen::inRange<std::size_t>(8, 40);
    std::string joined;
    while (joined.size() < whole.size()) {
      const auto rest = std::string_view(whole).substr(joined.size());
      const auto piece = rest.substr(0, fitting_prefix(rest, max_bytes));
      RC_ASSERT(!piece.empty());
      RC_ASSERT(is_utf8(piece));
      RC_ASSERT(json_bytes(piece) <= max_bytes);
      joined += piece;
    }
    RC_ASSERT(joined == whole);
  });
}

TEST_CASE("no answer is longer than the transport carries") {
  check_property("answers fit", [] {
    const std::size_t max_bytes = reply_overhead_bytes + max_request_id_bytes;
    const auto long_text = *rc::gen::element<std::size_t>(0, 10, 600, 5'000);
    const std::string value(long_text, '\x01');
    const auto id = *request_id();
    const bool applied = *rc::gen::arbitrary<bool>();
    const auto reply = *rc::gen::element<client_reply>(client_ok{id, value, applied}, client_fail{id, value});
    std::string out;
    codec{cluster, {max_bytes}}.encode(reply, nobody, out);
    RC_ASSERT(out.size() <= max_bytes);
  });
}

TEST_SUITE_END();
