// The network actor: what arrives goes to the right room, and what leaves names the leader.

#include "actors/network.hpp"
#include "test/support/stage.hpp"

#include <fmt/format.h>

using namespace troupe;
using namespace troupe::test;
using namespace troupe::actors;

namespace {

struct network_stage : stage {
  recording_edge edge;
  network& actor = put<network>(&rooms::network, wire::codec(wire::directory("0000", {"0001", "0002"}), {}),
                                &edge, nullptr, host());

  void arrives(const std::string& bytes) { tell(rooms().network, datagram{bytes}); }
  void arrives(std::string_view from, std::string_view type, std::string_view fields) {
    arrives(fmt::format(R"({{"src":"{}","dst":"0000","leader":"FFFF","type":"{}"{}}})", from, type, fields));
  }
  std::string only_sent() {
    REQUIRE(edge.sent.size() == 1);
    return std::exchange(edge.sent, {}).front();
  }
};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("network: says hello at the start, to everybody, and knows no leader") {
  network_stage s;
  s.tell(s.rooms().network, start{});
  CHECK(s.only_sent() == R"({"src":"0000","dst":"FFFF","leader":"FFFF","type":"hello"})");
}

TEST_CASE("network: another replica's message goes to raft, with who sent it") {
  network_stage s;
  s.arrives("0001", "timeout_now", R"(,"term":7)");
  const auto m = s.only<raft::received>();
  CHECK(m.from == other);
  REQUIRE(std::holds_alternative<timeout_now>(m.message));
  CHECK(std::get<timeout_now>(m.message).term == term_number{7});
  CHECK(s.all().empty());
  CHECK(s.edge.sent.empty());
}

TEST_CASE("network: a client's request goes to the router") {
  network_stage s;
  s.arrives("00F1", "put", R"(,"MID":"m","key":"k","value":"v")");
  CHECK(s.only<client_request>() == client_request{{"00F1", "m"}, kv::put{"k", "v"}});
  s.arrives("00F1", "get", R"(,"MID":"n","key":"k")");
  CHECK(s.only<client_request>() == client_request{{"00F1", "n"}, kv::get{"k"}});
  CHECK(s.edge.sent.empty());
}

TEST_CASE("network: a request that nobody can serve fails at once, with the reason") {
  network_stage s;
  s.arrives("00F1", "put", R"(,"MID":"m","key":"k")");
  const auto answer = s.only_sent();
  CHECK(contains(answer, R"("dst":"00F1")"));
  CHECK(contains(answer, R"("type":"fail","MID":"m")"));
  CHECK(contains(answer, R"("reason":)"));
  CHECK(s.all().empty());
}

TEST_CASE("network: another replica's hello is taken in and leads to nothing") {
  network_stage s;
  s.arrives("0001", "hello", "");
  CHECK(s.all().empty());
  CHECK(s.edge.sent.empty());
  CHECK(s.lines.empty());
  CHECK(s.actor.counters().received == 1);
}

TEST_CASE("network: each kind of bad input is counted, mentioned once and dropped") {
  network_stage s;
  const std::vector<std::pair<wire::decode_problem, std::string>> table{
      {wire::decode_problem::malformed, "{"},
      {wire::decode_problem::not_utf8, "{\"src\":\"\xff\"}"},
      {wire::decode_problem::too_deep, std::string(100, '[')},
      {wire::decode_problem::too_long, std::string((16 << 20) + 1, ' ')},
      {wire::decode_problem::not_an_object, "[]"},
      {wire::decode_problem::missing_field,
       R"({"src":"0001","dst":"0000","leader":"FFFF","type":"timeout_now"})"},
      {wire::decode_problem::wrong_type,
       R"({"src":"0001","dst":"0000","leader":"FFFF","type":"timeout_now","term":"1"})"},
      {wire::decode_problem::out_of_range,
       R"({"src":"0001","dst":"0000","leader":"FFFF","type":"timeout_now","term":-1})"},
      {wire::decode_problem::inconsistent,
       R"({"src":"0001","dst":"0000","leader":"FFFF","type":"timeout_now","term":0})"},
      {wire::decode_problem::unknown_type, R"({"src":"0001","dst":"0000","leader":"FFFF","type":"gossip"})"},
      {wire::decode_problem::foreign_sender,
       R"({"src":"0000","dst":"0000","leader":"FFFF","type":"timeout_now","term":1})"},
      {wire::decode_problem::not_for_us,
       R"({"src":"0001","dst":"0002","leader":"FFFF","type":"timeout_now","term":1})"},
  };
  REQUIRE(table.size() == wire::decode_problem_count);
  for (const auto& [kind, bytes] : table) {
    INFO(wire::to_string(kind));
    s.lines.clear();
    for (int i = 0; i < 3; ++i)
      s.arrives(bytes);
    CHECK(s.actor.counters().dropped[static_cast<std::size_t>(kind)] == 3);
    REQUIRE(s.lines.size() == 1);
    CHECK(contains(s.lines.front(), wire::to_string(kind)));
  }
  CHECK(s.actor.counters().received == 3 * table.size());
  CHECK(s.all().empty());
  CHECK(s.edge.sent.empty());
  CHECK(s.stops.empty());
}

TEST_CASE("network: every message names whom this replica believes to lead") {
  network_stage s;
  const auto all_kinds = [&] {
    s.tell(s.rooms().network, start{});
    s.tell(s.rooms().network, outbound{{{other, timeout_now{{1}}}}});
    s.tell(s.rooms().network, client_answer{client_ok{{"00F1", "m"}, "v"}});
    s.tell(s.rooms().network, client_answer{client_fail{{"00F1", "m"}, "why"}});
    return std::exchange(s.edge.sent, {});
  };
  for (const auto& sent : all_kinds())
    CHECK(contains(sent, R"("leader":"FFFF")"));
  for (const auto leader : {self, other, nobody}) {
    s.tell(s.rooms().network, standing_changed{{raft::role_kind::follower, {1}, leader}});
    for (const auto& sent : all_kinds())
      CHECK(contains(sent, fmt::format(R"("leader":"{}")", to_string(leader))));
  }
}

TEST_CASE("network: a redirect names its own leader") {
  network_stage s;
  s.tell(s.rooms().network, client_answer{client_redirect{{"00F1", "m"}, other}});
  CHECK(contains(s.only_sent(), R"("leader":"0001","type":"redirect")"));
}

TEST_CASE("network: what is sent reaches the edge one by one and in order") {
  network_stage s;
  s.post(s.rooms().network, outbound{{{other, timeout_now{{1}}}, {replica_id{2}, timeout_now{{2}}}}},
         client_answer{client_ok{{"00F1", "m"}, {}}}, outbound{{{other, timeout_now{{3}}}}});
  s.run();
  REQUIRE(s.edge.sent.size() == 4);
  CHECK(contains(s.edge.sent[0], R"("term":1)"));
  CHECK(contains(s.edge.sent[1], R"("dst":"0002")"));
  CHECK(contains(s.edge.sent[1], R"("term":2)"));
  CHECK(contains(s.edge.sent[2], R"("type":"ok")"));
  CHECK(contains(s.edge.sent[3], R"("term":3)"));
  CHECK(s.actor.counters().sent == 4);
}

TEST_CASE("network: a member that has no address gets nothing, and the others do") {
  network_stage s;
  s.tell(s.rooms().network, outbound{{{replica_id{0xABCD}, timeout_now{{1}}}, {other, timeout_now{{2}}}}});
  CHECK(contains(s.only_sent(), R"("term":2)"));
  s.tell(s.rooms().network, outbound{{{replica_id{0xABCD}, timeout_now{{3}}}}});
  CHECK(s.edge.sent.empty());
  CHECK(s.actor.counters().without_address == 2);
  CHECK(s.lines.size() == 1);
  CHECK(s.stops.empty());
}

TEST_CASE("network: tells how many messages wait for it") {
  network_stage s;
  for (const char* bytes : {"{", "}", "{}"})
    caf::anon_send(s.rooms().network, datagram{bytes});
  CHECK(s.actor.depth() == 3);
  s.run();
  CHECK(s.actor.depth() == 0);
}

TEST_CASE("network: whatever it cannot cope with stops the replica") {
  struct broken_edge : edge {
    void send(std::string_view) override { throw std::runtime_error("the edge is broken"); }
  } broken;
  stage s;
  s.put<network>(&rooms::network, wire::codec(wire::directory("0000", {"0001"}), {}), &broken, nullptr,
                 s.host());
  s.tell(s.rooms().network, start{}, start{});
  REQUIRE(s.stops.size() == 1);
  CHECK(s.stops.front() == "network: the edge is broken");
}

TEST_CASE("network: a flush goes on to the router, behind the requests that arrived before it") {
  network_stage s;
  s.post(s.rooms().network,
         datagram{R"({"src":"00F1","dst":"0000","leader":"FFFF","type":"get","MID":"m","key":"k"})"},
         flush{});
  s.run();
  const auto heard = s.all();
  REQUIRE(heard.size() == 2);
  CHECK(std::holds_alternative<client_request>(heard[0]));
  CHECK(std::holds_alternative<flush>(heard[1]));
  CHECK(s.flush_way() == std::vector<std::string_view>{"router", "raft"});
}

TEST_CASE("network: within one process messages leave as they are, and nobody is greeted") {
  struct neighbours : direct_edge {
    void send(replica_id to, peer_message m) override { said.emplace_back(to, std::move(m)); }
    void answer(client_reply r) override { answers.push_back(std::move(r)); }
    std::vector<std::pair<replica_id, peer_message>> said;
    std::vector<client_reply> answers;
  } direct;
  stage s;
  recording_edge text;
  const auto& actor = s.put<network>(&rooms::network, wire::codec(wire::directory("0000", {"0001"}), {}),
                                     &text, &direct, s.host());
  const client_ok ok{{"00F1", "m"}, "v"};
  s.tell(s.rooms().network, start{},
         outbound{{{other, timeout_now{{7}}}, {nobody, timeout_now{{8}}}, {replica_id{5}, timeout_now{{9}}}}},
         client_answer{ok});
  REQUIRE(direct.said.size() == 2); // there is no way to 0005, as ever
  CHECK(direct.said[0].first == other);
  CHECK(std::get<timeout_now>(direct.said[0].second).term == term_number{7});
  CHECK(direct.said[1].first == nobody);
  CHECK(direct.answers == std::vector<client_reply>{ok});
  CHECK(text.sent.empty());
  CHECK(actor.counters().sent == 3);
  CHECK(actor.counters().without_address == 1);
}
