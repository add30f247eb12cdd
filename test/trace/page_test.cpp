#include "cluster/page/pack.hpp"
#include "cluster/page/page.hpp"
#include "trace/recorder.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <map>
#include <rapidjson/document.h>
#include <sstream>
#include <zlib.h>

using namespace troupe;

namespace {

using numbers = std::vector<std::int64_t>;

std::string from_base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned known = 0;
  for (const char c : text) {
    if (c == '=')
      break;
    REQUIRE(digits.find(c) != digits.npos);
    bits = bits << 6U | static_cast<std::uint32_t>(digits.find(c));
    known += 6;
    if (known < 8)
      continue;
    known -= 8;
    bytes.push_back(static_cast<char>(bits >> known & 0xffU));
  }
  return bytes;
}

std::string inflated(std::string_view bytes) {
  std::string out(std::size_t{1} << 20U, '\0');
  auto size = static_cast<uLongf>(out.size());
  REQUIRE(uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                     reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) == Z_OK);
  out.resize(size);
  return out;
}

/// As page/src/model/pack.ts does it.
numbers unpacked(std::string_view& bytes, std::size_t count) {
  numbers all;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t n = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      n |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80)
        break;
    }
    value += n >> 1U ^ (~(n & 1U) + 1);
    all.push_back(static_cast<std::int64_t>(value));
  }
  return all;
}

/// What a browser finds in a page.
struct opened {
  explicit opened(const std::string& html) : page(html) {
    const auto bytes = script("trace");
    std::string_view rest(bytes);
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i)
      size |= static_cast<std::size_t>(static_cast<unsigned char>(rest[i])) << (8 * i);
    head.Parse(rest.data() + 4, size);
    REQUIRE_FALSE(head.HasParseError());
    rest.remove_prefix(4 + size);
    for (const auto& c : head["columns"].GetArray())
      columns[c["name"].GetString()] = unpacked(rest, c["count"].GetUint64());
    CHECK(rest.empty());
  }

  std::string script(const std::string& id) const {
    const auto mark = fmt::format("id=\"{}\">", id);
    const auto begin = page.find(mark) + mark.size();
    REQUIRE(begin >= mark.size());
    return inflated(from_base64(std::string_view(page).substr(begin, page.find('<', begin) - begin)));
  }
  std::string text(std::int64_t number) const {
    return head["strings"][static_cast<rapidjson::SizeType>(number)].GetString();
  }
  std::vector<std::string> texts(const std::string& column) const {
    std::vector<std::string> all;
    for (const auto n : columns.at(column))
      all.push_back(text(n));
    return all;
  }

  std::string page;
  rapidjson::Document head;
  std::map<std::string, numbers> columns;
};

std::string line(int id, int cause, const std::string& who, const std::string& from, const std::string& to,
                 const std::string& type, const std::string& content, const std::string& raft = "") {
  const auto at = 1'000'000'000 + id * 1000;
  return fmt::format(
      R"({{"event":"message","id":{},"cause":{},"lamport":{},"replica":"{}","from":"{}","to":"{}","sent":{},"begin":{},"depth":0,"type":"{}","content":{}{},"end":{}}})"
      "\n",
      id, cause, id, who, from, to, at - 10, at, type, content,
      raft.empty() ? "" : fmt::format(",\"raft\":{}", raft), at + 5);
}

std::string request(const std::string& mid, const std::string& operation) {
  return fmt::format(R"({{"id":{{"client":"C000","MID":"{}"}},"operation":{}}})", mid, operation);
}

std::string answer(const std::string& mid, const std::string& type, const std::string& more) {
  return fmt::format(R"({{"reply":{{"type":"{}","id":{{"client":"C000","MID":"{}"}}{}}}}})", type, mid, more);
}

/// Two replicas: one leads and stores an entry, the other redirects a client that reads it then.
std::string lines(const std::string& read) {
  const std::string put = R"({"type":"put","key":"k","value":"v"})";
  const std::string entry =
      R"({"term":2,"index":1,"payload":{"type":"command","id":{"client":"C000","MID":"A"},"operation":{"type":"put","key":"k","value":"v"}}})";
  const std::string get = R"({"type":"get","key":"k"})";
  return line(
             1, 0, "0001", "outside", "raft", "start", "{}",
             R"({"role":"leader","term":2,"voted_for":"0001","leader":"0001","last_index":0,"last_term":0,"commit":0,"lease_until":1500000000})") +
         line(2, 0, "0001", "network", "router", "client_request", request("A", put)) +
         line(3, 2, "0001", "raft", "log_store", "write",
              fmt::format(R"({{"number":1,"what":{{"entries":[{}]}}}})", entry)) +
         line(4, 3, "0001", "raft", "router", "committed", fmt::format(R"({{"entries":[{}]}})", entry),
              R"({"last_index":1,"commit":1})") +
         line(5, 4, "0001", "router", "network", "client_answer", answer("A", "client_ok", "")) +
         line(6, 0, "0002", "network", "router", "client_request", request("B", get)) +
         line(7, 6, "0002", "router", "network", "client_answer",
              answer("B", "client_redirect", R"(,"leader":"0001")")) +
         line(8, 0, "0001", "network", "router", "client_request", request("C", get)) +
         line(9, 8, "0001", "router", "network", "client_answer",
              answer("C", "client_ok", fmt::format(R"(,"value":"{}")", read))) +
         "{\"event\":\"fault\",\"id\":10,\"at\":1000020000,\"text\":\"</script><b>\"}\n";
}

const trace::header of_a_cluster{
    "0", "virtual", "small", UINT64_MAX, "troupe-sim small", "", 2, instant{std::chrono::seconds(1)}};

opened page_of(const std::string& text, const trace::header& header = of_a_cluster) {
  std::vector<trace::recording> files;
  files.push_back(trace::read(format(header) + text, "a.jsonl"));
  REQUIRE(files.back().damage == "");
  std::ostringstream html;
  page::write(trace::story(std::move(files)), html);
  return opened(html.str());
}

} // namespace

TEST_CASE("columns hold any number, however large or far from the one before") {
  const numbers all{0, 1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN, 5};
  page::column c("c", true);
  for (const auto n : all)
    c.add(n);
  std::string_view bytes(c.bytes());
  CHECK(unpacked(bytes, c.count()) == all);
  CHECK(bytes.empty());
}

TEST_CASE("base64 gives back texts of every length") {
  std::string text;
  for (char c = 0; c < 20; ++c) {
    CHECK(from_base64(page::base64(text)) == text);
    CHECK(page::base64(text).size() % 4 == 0);
    text.push_back(static_cast<char>(c * 37));
  }
}

TEST_CASE("a page has a row for each record, with its texts") {
  const auto p = page_of(lines("v"));
  CHECK(p.head["replicas"].Size() == 2);
  CHECK(p.columns.at("id") == numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(p.columns.at("begin").front() == 1000);
  CHECK(p.columns.at("queued").front() == 10);
  CHECK(p.columns.at("took").front() == 5);
  CHECK(p.columns.at("cause") == numbers{0, 0, 1, 1, 1, 0, 1, 0, 1, 0});
  CHECK(p.texts("inner")[1] == "put");
  CHECK(p.texts("inner")[6] == "client_redirect");
  CHECK(p.texts("note_text") == std::vector<std::string>{"</script><b>"});
  const auto texts = p.script("texts-0");
  CHECK(std::count(texts.begin(), texts.end(), '\n') == 10);
  CHECK(texts.substr(0, texts.find('\n')).starts_with("{}\t{\"role\":\"leader\""));
}

TEST_CASE("what a trace says cannot end the script that it stands in") {
  const auto with = page_of(lines("</script><b>")).page;
  const std::string without(page::viewer());
  CHECK(with.find("</script><b>") == without.find("</script><b>"));
}

TEST_CASE("seeds are texts: a browser's numbers are too short for them") {
  CHECK(page_of(lines("v")).head["files"][0]["seed"].GetString() == fmt::format("{}", UINT64_MAX));
}

TEST_CASE("states are whole, although a record has only what changed") {
  const auto p = page_of(lines("v"));
  CHECK(p.columns.at("state_row") == numbers{0, 3});
  CHECK(p.columns.at("state_term") == numbers{2, 2});
  CHECK(p.columns.at("state_commit") == numbers{0, 1});
  CHECK(p.columns.at("state_lease") == numbers{500'000'000, 500'000'000});
  CHECK(p.texts("state_role") == std::vector<std::string>{"leader", "leader"});
  CHECK(p.columns.at("log_index") == numbers{1});
  CHECK(p.columns.at("log_term") == numbers{2});
  CHECK(p.columns.at("applied_index") == numbers{1});
}

TEST_CASE("attempts of one request under several names are one operation") {
  const auto p = page_of(lines("v"));
  CHECK(p.texts("op_kind") == std::vector<std::string>{"put", "get"});
  CHECK(p.texts("name_mid") == std::vector<std::string>{"A", "B", "C"});
  CHECK(p.columns.at("name_operation") == numbers{0, 1, 1});
  CHECK(p.columns.at("op_point_row") == numbers{3, 7}); // committed; looked up
  CHECK(p.columns.at("op_index") == numbers{1, 0});
  CHECK(p.columns.at("op_wrong") == numbers{0, 0});
  CHECK(p.head["verdict"]["state"].GetString() == std::string("kept"));
}

TEST_CASE("an answer that cannot be is marked, and said") {
  const auto p = page_of(lines("w"));
  CHECK(p.columns.at("op_wrong") == numbers{0, 2});
  CHECK(p.head["verdict"]["state"].GetString() == std::string("broken"));
  CHECK(std::string(p.head["verdict"]["words"].GetString()).starts_with("not linearizable"));
}

TEST_CASE("answers are not judged by a part of what there is to know") {
  auto one_of_two = of_a_cluster;
  one_of_two.mode = "real";
  one_of_two.replica = "0001";
  one_of_two.members = {{1}, {2}};
  const auto given =
      line(12, 0, "0002", "raft", "router", "install_snapshot", R"({"snapshot":{"last_index":7}})");
  for (const auto& p : {page_of(lines("w"), one_of_two), page_of(lines("w") + given)}) {
    CHECK(p.columns.at("op_wrong") == numbers{0, 0});
    CHECK(p.head["verdict"]["state"].GetString() == std::string("kept"));
    CHECK(std::string(p.head["verdict"]["words"].GetString()).find("answers not judged") !=
          std::string::npos);
  }
}

TEST_CASE("a broken rule is said with the rows that show it") {
  const auto p =
      page_of(lines("v") + line(11, 0, "0002", "x", "raft", "wake", "{}", R"({"role":"leader","term":2})"));
  CHECK(std::string(p.head["verdict"]["words"].GetString()).starts_with("election safety"));
  const auto rows = p.head["verdict"]["rows"].GetArray();
  REQUIRE(rows.Size() == 2);
  CHECK(rows[0].GetInt() == 0);
  CHECK(rows[1].GetInt() == 10);
}
