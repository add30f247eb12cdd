#include "cluster/history/linearizable.hpp"
#include "cluster/history/read.hpp"
#include "cluster/history/write.hpp"
#include "test/cluster/history_support.hpp"
#include "test/support/generators.hpp"
#include "test/support/property.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sstream>

using namespace troupe;
using namespace troupe::test;
using history::format;
using history::read;

namespace {

/// "line: reason"
std::string complaint(const std::string& text, std::optional<format> as = std::nullopt) {
  try {
    read(text, as);
  } catch (const history::read_error& error) {
    return fmt::format("{}: {}", error.line, error.what());
  }
  return "";
}

bool complains(const std::string& text, const std::string& about) {
  const auto what = complaint(text);
  const bool does = what.find(about) != std::string::npos;
  CHECK_MESSAGE(does, what << " instead of " << about);
  return does;
}

std::string jepsen(const std::string& rest) { return fmt::format("INFO  jepsen.util - {}\n", rest); }

} // namespace

TEST_SUITE_BEGIN("histories: our own format");

TEST_CASE("an operation is a line of JSON") {
  const auto history =
      read(R"({"client":"c1","id":"17","op":"put","key":"k","value":"v","call":5,"done":9,"end":"ok"}

{"op":"get","key":"k","call":-3,"done":4,"end":"ok","result":"\u00e4\n"}
{"op":"cas","key":"k","expected":"v","value":"w","call":1,"done":2,"end":"ok","applied":false,"result":"z"}
{"op":"delete","key":"k","call":1,"done":2,"end":"refused"}
{"op":"append","key":"","value":"x","call":1,"end":"unknown"})");
  REQUIRE(history.size() == 5);
  auto first = put(5, 9, "v");
  first.client = "c1";
  first.id = "17";
  first.line = 1;
  CHECK(history[0] == first);
  CHECK(history[1].result == "\u00e4\n");
  CHECK(history[1].call == -3);
  CHECK(history[1].line == 3);
  CHECK(history[2].kind == operation_kind::cas);
  CHECK(history[2].expected == "v");
  CHECK(!history[2].applied);
  CHECK(history[2].result == "z");
  CHECK(history[3].kind == operation_kind::erase);
  CHECK(history[3].ending == ending::refused);
  CHECK(history[4].ending == ending::unknown);
  CHECK(history[4].key.empty());
}

TEST_CASE("what is written is read again") {
  check_property("the same", [] {
    operations history;
    const auto count = *rc::gen::inRange<std::size_t>(1, 10);
    for (std::size_t line = 1; line <= count; ++line) {
      auto o =
          made(static_cast<operation_kind>(*rc::gen::inRange(0, 5)), *rc::gen::arbitrary<std::int64_t>(), 0);
      o.done = std::max(o.call, *rc::gen::arbitrary<std::int64_t>());
      o.client = *text();
      o.id = *text();
      o.key = *text();
      o.line = line;
      if (o.kind != operation_kind::get && o.kind != operation_kind::erase)
        o.value = *text();
      if (o.kind == operation_kind::cas)
        o.expected = *text();
      o.applied = o.kind == operation_kind::get || *rc::gen::arbitrary<bool>();
      if (o.kind == operation_kind::get || (!o.applied && *rc::gen::arbitrary<bool>()))
        o.result = *text();
      switch (*rc::gen::inRange(0, 3)) {
      case 0:
        o = unanswered(o);
        o.done = 0;
        break;
      case 1:
        o = refused(o);
        o.applied = true;
        break;
      default:
        break;
      }
      history.push_back(o);
    }
    std::ostringstream out;
    write(history, out);
    RC_ASSERT(read(out.str()) == history);
  });
}

TEST_CASE("what is wrong with a line of ours is named") {
  const std::string start = R"({"op":"put","key":"k","value":"v","call":5,"end":"unknown"})";
  CHECK(complains(start + "\n" + R"({"op":"put","key":"k")", "2: at byte 22: Missing a comma or '}'"));
  CHECK(complains(start + "\n[]", "2: is not an object"));
  CHECK(complains(start + "\n{}", "2: op is missing"));
  CHECK(complains(start + start, "1: at byte 60: "));
  CHECK(complains(start + "\n" + std::string(100'000, '['), "2: at byte 100001: "));
  CHECK(complains(R"({"op":"swap"})", "op must be one of get, put, append, cas, delete"));
  CHECK(complains(R"({"op":"get","key":7})", "key must be a string"));
  CHECK(complains(R"({"op":"get","key":"k","end":"lost"})", "end must be one of ok, refused, unknown"));
  CHECK(
      complains(R"({"op":"get","key":"k","end":"ok","call":1.5})", "call must be a whole number of 64 bits"));
  CHECK(complains(R"({"op":"get","key":"k","end":"ok","call":9223372036854775808})", "call must be a whole"));
  CHECK(
      complains(R"({"op":"get","key":"k","end":"ok","call":5,"done":4})", "done at 4, before its call at 5"));
  CHECK(complains(R"({"op":"get","key":"k","end":"ok","call":5})", "done is missing"));
  CHECK(complains(R"({"op":"get","key":"k","end":"ok","call":5,"done":6})", "result is missing"));
  CHECK(complains(R"({"op":"put","key":"k","end":"ok","call":5,"done":6})", "value is missing"));
  CHECK(
      complains(R"({"op":"cas","key":"k","end":"ok","value":"a","call":5,"done":6})", "expected is missing"));
  CHECK(complains(R"({"op":"put","key":"k","end":"ok","value":"a","call":5,"done":6,"applied":1})",
                  "applied must be true or false"));
  CHECK(complains(R"({"op":"get","key":"k","end":"unknown","call":5,"done":6})",
                  "\"done\" is not a field of a get that ends with unknown"));
  CHECK(complains(R"({"op":"put","key":"k","end":"ok","value":"a","call":5,"done":6,"result":"x"})",
                  "\"result\" is not a field of a put"));
  CHECK(complains(R"({"op":"get","op":"get","key":"k","end":"unknown","call":5})", "a field is there twice"));
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("histories: jepsen logs");

TEST_CASE("a register log gives an operation for each invocation, timed by lines") {
  const auto history =
      read(jepsen("0\t:invoke\t:read\tnil") + jepsen("1   :invoke :write  3") + jepsen("0\t:ok\t:read\tnil") +
           jepsen("1\t:ok\t:write\t3") + jepsen("2\t:invoke\t:cas\t[3 4]") + jepsen("2\t:fail\t:cas\t[3 4]") +
           jepsen("2\t:invoke\t:cas\t[nil -4]") + jepsen("2\t:ok\t:cas\t[nil -4]"));
  REQUIRE(history.size() == 4);
  CHECK(history[0].kind == operation_kind::get);
  CHECK(history[0].result == "");
  CHECK(history[0].call == 1);
  CHECK(history[0].done == 3);
  CHECK(history[0].line == 1);
  CHECK(history[0].key == "register");
  CHECK(history[0].client == "0");
  CHECK(history[1].value == "3");
  CHECK(history[2].expected == "3");
  CHECK(history[2].value == "4");
  CHECK(history[2].ending == ending::ok);
  CHECK(!history[2].applied);
  CHECK(history[3].expected.empty());
  CHECK(history[3].value == "-4");
  CHECK(history[3].applied);
}

TEST_CASE("a failed cas of a register has to fit, a failed read says nothing, a timeout leaves all open") {
  const auto write = jepsen("0\t:invoke\t:write\t1") + jepsen("0\t:ok\t:write\t1");
  const auto judged = [&](const std::string& rest) { return check(read(write + rest)).verdict; };
  using history::verdict;
  CHECK(judged(jepsen("1\t:invoke\t:cas\t[1 2]") + jepsen("1\t:fail\t:cas\t[1 2]")) ==
        verdict::not_linearizable);
  CHECK(judged(jepsen("1\t:invoke\t:cas\t[2 2]") + jepsen("1\t:fail\t:cas\t[2 2]")) == verdict::linearizable);
  CHECK(judged(jepsen("1\t:invoke\t:cas\t[2 2]") + jepsen("1\t:ok\t:cas\t[2 2]")) ==
        verdict::not_linearizable);
  CHECK(judged(jepsen("1\t:invoke\t:read\tnil") + jepsen("1\t:fail\t:read\t:timed-out")) ==
        verdict::linearizable);
  const auto read_5 = jepsen("2\t:invoke\t:read\tnil") + jepsen("2\t:ok\t:read\t5");
  CHECK(judged(jepsen("1\t:invoke\t:write\t5") + jepsen("1\t:info\t:write\t:timed-out") + read_5) ==
        verdict::linearizable);
  CHECK(judged(jepsen("1\t:invoke\t:write\t5") + read_5) == verdict::linearizable);
  CHECK(judged(jepsen("1\t:invoke\t:write\t5") + jepsen("1\t:fail\t:write\t:timed-out") + read_5) ==
        verdict::linearizable);
  CHECK(judged(jepsen("1\t:invoke\t:write\t5") + jepsen("1\t:fail\t:write\t5") + read_5) ==
        verdict::not_linearizable);
}

TEST_CASE("what was done to the servers is passed over") {
  CHECK(read(jepsen(":nemesis\t:info\t:start\tnil") + jepsen("0\t:invoke\t:read\tnil")).size() == 1);
}

TEST_CASE("what is wrong with a line of a jepsen log is named") {
  const auto invoke = jepsen("0\t:invoke\t:write\t1");
  CHECK(complains(invoke + "INFO  jepsen.core - 0\t:ok\t:write\t1", "2: is not a line of jepsen.util"));
  CHECK(complains(invoke + jepsen("0\t:done\t:write\t1"),
                  "2: \":done\" is none of :invoke, :ok, :fail and :info"));
  CHECK(complains(invoke + jepsen("0\t:ok\t:put\t1"), "2: \":put\" is neither :read nor :write nor :cas"));
  CHECK(complains(invoke + jepsen("0\t:ok\t:write\t2"),
                  "2: \"2\" is not the value with which line 1 begins it"));
  CHECK(complains(invoke + jepsen("0\t:ok\t:read\t2"),
                  "2: process 0 ends a get of key \"register\", but the open "
                  "one is the put of key \"register\" of line 1"));
  CHECK(complains(invoke + jepsen("1\t:ok\t:write\t1"), "2: process 1 ends an operation that is not open"));
  CHECK(complains(invoke + jepsen("0\t:invoke\t:write\t1"),
                  "2: process 0 begins an operation while its put of line 1 is open"));
  CHECK(complains(invoke + jepsen("0\t:info\t:write\t1") + jepsen("0\t:invoke\t:write\t1"),
                  "3: process 0 begins"));
  CHECK(complains(invoke + jepsen("0\t:info\t:write\t1") + jepsen("0\t:ok\t:write\t1"), "3: process 0 ends"));
  for (const char* value : {"", "x", "01", "-", "1 2", ":timed-out"})
    CHECK(complains(jepsen(std::string("0\t:invoke\t:write\t") + value), "is neither a number nor nil"));
  for (const char* value : {"", "1", "[", "]", "[]", "[1]", "[1 2", "[1 2 3]", "[1,2]"})
    CHECK(!complaint(jepsen(std::string("0\t:invoke\t:cas\t") + value)).empty());
  CHECK(complains(jepsen(""), "is none of"));
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("histories: EDN maps");

TEST_CASE("maps give an operation for each invocation, timed by lines") {
  const auto history = read(R"({:process 9, :type :invoke, :f :append, :key "0", :value "x \"9\"\n"}
{:process 1 :type :invoke :f :get :key "1" :value nil :time 123, :index 5}
{:process 9, :type :ok, :f :append, :key "0", :value "x \"9\"\n"}
{:process 1, :type :ok, :f :get, :key "1", :value ""}
{:process :p, :type :invoke, :f :put, :key "1", :value "a"}
{:process :p, :type :fail, :f :put, :key "1", :value "a"}
{:process 1, :type :invoke, :f :put, :key "1", :value "b"}
{:process 1, :type :info, :f :put, :key "1", :value "b", :error :timeout})");
  REQUIRE(history.size() == 4);
  CHECK(history[0].kind == operation_kind::append);
  CHECK(history[0].value == "x \"9\"\n");
  CHECK(history[0].client == "9");
  CHECK(history[0].call == 1);
  CHECK(history[0].done == 3);
  CHECK(history[1].result == "");
  CHECK(history[2].ending == ending::refused);
  CHECK(history[3].ending == ending::unknown);
}

TEST_CASE("what is wrong with a map is named") {
  const std::string invoke = R"({:process 9, :type :invoke, :f :put, :key "0", :value "a"})";
  CHECK(complains(invoke + "\nx", "2: \"x\" where a { should be"));
  CHECK(complains(invoke + "}", "1: \"}\" after the end of the map"));
  CHECK(complains("{:process 9", "the end of the line is neither a string"));
  CHECK(complains("{:process", "the end of the line is neither a string"));
  CHECK(complains("{:process \"a", "a string has no end"));
  CHECK(complains("{:process \"a\\", "a string has no end"));
  CHECK(complains("{:process \"\\q\"}", "\"\\\\q\" is not an escape that is understood"));
  CHECK(complains("{:process [1]}", "is neither a string, a number, a keyword nor nil"));
  CHECK(complains("{:process 9 :process 9}", ":process is there twice"));
  CHECK(complains("{:colour 9}", "\":colour\" is not a field of an operation"));
  CHECK(complains("{:process 9}", ":type is missing"));
  CHECK(complains("{:type :go}", ":type must be one of :invoke, :ok, :fail, :info"));
  CHECK(complains("{:type :ok :f :cas}", ":f must be one of :get, :put, :append"));
  CHECK(complains("{:type :ok :f :get :process nil}", ":process must be a number or a keyword"));
  CHECK(complains("{:type :invoke :f :get :process 1 :key 1}", ":key must be a string"));
  CHECK(complains("{:type :invoke :f :put :process 1 :key \"1\" :value nil}", ":value must be a string"));
  CHECK(complains(invoke + "\n" + R"({:process 9, :type :ok, :f :put, :key "0", :value "b"})",
                  "2: \"b\" is not the value with which line 1 begins it"));
  CHECK(
      complains(invoke + "\n" + R"({:process 9, :type :ok, :f :put, :key "1", :value "a"})",
                "2: process 9 ends a put of key \"1\", but the open one is the put of key \"0\" of line 1"));
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("histories: any format");

TEST_CASE("a format is recognised by the first line, or said outright") {
  CHECK(history::recognise("\n \r\n{\"op\":") == format::troupe);
  CHECK(history::recognise("{:process") == format::edn);
  CHECK(history::recognise("{ , :process") == format::edn);
  CHECK(history::recognise(jepsen("0")) == format::jepsen);
  for (const char* text : {"", "\n", "{", "{}", "[", "x", "INFO jepsen.core - 0"})
    CHECK(!history::recognise(text));
  CHECK(complaint("{}", format::jepsen).find("1: is not a line of jepsen.util") == 0);
  CHECK(complaint("{}", format::troupe) == "1: op is missing");
  CHECK(complaint("{}", format::edn) == "1: :type is missing");
}

TEST_CASE("text without a history is refused") {
  CHECK(complaint("") == "1: there is nothing in it");
  CHECK(complaint(" \n\t\n") == "1: there is nothing in it");
  CHECK(complaint("\n\nhello") == "3: begins like no history: \"hello\"");
  CHECK(complaint(jepsen(":nemesis :info :start nil")) == "1: there is no operation in it");
  CHECK(complaint("{\"op\"\n\xFF") == "2: is not UTF-8 text");
  CHECK(complaint(std::string("\x7F"
                              "ELF\0\x01",
                              6)) == "1: begins like no history: \"\\x7fELF\\x00\\x01\"");
}

TEST_CASE("lines may end as on other systems") {
  CHECK(read("{:process 1 :type :invoke :f :get :key \"1\"}\r\n\r\n").size() == 1);
}

TEST_SUITE_END();
