// troupe-check as a user calls it: what it prints, and how it ends.

#include "test/process/sim_support.hpp"

#include <array>
#include <doctest/doctest.h>
#include <unistd.h>

using troupe::test::call;
using troupe::test::called;
using troupe::test::contents;
using troupe::test::scratch_folder;

namespace {

/// Calls troupe-check in the folder, with that as its standard input.
called check(const scratch_folder& folder, std::vector<std::string> arguments, const std::string& in = "") {
  folder.write("in", in);
  arguments.insert(arguments.begin(), TROUPE_CHECK);
  return call(folder, arguments, {.in = "in"});
}

constexpr const char* good_history = R"({"op":"put","key":"k","value":"a","call":1,"done":2,"end":"ok"}
{"op":"get","key":"k","call":3,"done":4,"end":"ok","result":"a"}
)";

constexpr const char* bad_history = R"({:process 0, :type :invoke, :f :get, :key "k"}
{:process 0, :type :ok, :f :get, :key "k", :value "a"}
)";

/// A cas between any two of five values, twice, all at the same time: no end of orders, none of which fits.
std::string hard_history() {
  std::ostringstream text;
  text << R"({"op":"put","key":"k","value":"0","call":1,"done":2,"end":"ok"})"
       << "\n";
  for (int i = 0; i < 50; ++i)
    if (i / 5 % 5 != i % 5)
      text << R"({"op":"cas","key":"k","expected":")" << i / 5 % 5 << R"(","value":")" << i % 5
           << R"(","call":)" << 3 + i << R"(,"done":)" << 100 + i << R"(,"end":"ok"})"
           << "\n";
  text << R"({"op":"get","key":"k","call":200,"done":201,"end":"ok","result":"1"})"
       << "\n";
  return text.str();
}

} // namespace

TEST_SUITE_BEGIN("troupe-check history");

TEST_CASE("a linearizable history ends with 0, one that is not with 1, one that is unknown with 2") {
  const scratch_folder folder;
  folder.write("good", good_history);
  folder.write("bad", bad_history);
  folder.write("hard", hard_history());
  const auto good = check(folder, {"history", "good"});
  CHECK(good.status == 0);
  CHECK(good.out == "good: linearizable\n");
  CHECK(good.err.empty());
  const auto bad = check(folder, {"history", "bad"});
  CHECK(bad.status == 1);
  CHECK(bad.out.find(
            "bad: not linearizable\n  key \"k\": the get of client 0 (line 1) cannot have read \"a\": ") ==
        0);
  CHECK(bad.out.find("(lines 1 to 2)") != std::string::npos);
  CHECK(bad.err.empty());
  const auto hard = check(folder, {"history", "--memory", "1", "hard"});
  CHECK(hard.status == 2);
  CHECK(hard.out ==
        "hard: unknown\n  key \"k\": the memory is used up; --time-limit and --memory give it more\n");
  const auto slow = check(folder, {"history", "--time-limit", "0.001", "hard"});
  CHECK(slow.status == 2);
  CHECK(slow.out == "hard: unknown\n  key \"k\": the time is over; --time-limit and --memory give it more\n");
}

TEST_CASE("of several files each has a line, and the worst decides how it ends") {
  const scratch_folder folder;
  folder.write("good", good_history);
  folder.write("bad", bad_history);
  folder.write("hard", hard_history());
  const auto two = check(folder, {"history", "bad", "good"});
  CHECK(two.status == 1);
  CHECK(two.out.find("bad: not linearizable\n") == 0);
  CHECK(two.out.find("\ngood: linearizable\n") != std::string::npos);
  CHECK(check(folder, {"history", "--memory", "1", "hard", "bad", "good"}).status == 2);
  const auto unreadable = check(folder, {"history", "none", "good", "bad"});
  CHECK(unreadable.status == 3);
  CHECK(unreadable.err == "troupe-check: none: No such file or directory\n");
  CHECK(unreadable.out.find("good: linearizable\nbad: not linearizable\n") == 0);
}

TEST_CASE("what cannot be read ends with 3 and one line that says where and why") {
  const scratch_folder folder;
  const auto complaint = [&](const std::string& text) {
    folder.write("file", text);
    const auto result = check(folder, {"history", "file"});
    CHECK(result.status == 3);
    CHECK(result.out.empty());
    return result.err;
  };
  CHECK(complaint("") == "troupe-check: file:1: there is nothing in it\n");
  CHECK(complaint("hello\n") == "troupe-check: file:1: begins like no history: \"hello\"\n");
  CHECK(complaint("{\"event\":\"header\",\"format\":1}\n").starts_with("troupe-check: file: is a trace: "));
  CHECK(complaint(std::string("\x7F"
                              "ELF\x02\x01\0\xFF",
                              8)) == "troupe-check: file:1: is not UTF-8 text\n");
  CHECK(complaint(std::string(good_history) + "{}\n") == "troupe-check: file:3: op is missing\n");
  CHECK(check(folder, {"history", "."}).err == "troupe-check: .: Is a directory\n");
  CHECK(check(folder, {"history", "."}).status == 3);
}

TEST_CASE("a wrong call ends with 3 and one line that says why") {
  const scratch_folder folder;
  folder.write("good", good_history);
  const auto complaint = [&](const std::vector<std::string>& arguments) {
    const auto result = check(folder, arguments);
    CHECK(result.status == 3);
    CHECK(result.out.empty());
    CHECK(result.err.find("troupe-check: ") == 0);
    CHECK(result.err.find('\n') == result.err.size() - 1);
    return result.err;
  };
  CHECK(complaint({}) == "troupe-check: a subcommand is missing: history, trace, log\n");
  CHECK(complaint({"historie"}) == "troupe-check: \"historie\" is no subcommand: history, trace, log\n");
  complaint({"history"});
  complaint({"history", "--format", "xml", "good"});
  complaint({"history", "--memory", "0", "good"});
  for (const char* seconds : {"0", "-1", "nan", "inf", "1e9", "x", ""})
    complaint({"history", "--time-limit", seconds, "good"});
  CHECK(complaint({"history", "--json", "no/such/folder", "good"}) ==
        "troupe-check: no/such/folder: No such file or directory\n");
}

TEST_CASE("a format that is named is not recognised but expected") {
  const scratch_folder folder;
  folder.write("good", good_history);
  CHECK(check(folder, {"history", "--format", "troupe", "good"}).status == 0);
  CHECK(check(folder, {"history", "--format", "jepsen", "good"}).status == 3);
  CHECK(check(folder, {"history", "--format", "edn", "good"}).status == 3);
}

TEST_CASE("a history can come through the standard input") {
  const scratch_folder folder;
  const auto result = check(folder, {"history", "-"}, good_history);
  CHECK(result.status == 0);
  CHECK(result.out == "-: linearizable\n");
}

TEST_CASE("a report tells a program what the text tells people") {
  const scratch_folder folder;
  folder.write("good", good_history);
  folder.write("bad", bad_history);
  CHECK(check(folder, {"history", "--json", "report", "good", "bad", "none"}).status == 3);
  rapidjson::Document report;
  report.Parse(contents(folder.path("report")));
  REQUIRE(report.IsObject());
  const auto& files = report["files"];
  REQUIRE(files.Size() == 3);
  CHECK(files[0]["verdict"].GetString() == std::string("linearizable"));
  CHECK(files[0]["format"].GetString() == std::string("troupe"));
  CHECK(files[0]["operations"].GetInt() == 2);
  CHECK(!files[0].HasMember("explanation"));
  CHECK(files[1]["file"].GetString() == std::string("bad"));
  CHECK(files[1]["verdict"].GetString() == std::string("not linearizable"));
  const auto& explanation = files[1]["explanation"];
  CHECK(explanation["key"].GetString() == std::string("k"));
  CHECK(explanation["culprit"].GetInt() == 0);
  CHECK(explanation["stretch"][0]["op"].GetString() == std::string("get"));
  CHECK(explanation["stretch"][0]["result"].GetString() == std::string("a"));
  CHECK(explanation["stretch"][0]["line"].GetInt() == 1);
  CHECK(explanation["would_fit"][0].GetString() == std::string(""));
  CHECK(files[2]["error"].GetString() == std::string("No such file or directory"));
  const auto on_output = check(folder, {"history", "--json", "-", "good"});
  CHECK(on_output.status == 0);
  CHECK(on_output.out.find("{\n  \"files\": [") == 0);
}

TEST_SUITE_END();
