#include "test/protocol/codec_support.hpp"

using namespace troupe;
using namespace troupe::test;

TEST_SUITE_BEGIN("codec: strangers and noise");

TEST_CASE("replicas do not ask as clients, and clients do not speak as replicas") {
  CHECK(problem_of(from_peer_json("get", R"("MID":"1","key":"k")")) == decode_problem::foreign_sender);
  CHECK(problem_of(from_client_json("timeout_now", R"("term":9)")) == decode_problem::foreign_sender);
  CHECK(problem_of(from_client_json("hello", R"("MID":"1")")) == decode_problem::foreign_sender);
}

TEST_CASE("a replica does not listen to itself") {
  CHECK(problem_of(R"({"src":"0000","dst":"FFFF","leader":"0000","type":"timeout_now","term":9})") ==
        decode_problem::foreign_sender);
}

TEST_CASE("what is meant for somebody else is dropped") {
  CHECK(problem_of(R"({"src":"00F1","dst":"0001","type":"get","MID":"1","key":"k"})") ==
        decode_problem::not_for_us);
}

TEST_CASE("types that no replica receives are unknown") {
  CHECK(problem_of(from_client_json("ok", R"("MID":"1")")) == decode_problem::unknown_type);
  CHECK(problem_of(from_client_json("increment", R"("MID":"1")")) == decode_problem::unknown_type);
  CHECK(problem_of(from_peer_json("ok", R"("MID":"1")")) == decode_problem::unknown_type);
  CHECK(problem_of(from_peer_json("request_id", R"("client":"1")")) == decode_problem::unknown_type);
}

TEST_CASE("what is no object is dropped") {
  CHECK(problem_of("") == decode_problem::malformed);
  CHECK(problem_of("{") == decode_problem::malformed);
  CHECK(problem_of("{}{}") == decode_problem::malformed);
  CHECK(problem_of("[]") == decode_problem::not_an_object);
  CHECK(problem_of("7") == decode_problem::not_an_object);
  CHECK(problem_of("{}") == decode_problem::missing_field);
  CHECK(problem_of(std::string_view("{}\0{}", 5)) == decode_problem::malformed);
}

TEST_CASE("what is no UTF-8 is dropped, written out or escaped") {
  CHECK(problem_of(from_client_json("get", "\"MID\":\"1\",\"key\":\"\xFF\"")) == decode_problem::not_utf8);
  CHECK(problem_of(from_client_json("get", "\"MID\":\"1\",\"key\":\"\xC0\xAF\"")) ==
        decode_problem::not_utf8);
  CHECK(problem_of(from_client_json("get", R"("MID":"1","key":"\ud800")")) == decode_problem::not_utf8);
  CHECK(problem_of(from_client_json("get", R"("MID":"1","key":"\udc00")")) == decode_problem::not_utf8);
  CHECK(problem_of(from_client_json("get", R"("MID":"1","key":"k","\udc00":1)")) == decode_problem::not_utf8);
}

TEST_CASE("nesting is bounded, however deep it is meant to go") {
  const auto nested = [](std::size_t depth) {
    return from_client_json("get", fmt::format(R"("MID":"1","key":"k","x":{}{})", std::string(depth, '['),
                                               std::string(depth, ']')));
  };
  decode_as<client_request>(nested(max_depth - 1));
  CHECK(problem_of(nested(max_depth)) == decode_problem::too_deep);
  CHECK(problem_of(std::string(65'000, '[')) == decode_problem::too_deep);
  std::string objects;
  for (int i = 0; i < 10'000; ++i) {
    objects += R"({"a":)";
  }
  CHECK(problem_of(objects) == decode_problem::too_deep);
}

TEST_CASE("a codec that saw noise understands what follows") {
  codec c = make_codec();
  CHECK(std::holds_alternative<decode_error>(c.decode(R"({"src":[1,{"a":"b)")));
  CHECK(std::holds_alternative<decode_error>(c.decode("[[[[[[[[[[[[[[[[[[")));
  CHECK(std::holds_alternative<client_request>(c.decode(from_client_json("get", R"("MID":"1","key":"k")"))));
}

TEST_CASE("an error is one printable line, whatever was sent") {
  const auto error = decode_as<decode_error>(
      fmt::format(R"({{"src":"\n\u001b[2J{}","dst":"0000","type":"\u0085\n"}})", std::string(9'000, 'x')));
  CHECK(error.text.size() < 300);
  for (const char c : error.text) {
    CHECK((c >= ' ' && c <= '~'));
  }
}

TEST_SUITE_END();
