#include "trace/read.hpp"
#include "trace/recorder.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace troupe;

namespace {

std::string head(const std::string& replica = "") {
  return format(trace::header{"0.1.0", "real", "", 7, "troupe-replica 1 0000", replica, 2});
}

std::string message(int id, int cause, const std::string& who, const std::string& from, const std::string& to,
                    const std::string& type, int at, const std::string& content = "{}") {
  return fmt::format(
      R"({{"event":"message","id":{},{}"lamport":1,"replica":"{}","from":"{}","to":"{}","sent":{},"begin":{},"depth":0,"type":"{}","content":{},"end":{}}})"
      "\n",
      id, cause == 0 ? "" : fmt::format("\"cause\":{},", cause), who, from, to, at, at, type, content, at);
}

constexpr auto end_line = "{\"event\":\"end\",\"id\":99,\"at\":9,\"text\":\"\"}\n";

} // namespace

TEST_CASE("reader: gives back what was recorded") {
  const auto t =
      trace::read(head() + message(1, 0, "0000", "edge", "network", "datagram", 5) +
                  message(2, 1, "0000", "network", "raft", "received", 6, R"({"from":"0001"})") + end_line);
  CHECK(t.damage == "");
  CHECK(t.complete);
  CHECK(t.seed == 7);
  CHECK(t.command == "troupe-replica 1 0000");
  REQUIRE(t.records.size() == 3);
  CHECK(t.records[1].cause == 1);
  CHECK(t.records[1].to == "raft");
  CHECK(trace::parse(t.records[1].content)["from"].text == "0001");
}

TEST_CASE("reader: a trace that is cut anywhere is read up to there, with a clear word") {
  const auto whole = head() + message(1, 0, "0000", "edge", "network", "datagram", 5) +
                     message(2, 1, "0000", "network", "raft", "received", 6) + end_line;
  const auto first_line = head().size();
  for (std::size_t length = first_line; length < whole.size(); ++length) {
    const auto t = trace::read(whole.substr(0, length));
    CAPTURE(length);
    const auto text = whole.substr(0, length);
    const bool at_end_of_line = text.back() == '\n';
    CHECK((t.damage == "") == at_end_of_line);
    CHECK_FALSE(t.complete);
    CHECK(t.records.size() == static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 1);
  }
}

TEST_CASE("reader: damage in the middle ends the reading, and says where") {
  for (const std::string bad :
       {"{\"event\":\"message\"}", "[]", "nonsense", "{\"id\":3}", "{\"event\":\"x\",\"at\":\"y\"}",
        "{\"event\":\"x\",\"at\":1,\"id\":-4}", "\x01\xFF"}) {
    CAPTURE(bad);
    const auto t =
        trace::read(head() + message(1, 0, "0000", "edge", "network", "datagram", 5) + bad + "\n" + end_line);
    CHECK(t.records.size() == 1);
    CHECK(t.damage.starts_with("line 3 "));
  }
}

TEST_CASE("reader: what nests as no record does, or is not UTF-8, is damage") {
  const auto line = [](const std::string& content) {
    return message(1, 0, "0000", "edge", "network", "datagram", 5, content);
  };
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  CHECK(trace::read(head() + line(nested(99))).damage == "");
  CHECK(trace::read(head() + line("{\"a\":\"\\\"" + nested(5000) + "\"}")).damage == ""); // that is a text
  for (const std::size_t n : {100U, 1'000'000U}) // and the braces of the line
    CHECK(trace::read(head() + line(nested(n))).damage ==
          "line 2 nests deeper than any record: read up to there");
  const auto damage = trace::read(head() + line("\"\xFF\"")).damage;
  CHECK_MESSAGE(damage.starts_with("line 2 is not JSON: Invalid encoding in string"), damage);
}

TEST_CASE("reader: times whose differences are no numbers are damage") {
  for (const std::string at : {"9223372036854775807", "-9223372036854775808"}) {
    const auto r = trace::read("{\"event\":\"header\",\"format\":1}\n{\"event\":\"end\",\"at\":" + at +
                               ",\"text\":\"\"}\n");
    CHECK(r.damage == "line 2 at is beyond a century: read up to there");
    CHECK(r.records.empty());
  }
}

TEST_CASE("reader: what is no trace is refused in one line") {
  for (const std::string bad : {"", "hello\n", "{}\n", "{\"event\":\"header\"}\n", "{\"op\":\"put\"}\n"})
    CHECK_THROWS_AS(trace::read(bad), trace::read_error);
  CHECK_THROWS_WITH(trace::read("{\"event\":\"header\",\"format\":2}\n"),
                    "is a trace of format 2; this program reads format 1");
}

TEST_CASE("story: what one process sends and another receives becomes one chain") {
  const std::string append = R"({"type":"append_request","term":1,"sequence":4,"entries":[]})";
  std::vector<trace::recording> files;
  files.push_back(trace::read(head("0000") +
                                  message(1, 0, "0000", "raft", "network", "outbound", 100'000,
                                          R"({"messages":[{"to":"0001","message":)" + append + "}]}") +
                                  message(2, 0, "0000", "raft", "network", "outbound", 900'000,
                                          R"({"messages":[{"to":"0001","message":)" + append + "}]}"),
                              "a"));
  files.push_back(trace::read(head("0001") + message(1, 0, "0001", "edge", "network", "datagram", 200'000) +
                                  message(2, 1, "0001", "network", "raft", "received", 210'000,
                                          R"({"from":"0000","message":)" + append + "}"),
                              "b"));
  const trace::story s(std::move(files));
  REQUIRE(s.records().size() == 4);
  CHECK(s.records()[0].type == "outbound");
  CHECK(s.records()[1].type == "datagram");
  CHECK(s.cause_of(s.records()[1]) == &s.records()[0]);
  CHECK(s.path_to(s.records()[2]).size() == 3);
  CHECK(s.effects_of(s.records()[0]).size() == 1);
  CHECK(s.effects_of(s.records()[3]).empty()); // the second time it was lost
}

TEST_CASE("story: a circle of causes has an end") {
  std::vector<trace::recording> files;
  files.push_back(trace::read(head() + message(1, 2, "0000", "raft", "raft", "flush", 5) +
                              message(2, 1, "0000", "raft", "raft", "flush", 6)));
  const trace::story s(std::move(files));
  CHECK(s.path_to(s.records()[0]).size() <= 3);
}

TEST_CASE("reader: files of another cluster or of an earlier run are told, and whose are missing") {
  const auto file = [](const std::string& name, const std::string& replica, std::uint64_t replicas,
                       instant began) {
    trace::header h{"0.1.0", "real", "", 7, "troupe-replica", replica, replicas, began};
    for (std::uint16_t id = 0; !replica.empty() && id < replicas; ++id)
      h.members.push_back({id});
    return trace::read(format(h), name);
  };
  const auto at = [](std::int64_t ns) { return instant{duration(ns)}; };
  const auto simulator = file("t", "", 3, at(100));
  const auto first = file("t.0000", "0000", 3, at(110));
  const auto third = file("t.0002", "0002", 3, at(112));
  CHECK(trace::why_not_one_run({simulator, first, third}).empty());
  CHECK(trace::why_not_one_run({first, third}).empty());
  CHECK(trace::missing_members({simulator, first, third}) == "0001");
  CHECK(trace::missing_members({third}) == "0000, 0001");
  CHECK(trace::missing_members({simulator}).empty());
  CHECK(trace::why_not_one_run({simulator, first, file("t.0003", "0003", 5, at(150))}) ==
        "t.0003: is of another run than t.0000: its cluster is 0000 0001 0002 0003 0004, not 0000 0001 0002");
  CHECK(trace::why_not_one_run({simulator, first, file("t.0001", "0001", 3, at(50))}) ==
        "t.0001: is of another run than t, which began later");
  CHECK(trace::why_not_one_run({simulator, file("t.0003", "0003", 5, at(150))}) ==
        "t.0003: is of another run than t: its cluster is 0000 0001 0002 0003 0004, not 3 replicas");
}
