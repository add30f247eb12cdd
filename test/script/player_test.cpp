#include "cluster/script/play.hpp"
#include "test/support/property.hpp"

#include <algorithm>

using troupe::test::check_property;
using namespace troupe::script;

namespace {

std::string outcome(const std::string& text) {
  const auto failure = play(parse(text, "s.txt"));
  return failure ? describe(*failure, "s.txt") : "";
}

/// The first three lines of the complaint about the last line of a story in which 1 leads three replicas.
std::string complaint(const std::string& lines) {
  const auto all = outcome("start 3 replicas\nelect 1\ndeliver all\n" + lines + "\n");
  std::size_t end = 0;
  for (int i = 0; i < 3 && end != all.npos; ++i)
    end = all.find('\n', end + 1);
  return all.substr(0, end);
}

std::string says(int line, const std::string& statement, const std::string& expected,
                 const std::string& actual) {
  return "s.txt:" + std::to_string(line) + ": " + statement + "\n  expected: " + expected +
         "\n  actual:   " + actual;
}

/// Each statement is refused with these words.
void refuted(const std::string& statement, const std::string& expected, const std::string& actual) {
  CHECK(complaint(statement) == says(4, statement, expected, actual));
}

} // namespace

TEST_CASE("script: an expectation that is met says nothing") {
  CHECK(outcome(
            "start 3 replicas\nelect 1\ndeliver all\nexpect leader 1\nexpect term all: 1\nexpect log all: 1\n"
            "expect commit 1: 1\nexpect role 2 3: follower\nexpect follows all: 1\nexpect vote 2: 1\n"
            "expect no append_request on the way\nexpect 2 vote_request sent\n") == "");
}

TEST_CASE("script: an expectation that is not met says line, what was expected and what is") {
  refuted("expect leader 2", "2 leads", "1 leads");
  refuted("expect no leader", "no leader", "1 leads");
  refuted("expect role 1 2: leader", "role of 2: leader", "role of 2: follower");
  refuted("expect term 3: 2", "term of 3: 2", "term of 3: 1");
  refuted("expect vote 1: 2", "vote of 1: 2", "vote of 1: 1");
  refuted("expect follows 2: nobody", "leader of 2: nobody", "leader of 2: 1");
  refuted("expect log 2: 1 1", "log of 2: 1 1", "log of 2: 1");
  refuted("expect log 2:", "log of 2: (empty)", "log of 2: 1");
  refuted("expect commit 1: 7", "commit of 1: 7", "commit of 1: 1");
  refuted("expect value x at 2: 5", "x = \"5\" at 2", "x = \"\" at 2");
  refuted("expect 3 append_request sent", "3 such messages sent", "2 such messages sent");
  refuted("expect 1 append_request on the way", "1 such messages on the way",
          "0 such messages; nothing is on the way");
  refuted("deliver vote_request", "at least one such message on the way", "nothing is on the way");
  refuted("timeout 1", "replica 1 waits for a leader", "it leads");
  refuted("restart 1", "replica 1 does not run", "it does");
  refuted("expect violation \"log matching\"", "a broken rule: log matching", "no rule was broken");
  CHECK(complaint("crash 2\nexpect log 2: 1") == says(5, "expect log 2: 1", "replica 2 runs", "it does not"));
  CHECK(complaint("client A puts x=1 at 1\nexpect answer A: ok") ==
        says(5, "expect answer A: ok", "answer to A: ok", "answer to A: none"));
  CHECK(complaint("client A puts x=1 at 1\ndeliver all\nexpect answers A: 2") ==
        says(6, "expect answers A: 2", "2 answers to A", "1 answers to A: ok"));
  CHECK(complaint("cut 2 from all\nelect 2") ==
        says(5, "elect 2", "replica 2 leads", "it is pre_candidate in term 1"));
}

TEST_CASE("script: a failure shows all replicas and what is on its way") {
  const auto text = outcome("start 3 replicas\nelect 1\ncrash 3\nexpect commit 1: 1\n");
  CHECK(text == "s.txt:4: expect commit 1: 1\n  expected: commit of 1: 1\n  actual:   commit of 1: 0\n"
                "  1: leader in term 1, vote 1, leader 1, commit 0, log 1\n"
                "  2: follower in term 1, vote 1, leader nobody, commit 0, log (empty)\n"
                "  3: does not run\n"
                "  on the way: 1 -> 2 append_request; 1 -> 3 append_request\n");
}

TEST_CASE("script: a broken rule fails the script where it is broken, unless that was expected") {
  // Nobody may forget its vote: here a disk is replaced.
  const std::string forgets = "start 3 replicas\ncampaign 1\ndeliver all from 1 2 to 1 2 but append_request\n"
                              "expect leader 1\ncrash 2\nwipe 2\nrestart 2\n"
                              "drop all\nelect 3 with 2\n";
  const auto text = outcome(forgets);
  CHECK(text.find("expected: no rule of Raft is broken\n") != text.npos);
  CHECK(text.find("s.txt:9: elect 3 with 2\n") == 0);
  CHECK(outcome(forgets + "expect violation \"a vote stands for its whole term\"\n"
                          "expect violation \"election safety\"\n") == "");
}

TEST_CASE("script: time passes only when it is told to") {
  CHECK(outcome("start 3 replicas\nexpect role all: follower\nwait 1 s\nrun 3 s\nexpect term all: 1\n"
                "expect no all on the way\ncount anew\nwait 400 ms\nexpect 2 append_request sent\n"
                "expect 2 append_request on the way\n") == "");
}

TEST_CASE("script: what is on its way over a cut link waits") {
  CHECK(outcome("start 3 replicas\nelect 1\ncut 1 to 2\ndeliver all\nexpect log 2:\nexpect log 3: 1\nheal\n"
                "deliver append_request\nexpect log 2: 1\n") == "");
}

TEST_CASE("script: what happens can be told") {
  std::vector<std::string> lines;
  play(parse("start 3 replicas\nelect 1\nclient A puts x=1 at 1\ndeliver all\n", "s.txt"),
       [&](const std::string& line) { lines.push_back(line); });
  const auto tells = [&](const std::string& part) {
    return std::any_of(lines.begin(), lines.end(), [&](const auto& l) { return l.find(part) != l.npos; });
  };
  CHECK(tells("2: elect 1"));
  CHECK(tells("1 -> 2  vote_request term 1 last_index 0 last_term 0 transfer 0"));
  CHECK(tells("2 <- 1  vote_request"));
  CHECK(tells("1: term 1: leader"));
  CHECK(tells("client -> 1  put M0"));
  CHECK(tells("1 -> client  M0 ok"));
}

TEST_CASE("script: whatever happens in whatever order, no rule is broken and the player goes on") {
  static const std::vector<std::string> events{"timeout 1",
                                               "timeout 2 3",
                                               "campaign 1",
                                               "campaign 2",
                                               "campaign 3",
                                               "deliver all",
                                               "deliver all",
                                               "deliver oldest all",
                                               "deliver newest all",
                                               "deliver all backwards",
                                               "deliver all from 1",
                                               "deliver all to 2 3",
                                               "deliver all but append_request",
                                               "drop all from 2",
                                               "drop oldest all",
                                               "repeat newest all",
                                               "repeat all to 1",
                                               "keep all as old",
                                               "replay old",
                                               "client A puts x=1 at 1",
                                               "client B appends x=2 at 2",
                                               "client C gets x at 3",
                                               "client A asks again at 2",
                                               "propose 2 at 1",
                                               "propose at 2",
                                               "crash 1",
                                               "restart 1",
                                               "crash 3",
                                               "restart 3",
                                               "pause 2",
                                               "resume 2",
                                               "cut 1 from 2 3",
                                               "cut 2 to 1",
                                               "cut 3 from 1",
                                               "heal",
                                               "wait 400 ms",
                                               "wait 2 s",
                                               "run 100 ms",
                                               "run 2 s",
                                               "transfer from 1 to 2",
                                               "transfer from 3 to 1",
                                               "advance 2 by 700 ms"};
  check_property("any story", [] {
    // Those who do not run cannot be asked to do anything: a story that asks ends there.
    std::string text = "start 3 replicas\nset snapshot_after " + std::to_string(*rc::gen::inRange(0, 300)) +
                       "\nkeep all as old\nclient A gets x at 1\nelect 1\ndeliver all\n";
    for (int i = *rc::gen::inRange(1, 60); i > 0; --i)
      text += *rc::gen::elementOf(events) + "\n";
    const auto failure = play(parse(text, "s.txt"));
    const bool fair = !failure || failure->expected.find("no rule") != 0;
    if (!fair)
      RC_LOG(text + describe(*failure, "s.txt"));
    RC_ASSERT(fair);
  });
}
