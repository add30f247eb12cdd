#include "cluster/script/story.hpp"
#include "test/support/property.hpp"

#include <algorithm>

using troupe::test::check_property;
using namespace troupe;
using namespace troupe::script;

namespace {

/// What is wrong with a script; "" if nothing is.
std::string fault(const std::string& text) {
  try {
    parse(text, "s.txt");
    return "";
  } catch (const script_error& e) {
    return e.what();
  }
}

/// The same, of a line behind `start 3 replicas`.
std::string line_fault(const std::string& line) { return fault("start 3 replicas\n" + line + "\n"); }

std::string file_fault(const std::string& path) {
  try {
    load(path);
    return "";
  } catch (const script_error& e) {
    return e.what();
  }
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

const std::vector<std::string> good_lines{
    "set election_timeout 1 s .. 2 s",
    "set heartbeat 400 ms",
    "set one_entry_per_append yes",
    "seed 7",
    "log 1 2: 1 1 2",
    "log 3:",
    "term all: 5",
    "vote 2: 1",
    "advance 1..3 by 20 us",
    "campaign 1",
    "timeout 1 2",
    "elect 1",
    "elect 1 with 2 and 3",
    "client A puts x = 1 at 2",
    "client A appends \"a key\"=\"a value\" at 2",
    "client A swaps x from 1 to 2 at 3",
    "client A deletes x at 1",
    "client A gets x at 1",
    "client A asks again at 3",
    "count anew",
    "crash 1 2",
    "restart 1",
    "pause 1",
    "resume 1",
    "wipe 1",
    "cut 1 from 2 3",
    "cut 1 to 2",
    "heal",
    "deliver all",
    "deliver all backwards",
    "deliver vote_request and pre_vote_request from 1 to 2 3 but newest vote_request to 3 but all from 2",
    "deliver append_request with term 3 entries 0",
    "drop vote_reply with granted yes",
    "keep oldest append_request as old",
    "repeat newest append_request",
    "replay old",
    "propose at 1",
    "propose 12 at 1",
    "run 2 min",
    "wait 500ms",
    "transfer from 1 to 2",
    "expect leader 1",
    "expect no leader",
    "expect role 1 2: pre_candidate",
    "expect term all: 3",
    "expect vote 1: nobody",
    "expect follows 1: 2",
    "expect log 1: [3] 4 4",
    "expect log 1:",
    "expect log 1 2: same as 3",
    "expect commit 1: 0",
    "expect value x at 1 2: \"\"",
    "expect answer A: ok",
    "expect answer A: ok \"a b\"",
    "expect answer A: redirect to 2",
    "expect answer A: refused 3",
    "expect answer A: none",
    "expect answers A: 2",
    "expect 2 append_request from 1 on the way",
    "expect no vote_reply on the way",
    "expect 3 all sent",
    "expect violation \"state machine\"",
};

} // namespace

TEST_CASE("script: every kind of statement is understood") {
  std::string text = "# The title\n\nstart 3 replicas # and a comment\n";
  for (const auto& line : good_lines)
    text += line + "\r\n";
  REQUIRE(fault(text) == "");
  const auto s = parse(text, "s.txt");
  CHECK(s.title == "The title");
  CHECK(s.setup.replicas == 3);
  CHECK(s.setup.seed == 7);
  CHECK(s.setup.raft.election_timeout_max == std::chrono::seconds(2));
  CHECK(s.setup.logs[1].terms == std::vector<std::uint64_t>{1, 1, 2});
  CHECK(s.setup.logs[1].voted_for == replica_id{0});
  CHECK(s.setup.logs[2].term == 5);
  CHECK(s.statements.size() == good_lines.size() - 8);
  CHECK(s.statements.front().line == 12);
  CHECK(s.statements.front().text == "advance 1..3 by 20 us");
  CHECK(std::get<advance>(s.statements.front().action).replicas.size() == 3);
}

TEST_CASE("script: messages are chosen by type, sender, receiver and fields") {
  const auto s =
      parse("start 3 replicas\ndeliver append_request from 1 to 2 3 with entries 0 but all to 3", "s");
  const auto& chosen = std::get<deliver>(s.statements.front().action).messages;
  append_request heartbeat;
  heartbeat.term = {4};
  auto full = heartbeat;
  full.entries.push_back(std::make_shared<raft::entry>());
  CHECK(chosen.matches({0}, {1}, heartbeat));
  CHECK_FALSE(chosen.matches({0}, {1}, full));
  CHECK_FALSE(chosen.matches({0}, {2}, heartbeat));
  CHECK_FALSE(chosen.matches({1}, {1}, heartbeat));
  CHECK_FALSE(chosen.matches({0}, {1}, commit_notice{}));
  CHECK(field_of(vote_reply{{3}, true, {}}, "granted") == 1);
  CHECK_FALSE(field_of(vote_reply{}, "sequence").has_value());
}

TEST_CASE("script: what is wrong is said in one line, with file and line") {
  CHECK(fault("") == "s.txt:1: no script: nothing says \"start N replicas\"");
  CHECK(fault("# only a comment\n\n") == "s.txt:2: no script: nothing says \"start N replicas\"");
  CHECK(fault("elect 1\n") == "s.txt:1: \"elect\" before \"start N replicas\"");
  CHECK(fault("start replicas") ==
        "s.txt:1: how many replicas must be a whole number from 1 to 21, not \"replicas\"");
  CHECK(fault("start 22 replicas") ==
        "s.txt:1: how many replicas must be a whole number from 1 to 21, not \"22\"");
  CHECK(fault("start") == "s.txt:1: how many replicas is missing at the end of the line");
  CHECK(fault("start 3 replicas\nstart 3 replicas") == "s.txt:2: line 1 has started the replicas already");
  CHECK(has(line_fault("electt 1"), "s.txt:2: unknown statement \"electt\"; known are: advance, campaign, "));
  CHECK(line_fault("elect") == "s.txt:2: a replica's number is missing at the end of the line");
  CHECK(line_fault("elect 4") == "s.txt:2: there is no replica 4: they are numbered from 1 to 3");
  CHECK(line_fault("elect 0") == "s.txt:2: there is no replica 0: they are numbered from 1 to 3");
  CHECK(line_fault("crash 3..1") == "s.txt:2: 3 to 1 is nobody");
  CHECK(line_fault("elect 1 with 1") == "s.txt:2: nobody but the candidate is to vote");
  CHECK(line_fault("elect 1 2") == "s.txt:2: the line should end before \"2\"");
  CHECK(line_fault("cut 1 2") == "s.txt:2: \"to\" is missing at the end of the line");
  CHECK(line_fault("client A puts x 1 at 2") == "s.txt:2: \"=\" is wanted, not \"1\"");
  CHECK(line_fault("client A puts x=\"1 at 2") ==
        "s.txt:2: the text that begins with \"1 at 2\" has no closing quote");
  CHECK(has(line_fault("client A wants x at 2"), "s.txt:2: unknown wish of a client"));
  CHECK(has(line_fault("deliver append_requests"), "s.txt:2: unknown type of message \"append_requests\""));
  CHECK(line_fault("deliver all with colour 3") == "s.txt:2: no message has a field \"colour\"");
  CHECK(line_fault("wait 3") ==
        "s.txt:2: how long must be a time up to an hour, like 20 us, 500 ms, 2 s or 1 min");
  CHECK(has(line_fault("wait 61 min"), "up to an hour"));
  CHECK(has(line_fault("wait 99999999999999999999 s"), "up to an hour"));
  CHECK(line_fault("elect ;") == "s.txt:2: \";\" means nothing here");
  CHECK(has(line_fault("expect nothing"), "s.txt:2: unknown thing to expect"));
  CHECK(has(line_fault("expect role 1: king"), "unknown role \"king\"; known are: follower, "));
  CHECK(line_fault("expect 2 vote_request") == "s.txt:2: \"on\" is missing at the end of the line");
  CHECK(line_fault("replay old") == "s.txt:2: nothing was kept as \"old\" yet");
  CHECK(line_fault("client A asks again at 1") == "s.txt:2: nothing was asked by client \"A\" yet");
  CHECK(line_fault("expect answer A: ok") == "s.txt:2: nothing was asked by client \"A\" yet");
}

TEST_CASE("script: replicas that could not be as they are said to be do not start") {
  CHECK(line_fault("log 1: 2 1") == "s.txt:2: terms never fall along a log, but 1 follows 2");
  CHECK(line_fault("log 1: 0") ==
        "s.txt:2: an entry's term must be a whole number from 1 to 1000000000, not \"0\"");
  CHECK(has(line_fault("log 1: 3\nterm 1: 2"),
            "s.txt:3: the log of 1 ends in term 3, beyond its current term 2"));
  CHECK(has(line_fault("vote 1: 2"), "has voted in term 0"));
  CHECK(
      has(line_fault("log 1: 1 2 4\nlog 2: 1 3 4"), "s.txt:3: no leaders write logs like those of 1 and 2"));
  CHECK(has(line_fault("set heartbeat 2 s"), "s.txt:1: nobody can start with these options: the heartbeat"));
  CHECK(has(line_fault("set speed 3"), "s.txt:2: unknown option \"speed\""));
  CHECK(line_fault("heal\nlog 1: 1") == "s.txt:3: \"log\" comes too late: the replicas run since line 2");
}

TEST_CASE("script: files that are none") {
  CHECK(file_fault("/nowhere/at all") == "/nowhere/at all: No such file or directory");
  CHECK(file_fault("/") == "/: is a directory, no script");
  CHECK(fault(std::string("start 3\0replicas", 16)) == "s.txt:1: no text: byte 0x00 in column 8");
  CHECK(fault("start 3 replicas\n# \x80\x80") == "s.txt:2: no text: the line is not UTF-8");
  CHECK(fault("\x7f"
              "ELF") == "s.txt:1: no text: byte 0x7f in column 1");
}

TEST_CASE("script: no text makes the parser fall over") {
  const auto check = [](const std::string& text) {
    const auto why = fault(text);
    RC_ASSERT(std::count(why.begin(), why.end(), '\n') == 0);
    RC_ASSERT((why.empty() || why.starts_with("s.txt:")));
  };
  check_property("bytes", [&] {
    const auto noise = *rc::gen::arbitrary<std::string>();
    check(noise);
    check("start 3 replicas\n" + noise);
  });
  check_property("good lines with bad spots", [&] {
    auto line = *rc::gen::elementOf(good_lines);
    const auto spots = *rc::gen::inRange(1, 4);
    for (int i = 0; i < spots && !line.empty(); ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, line.size());
      switch (*rc::gen::inRange(0, 4)) {
      case 0:
        line.erase(at, *rc::gen::inRange<std::size_t>(1, 6));
        break;
      case 1:
        line.insert(at,
                    *rc::gen::element<std::string>("\"", ":", "..", " 99999999999999999999 ", "#", "[", ",",
                                                   " all ", " but ", " with ", "=", "\xc3\xa9", " 0 "));
        break;
      case 2:
        line.insert(at, *rc::gen::elementOf(good_lines));
        break;
      default:
        line.resize(at);
      }
    }
    check("start 3 replicas\n" + line);
  });
}
