#include "cluster/history/linearizable.hpp"
#include "cluster/history/witness.hpp"
#include "cluster/trace/judge.hpp"
#include "trace/recorder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace troupe;

namespace {

/// Builds a trace, a line at a time.
class script {
 public:
  script& raft(const std::string& who, const std::string& changes) {
    return add(who, "raft", "received", "{}", changes);
  }
  script& write(const std::string& who, const std::string& what) {
    return add(who, "log_store", "write", fmt::format(R"({{"number":1,"what":{}}})", what));
  }
  script& commit(const std::string& who, const std::string& entries) {
    return add(who, "router", "committed", fmt::format(R"({{"entries":[{}],"answer":false}})", entries));
  }
  script& note(const std::string& event, const std::string& who) {
    text_ += fmt::format("{{\"event\":\"{}\",\"id\":{},\"at\":{},\"replica\":\"{}\",\"text\":\"\"}}\n", event,
                         ++id_, at_, who);
    return *this;
  }
  script& add(const std::string& who, const std::string& to, const std::string& type,
              const std::string& content, const std::string& changes = "") {
    at_ += 1000;
    text_ += fmt::format(
        R"({{"event":"message","id":{},"lamport":1,"replica":"{}","from":"x","to":"{}","sent":{},"begin":{},"depth":0,"type":"{}","content":{}{},"end":{}}})"
        "\n",
        ++id_, who, to, at_, at_, type, content, changes.empty() ? "" : fmt::format(",\"raft\":{}", changes),
        at_);
    return *this;
  }

  std::string verdict() const {
    const auto found = trace::find_violation(story());
    return found ? found->what.substr(0, found->what.find(':')) : "";
  }
  trace::story story() const {
    std::vector<trace::recording> files;
    files.push_back(trace::read(format(trace::header{"0", "real", "", 1, "", "", 3}) + text_));
    REQUIRE(files.back().damage == "");
    return trace::story(std::move(files));
  }

 private:
  std::string text_;
  int id_ = 0;
  int at_ = 0;
};

std::string entry(int index, int term, const std::string& value) {
  return fmt::format(
      R"({{"term":{},"index":{},"payload":{{"type":"command","id":{{"client":"C","MID":"{}"}},"operation":{{"type":"put","key":"k","value":"{}"}}}}}})",
      term, index, value, value);
}
std::string no_op(int index, int term) {
  return fmt::format(R"({{"term":{},"index":{},"payload":{{"type":"no_op"}}}})", term, index);
}
std::string entries(const std::string& list) { return fmt::format(R"({{"entries":[{}]}})", list); }

} // namespace

TEST_CASE("judge: a run that keeps the rules") {
  script s;
  s.note("start", "0").note("start", "1");
  s.raft("0", R"({"role":"leader","term":1,"voted_for":"0","last_index":1,"commit":0})");
  s.write("0", entries(no_op(1, 1))).write("1", entries(no_op(1, 1)));
  s.raft("0", R"({"commit":1,"lease_until":9000000})").commit("0", no_op(1, 1));
  s.note("crash", "0");
  s.raft("1", R"({"role":"leader","term":2,"last_index":2,"lease_until":9000000})");
  s.write("1", entries(no_op(2, 2))).commit("1", no_op(1, 1) + "," + no_op(2, 2));
  s.note("start", "0").raft("0", R"({"role":"follower","term":1,"voted_for":"0","last_index":1,"commit":0})");
  s.commit("0", no_op(1, 1));
  CHECK(s.verdict() == "");
}

TEST_CASE("judge: two leaders of a term") {
  script s;
  s.raft("0", R"({"role":"leader","term":4})").raft("1", R"({"role":"leader","term":4})");
  CHECK(s.verdict() == "election safety");
}

TEST_CASE("judge: terms, votes and commits that change their mind") {
  CHECK(script().raft("0", R"({"term":4})").raft("0", R"({"term":3})").verdict() == "terms never go back");
  CHECK(script().raft("0", R"({"term":4,"commit":7})").raft("0", R"({"commit":6})").verdict() ==
        "commits never go back");
  CHECK(script().raft("0", R"({"term":4,"voted_for":"1"})").raft("0", R"({"voted_for":"2"})").verdict() ==
        "a vote stands for its whole term");
  CHECK(script()
            .raft("0", R"({"term":4,"voted_for":"1"})")
            .raft("0", R"({"term":5,"voted_for":"2"})")
            .verdict() == "");
  // A restart may lose what was not stored.
  CHECK(script()
            .raft("0", R"({"term":4,"commit":7})")
            .note("start", "0")
            .raft("0", R"({"term":3,"commit":0})")
            .verdict() == "");
}

TEST_CASE("judge: a leader that takes entries back") {
  CHECK(script()
            .raft("0", R"({"role":"leader","term":4,"last_index":9})")
            .raft("0", R"({"last_index":8})")
            .verdict() == "a leader only appends");
}

TEST_CASE("judge: one entry, two contents or two predecessors") {
  CHECK(script().write("0", entries(entry(1, 1, "a"))).write("1", entries(entry(1, 1, "b"))).verdict() ==
        "log matching");
  CHECK(script()
            .write("0", entries(entry(1, 1, "a") + "," + entry(2, 3, "c")))
            .write("1", entries(entry(1, 2, "b") + "," + entry(2, 3, "c")))
            .verdict() == "log matching");
  CHECK(script()
            .write("1", entries(entry(1, 2, "b")))
            .write("1", R"({"truncate_behind":0,"entries":[]})")
            .write("1", entries(entry(1, 1, "a") + "," + entry(2, 3, "c")))
            .write("0", entries(entry(1, 1, "a") + "," + entry(2, 3, "c")))
            .verdict() == "");
}

TEST_CASE("judge: a leader without what was committed") {
  script s;
  s.raft("0", R"({"role":"leader","term":1})").write("0", entries(no_op(1, 1) + "," + entry(2, 1, "a")));
  s.commit("0", no_op(1, 1) + "," + entry(2, 1, "a"));
  s.write("1", entries(no_op(1, 1)));
  s.raft("1", R"({"role":"leader","term":2})").write("1", entries(no_op(2, 2)));
  CHECK(s.verdict() == "leader completeness");
}

TEST_CASE("judge: two state machines that apply different entries, or not in order") {
  CHECK(script().commit("0", entry(1, 1, "a")).commit("1", entry(1, 2, "b")).verdict() ==
        "state machine safety");
  CHECK(script().commit("0", entry(1, 1, "a")).commit("0", entry(3, 1, "b")).verdict() ==
        "entries are applied once and in order");
}

TEST_CASE("judge: two leases at a time") {
  script s;
  s.raft("0", R"({"role":"leader","term":1,"lease_until":50000})");
  s.raft("1", R"({"role":"leader","term":2,"lease_until":90000})");
  CHECK(s.verdict() == "one lease holder at a time");
  script over;
  over.raft("0", R"({"role":"leader","term":1,"lease_until":1500})");
  over.raft("1", R"({"role":"leader","term":2,"lease_until":90000})");
  CHECK(over.verdict() == "");
}

TEST_CASE("judge: what the run itself has found") {
  CHECK(script().note("violation", "0").verdict() == "the run itself has found");
}

TEST_CASE("judge: the clients' history is in the trace") {
  script s;
  s.add("0", "router", "client_request",
        R"({"id":{"client":"C","MID":"1"},"operation":{"type":"put","key":"k","value":"a"}})");
  s.commit(
      "0",
      R"({"term":1,"index":1,"payload":{"type":"command","id":{"client":"C","MID":"1"},"operation":{"type":"put","key":"k","value":"a"}}})");
  s.add("0", "network", "client_answer",
        R"({"reply":{"type":"client_ok","id":{"client":"C","MID":"1"},"applied":true}})");
  s.add("0", "router", "client_request",
        R"({"id":{"client":"C","MID":"2"},"operation":{"type":"get","key":"k"}})");
  s.add("0", "network", "client_answer",
        R"({"reply":{"type":"client_ok","id":{"client":"C","MID":"2"},"value":"b","applied":true}})");
  const auto told = trace::history_of(s.story());
  REQUIRE(told.operations.size() == 2);
  CHECK(told.operations[0].kind == history::operation_kind::put);
  CHECK(told.operations[0].ending == history::ending::ok);
  CHECK(told.operations[1].result == "b");
  CHECK(told.writes_in_log == std::vector<std::size_t>{0});
  CHECK_FALSE(told.is_cut);
}

TEST_CASE("judge: who asked for what is committed may have been killed with the last of its trace") {
  script s;
  s.note("start", "0").note("start", "1");
  s.commit("1", no_op(1, 1) + "," + entry(2, 1, "a"));
  s.add("1", "router", "client_request",
        R"({"id":{"client":"D","MID":"1"},"operation":{"type":"get","key":"k"}})");
  s.add("1", "network", "client_answer",
        R"({"reply":{"type":"client_ok","id":{"client":"D","MID":"1"},"value":"a","applied":true}})");
  s.add("1", "router", "client_request", // again, as the first answer did not come
        R"({"id":{"client":"C","MID":"a"},"operation":{"type":"put","key":"k","value":"a"}})");
  s.add("1", "network", "client_answer",
        R"({"reply":{"type":"client_ok","id":{"client":"C","MID":"a"},"applied":true}})");
  const auto told = trace::history_of(s.story());
  CHECK_FALSE(history::find_misfit(told.operations, told.writes_in_log));
  CHECK(history::check(told.operations).verdict == history::verdict::linearizable);
  CHECK_FALSE(told.lacks_entries);
  REQUIRE(told.operations.size() == 2);
  CHECK(told.operations[0].id == "a");
  CHECK(told.operations[0].ending == history::ending::ok);
}

TEST_CASE("judge: a state may hold entries that are in no trace") {
  const auto given = R"({"snapshot":{"last_index":2,"last_term":1,"data":"..."}})";
  script unknown;
  unknown.commit("0", no_op(1, 1)).add("1", "router", "install_snapshot", given);
  CHECK(trace::history_of(unknown.story()).lacks_entries);
  script behind;
  behind.commit("0", no_op(1, 1)).commit("1", no_op(3, 1));
  CHECK(trace::history_of(behind.story()).lacks_entries);
  script known;
  known.commit("0", no_op(1, 1) + "," + entry(2, 1, "a")).add("1", "router", "install_snapshot", given);
  known.commit("1", entry(3, 1, "b"));
  CHECK_FALSE(trace::history_of(known.story()).lacks_entries);
}
