#include "test/protocol/codec_support.hpp"

using namespace troupe;
using namespace troupe::test;

TEST_SUITE_BEGIN("codec: clients");

TEST_CASE("a get and a put of the simulator are understood") {
  CHECK(decode_as<client_request>(R"({"src": "00F1", "dst": "0000", "leader": "FFFF", "type": "get",
                                      "MID": "ABC", "key": "k"})") ==
        client_request{{"00F1", "ABC"}, kv::get{"k"}});
  CHECK(decode_as<client_request>(from_client_json("put", R"("MID":"1","key":"k","value":"v")")) ==
        client_request{{"00F1", "1"}, kv::put{"k", "v"}});
}

TEST_CASE("append, cas and delete are understood") {
  CHECK(decode_as<client_request>(from_client_json("append", R"("MID":"1","key":"k","value":"v")")) ==
        client_request{{"00F1", "1"}, kv::append{"k", "v"}});
  CHECK(decode_as<client_request>(
            from_client_json("cas", R"("MID":"1","key":"k","expected":"","value":"v")")) ==
        client_request{{"00F1", "1"}, kv::cas{"k", "", "v"}});
  CHECK(decode_as<client_request>(from_client_json("delete", R"("MID":"1","key":"k")")) ==
        client_request{{"00F1", "1"}, kv::erase{"k"}});
}

TEST_CASE("a request ends with a newline where the transport needs one") {
  decode_as<client_request>(from_client_json("get", R"("MID":"1","key":"k")") + "\n");
}

TEST_CASE("unknown fields are ignored, and of equal keys the first counts") {
  const auto json = from_client_json("get", R"("MID":"1","extra":[{"a":1.5e3}],"key":"first","key":7)");
  CHECK(decode_as<client_request>(json) == client_request{{"00F1", "1"}, kv::get{"first"}});
}

TEST_CASE("keys and values may hold any character, NUL included") {
  const auto r = decode_as<client_request>(
      from_client_json("put", R"("MID":"1","key":"a\u0000b","value":"\u0001\"\\\n\ud83c\udfad é")"));
  CHECK(r == client_request{{"00F1", "1"}, kv::put{std::string("a\0b", 3), "\x01\"\\\n\U0001F3AD é"}});
}

TEST_CASE("a request without a usable key or value can be answered but not served") {
  CHECK(decode_as<unservable>(from_client_json("get", R"("MID":"1")")).reason == R"("key" is missing)");
  CHECK(decode_as<unservable>(from_client_json("put", R"("MID":"1","key":"k")")).reason ==
        R"("value" is missing)");
  const auto u = decode_as<unservable>(from_client_json("put", R"("MID":"1","key":"k","value":null)"));
  CHECK(u.reason == R"("value" is no string)");
  CHECK(u.id == kv::request_id{"00F1", "1"});
}

TEST_CASE("a request that nobody could answer is dropped") {
  CHECK(problem_of(from_client_json("get", R"("key":"k")")) == decode_problem::missing_field);
  CHECK(problem_of(from_client_json("get", R"("MID":7,"key":"k")")) == decode_problem::wrong_type);
  CHECK(problem_of(R"({"src":"FFFF","dst":"0000","type":"get","MID":"1","key":"k"})") ==
        decode_problem::foreign_sender);
  CHECK(problem_of(R"({"src":"","dst":"0000","type":"get","MID":"1","key":"k"})") ==
        decode_problem::foreign_sender);
  CHECK(problem_of(from_client_json("get", fmt::format(R"("MID":"{:0513}","key":"k")", 1))) ==
        decode_problem::out_of_range);
}

TEST_CASE("a value that could not be replicated or read again is refused") {
  codec small = make_codec(2'000);
  const auto put = [&](std::size_t size) {
    return small.decode(
        from_client_json("put", fmt::format(R"("MID":"1","key":"k","value":"{:0{}}")", 0, size)));
  };
  constexpr std::size_t longest = 2'000 - reply_overhead_bytes - max_request_id_bytes - 2; // the quotes
  CHECK(std::holds_alternative<client_request>(put(longest)));
  CHECK(std::holds_alternative<unservable>(put(longest + 1)));
}

TEST_CASE("a key that could not be replicated is refused, but may be read") {
  codec small = make_codec(2'000);
  const auto with_long_key = [&](std::string_view type) {
    return small.decode(from_client_json(type, fmt::format(R"("MID":"1","key":"{:02000}")", 0)));
  };
  CHECK(std::holds_alternative<unservable>(with_long_key("delete")));
  CHECK(std::holds_alternative<client_request>(with_long_key("get")));
}

TEST_CASE("a quote counts twice when a value is measured, since it is escaped") {
  codec small = make_codec(2'000);
  std::string quotes;
  for (int i = 0; i < 800; ++i) {
    quotes += "\\\"";
  }
  const auto json = from_client_json("put", fmt::format(R"("MID":"1","key":"k","value":"{}")", quotes));
  CHECK(std::holds_alternative<unservable>(small.decode(json)));
}

TEST_CASE("an ok says what was read, and nothing for a put") {
  CHECK(answer(client_ok{{"00f1", "7"}, "v", true}) ==
        R"({"src":"0000","dst":"00f1","leader":"0001","type":"ok","MID":"7","value":"v"})");
  CHECK(answer(client_ok{{"00f1", "7"}, "", true}) ==
        R"({"src":"0000","dst":"00f1","leader":"0001","type":"ok","MID":"7","value":""})");
  CHECK(answer(client_ok{{"00f1", "7"}, std::nullopt, true}) ==
        R"({"src":"0000","dst":"00f1","leader":"0001","type":"ok","MID":"7"})");
}

TEST_CASE("a cas that was not applied is told what was there") {
  CHECK(answer(client_ok{{"00f1", "7"}, "v", false}) ==
        R"({"src":"0000","dst":"00f1","leader":"0001","type":"ok","MID":"7","applied":false,"value":"v"})");
}

TEST_CASE("a redirect names its own leader, whatever the sender believes") {
  CHECK(answer(client_redirect{{"00f1", "7"}, replica_id{0xA2}}) ==
        R"({"src":"0000","dst":"00f1","leader":"00a2","type":"redirect","MID":"7"})");
}

TEST_CASE("a fail gives its reason") {
  CHECK(answer(client_fail{{"00f1", "7"}, "full"}) ==
        R"({"src":"0000","dst":"00f1","leader":"0001","type":"fail","MID":"7","reason":"full"})");
}

TEST_CASE("an answer that the transport cannot carry becomes one that it can") {
  const std::string long_value(5'000, 'v');
  CHECK(answer(client_ok{{"00f1", "7"}, long_value, true}, 1'000) ==
        R"({"src":"0000","dst":"00f1","leader":"0001","type":"fail","MID":"7",)"
        R"("reason":"the value is longer than the transport carries"})");
  CHECK(answer(client_ok{{"00f1", "7"}, long_value, false}, 1'000) ==
        R"({"src":"0000","dst":"00f1","leader":"0001","type":"ok","MID":"7","applied":false})");
  CHECK(answer(client_fail{{"00f1", "7"}, long_value}, 1'000) ==
        R"({"src":"0000","dst":"00f1","leader":"0001","type":"fail","MID":"7"})");
}

TEST_SUITE_END();
