#include "protocol/wire/simulator_codec.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::wire;

static std::string problem(std::string_view datagram) {
  std::string error;
  CHECK_FALSE(parse_envelope(datagram, error));
  return error;
}

TEST_CASE("the envelope of an answer is read, and what else is in it is skipped") {
  std::string error;
  const auto m =
      parse_envelope(R"({"x":{"src":"0009","a":[{"MID":"inner"}]},"src":"0001","dst":"C003","leader":"00A2",
                                    "type":"ok","MID":"m","value":"v\n","more":[1,[2,null]]})",
                     error);
  REQUIRE(m);
  CHECK(m->src == replica_id{1});
  CHECK(m->dst == replica_id{0xC003});
  CHECK(m->leader == replica_id{0xA2});
  CHECK(m->kind == message_kind::ok);
  CHECK(m->type == "ok");
  CHECK(m->mid == "m");
  CHECK(m->value == "v\n");
}

TEST_CASE("each type that concerns the simulator is told from the replicas' own") {
  const auto kind = [](const std::string& type) {
    std::string error;
    return parse_envelope(R"({"src":"0001","dst":"FFFF","leader":"FFFF","type":")" + type + "\"}", error)
        ->kind;
  };
  CHECK(kind("hello") == message_kind::hello);
  CHECK(kind("ok") == message_kind::ok);
  CHECK(kind("redirect") == message_kind::redirect);
  CHECK(kind("fail") == message_kind::fail);
  CHECK(kind("append") == message_kind::other);
}

TEST_CASE("a value or MID that is no string counts as missing") {
  std::string error;
  const auto m = parse_envelope(
      R"({"src":"0001","dst":"C003","leader":"FFFF","type":"ok","MID":7,"value":null})", error);
  REQUIRE(m);
  CHECK_FALSE(m->mid);
  CHECK_FALSE(m->value);
  const auto twice = parse_envelope(
      R"({"src":"0001","dst":"C003","leader":"FFFF","type":"ok","value":"v","value":["v"]})", error);
  REQUIRE(twice);
  CHECK_FALSE(twice->value);
}

TEST_CASE("what is no message is refused with a reason") {
  CHECK(problem("").find("not JSON") == 0);
  CHECK(problem("{\"src\":").find("not JSON") == 0);
  CHECK(problem("{} {}").find("not JSON") == 0);
  CHECK(problem(std::string(60000, '[')).find("not JSON") == 0);
  CHECK(problem("[]") == "not a JSON object");
  CHECK(problem("{}") == "src is missing");
  CHECK(problem(R"({"src":"1","dst":"FFFF","leader":"FFFF","type":"x"})") ==
        "src is not four hexadecimal digits");
  CHECK(problem(R"({"src":"00a1","dst":"FFFF","leader":"FFFF","type":"x"})") ==
        "src is not four hexadecimal digits");
  CHECK(problem(R"({"src":"0001","leader":"FFFF","type":"x"})") == "dst is missing");
  CHECK(problem(R"({"src":"0001","dst":"FFFF","type":"x"})") == "leader is missing");
  CHECK(problem(R"({"src":"0001","dst":"FFFF","leader":"FFFF","type":3})") ==
        "type is missing or not a string");
}

TEST_CASE("requests are written as a replica reads them") {
  const request_header header{{0xC001}, {2}, nobody, "mid"};
  CHECK(write_request(header, kv::get{"k"}) ==
        R"({"src":"C001","dst":"0002","leader":"FFFF","type":"get","MID":"mid","key":"k"})");
  CHECK(write_request(header, kv::put{"k", "\"v\""}) ==
        R"({"src":"C001","dst":"0002","leader":"FFFF","type":"put","MID":"mid","key":"k","value":"\"v\""})");
  CHECK(
      write_request(header, kv::cas{"k", "a", "b"}) ==
      R"({"src":"C001","dst":"0002","leader":"FFFF","type":"cas","MID":"mid","key":"k","expected":"a","value":"b"})");
}

TEST_CASE("an answer tells whether a write was applied") {
  std::string error;
  const auto applied = [&](const std::string& more) {
    return parse_envelope(R"({"src":"0001","dst":"C001","leader":"0001","type":"ok","MID":"m")" + more + "}",
                          error)
        ->applied;
  };
  CHECK(applied(""));
  CHECK(applied(R"(,"applied":true)"));
  CHECK_FALSE(applied(R"(,"applied":false,"value":"x")"));
  CHECK(applied(R"(,"x":{"applied":false})"));
  CHECK(applied(R"(,"applied":"false")"));
}
