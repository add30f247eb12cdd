// Traces as users make and read them: troupe-sim and troupe-replica write, troupe-trace and troupe-check
// read.

#include "test/process/sim_support.hpp"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using troupe::test::begin;
using troupe::test::call;
using troupe::test::contents;
using troupe::test::eventually;
using troupe::test::scratch_folder;

namespace {

std::string line_with(const std::string& text, const std::string& part) {
  const auto at = text.find(part);
  REQUIRE(at != text.npos);
  const auto begin = text.rfind('\n', at) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

std::string member(const std::string& line, const std::string& name) {
  const auto at = line.find("\"" + name + "\":\"");
  REQUIRE(at != line.npos);
  const auto begin = at + name.size() + 4;
  return line.substr(begin, line.find('"', begin) - begin);
}

} // namespace

TEST_CASE("trace: a virtual run is recorded, shown, explained, counted and judged") {
  const scratch_folder f;
  REQUIRE(call(f, {TROUPE_SIM, "crash-4", "--seed", "7", "--trace", "a.jsonl"}).status == 0);
  REQUIRE(call(f, {TROUPE_SIM, "crash-4", "--seed", "7", "--trace", "b.jsonl"}).status == 0);
  const auto text = contents(f.path("a.jsonl"));
  CHECK(text == contents(f.path("b.jsonl")));
  CHECK(member(text.substr(0, text.find('\n')), "command") == "troupe-sim crash-4 --seed 7");

  const auto judged = call(f, {TROUPE_CHECK, "trace", "a.jsonl"});
  CHECK(judged.status == 0);
  CHECK(judged.out.find("no rule of Raft is broken") != judged.out.npos);

  const auto changes = call(f, {TROUPE_TRACE, "show", "--changes", "--term", "1", "a.jsonl"});
  CHECK(changes.status == 0);
  CHECK(changes.out.find("role=leader") != changes.out.npos);
  CHECK(changes.out.find("  => lease_until=") == changes.out.npos); // with every heartbeat
  CHECK(changes.out.find('\x1B') == changes.out.npos);              // no terminal, no colours

  const auto mid = member(line_with(text, "\"type\":\"client_ok\""), "MID");
  const auto explained = call(f, {TROUPE_TRACE, "explain", mid, "a.jsonl"});
  CHECK(explained.status == 0);
  for (const auto* part :
       {"client_request", "append_request", "client_answer", "how it came to this client_ok", "network"})
    CHECK_MESSAGE(explained.out.find(part) != explained.out.npos, part);
  CHECK(explained.out.find(";\n") == explained.out.npos);
  CHECK(call(f, {TROUPE_TRACE, "explain", "nobody-asked", "a.jsonl"}).status == 1);

  const auto counted = call(f, {TROUPE_TRACE, "stats", "--json", "a.jsonl"});
  CHECK(counted.status == 0);
  rapidjson::Document d;
  d.Parse(counted.out.c_str());
  REQUIRE(!d.HasParseError());
  CHECK(d["leaders"].Size() >= 3); // two leaders were killed
  const auto answered = d["latency"]["all"]["requests"].GetUint();
  CHECK(answered > 200);
  for (const auto& stage : d["latency"].GetObject()) // however many replicas it passes through
    CHECK(stage.value["requests"].GetUint() <= answered);

  CHECK(call(f, {TROUPE_TRACE, "diff", "a.jsonl", "b.jsonl"}).status == 0);
  REQUIRE(call(f, {TROUPE_SIM, "crash-4", "--seed", "8", "--trace", "c.jsonl"}).status == 0);
  const auto parted = call(f, {TROUPE_TRACE, "diff", "a.jsonl", "c.jsonl"});
  CHECK(parted.status == 1);
  CHECK(parted.out.starts_with(
      "they are traces of different runs: A of crash-4, seed 7, virtual, B of crash-4, seed 8, "
      "virtual\nthey part at line "));
  for (const auto& words : {std::vector<std::string>{TROUPE_CHECK, "trace"}, {TROUPE_TRACE, "stats"}}) {
    const auto mixed = call(f, {words[0], words[1], "a.jsonl", "c.jsonl"});
    CHECK(mixed.status == (words[0] == TROUPE_CHECK ? 3 : 2));
    CHECK(mixed.err.ends_with(": a.jsonl: has all of a run on virtual time, and can only be read alone\n"));
  }
}

TEST_CASE("trace: requests of two clients are two, whatever they call them") {
  const scratch_folder f;
  std::string text = R"({"event":"header","format":1,"program":"0","mode":"real","seed":1})"
                     "\n";
  int at = 0;
  const auto add = [&](const std::string& to, const std::string& type, const std::string& content) {
    at += 1000;
    const auto now = std::to_string(at);
    text += R"({"event":"message","id":)" + now + R"(,"lamport":)" + now +
            R"(,"replica":"0000","from":"x","to":")" + to + R"(","sent":)" + now + R"(,"begin":)" + now +
            R"(,"end":)" + now + R"(,"depth":0,"type":")" + type + R"(","content":)" + content + "}\n";
  };
  for (const std::string client : {"C000", "C001"}) {
    const auto id = R"("id":{"client":")" + client + R"(","MID":"1"})";
    add("router", "client_request", "{" + id + R"(,"operation":{"type":"get","key":"k"}})");
    add("network", "client_answer",
        R"({"reply":{"type":"client_ok",)" + id + R"(,"value":"","applied":true}})");
  }
  f.write("t.jsonl", text);
  const auto counted = call(f, {TROUPE_TRACE, "stats", "--json", "t.jsonl"});
  REQUIRE(counted.status == 0);
  rapidjson::Document d;
  d.Parse(counted.out.c_str());
  CHECK(d["latency"]["all"]["requests"].GetUint() == 2);
  CHECK(d["latency"]["all"]["max_ns"].GetInt() == 1000);
}

TEST_CASE("trace: a run that fails leaves its trace unasked, and says where") {
  const scratch_folder f;
  // Nobody can answer what is sent to a cluster that has lost its majority.
  f.write("failing.json",
          R"({"lifetime": 3, "replicas": 3, "requests": 60, "mix": 0.5, "start_wait": 1.5, "end_wait": 2,
              "events": [{"type": "kill_leader", "time": 1}, {"type": "kill_non_leader", "time": 1}]})");
  const auto failed =
      call(f, {"/usr/bin/env", "TMPDIR=" + f.path("."), TROUPE_SIM, "failing.json", "--seed", "7"});
  REQUIRE(failed.status == 1);
  const std::string words = "failed; its trace: ";
  const auto line = line_with(failed.out + failed.err, words);
  const auto path = line.substr(line.find(words) + words.size());
  const auto wanted = call(f, {TROUPE_SIM, "failing.json", "--seed", "7", "--trace", "wanted.jsonl"});
  CHECK(contents(path) == contents(f.path("wanted.jsonl")));
  CHECK((wanted.out + wanted.err).find(words) == std::string::npos);
}

TEST_CASE("trace: a chaos run is recorded without being changed") {
  const scratch_folder f;
  const auto plain = call(f, {TROUPE_SIM, "chaos", "--seed", "7", "--runs", "1", "--verbose"});
  const auto traced =
      call(f, {TROUPE_SIM, "chaos", "--seed", "7", "--runs", "1", "--verbose", "--trace", "t.jsonl"});
  CHECK(line_with(plain.out + plain.err, "hash") == line_with(traced.out + traced.err, "hash"));
  CHECK(call(f, {TROUPE_CHECK, "trace", "t.jsonl"}).status == 0);
}

TEST_CASE("trace: a planted violation is found and named") {
  const scratch_folder f;
  REQUIRE(call(f, {TROUPE_SIM, "simple-1", "--seed", "7", "--trace", "a.jsonl"}).status == 0);
  auto text = contents(f.path("a.jsonl"));
  // Another replica claims to lead the same term.
  auto line = line_with(text, "\"role\":\"leader\"");
  const auto who = member(line, "replica");
  const auto at = text.find(line) + line.size() + 1;
  line.replace(line.find("\"replica\":\"" + who), 15, "\"replica\":\"0042");
  line.replace(line.find("\"raft\":{"), 8, "\"raft\":{\"term\":1,");
  text.insert(at, line + "\n");
  f.write("planted.jsonl", text);
  const auto judged = call(f, {TROUPE_CHECK, "trace", "planted.jsonl"});
  CHECK(judged.status == 1);
  CHECK(judged.out.find("broken: election safety: ") != judged.out.npos);
  // With the time at which `show` has it.
  const auto shown = call(f, {TROUPE_TRACE, "show", "--replica", "0042", "planted.jsonl"});
  CHECK(judged.out.find("\n  " + line_with(shown.out, "0042/raft").substr(0, 8)) != judged.out.npos);
}

TEST_CASE("trace: damaged files are read up to the damage, and bad input gets one line") {
  const scratch_folder f;
  REQUIRE(call(f, {TROUPE_SIM, "simple-1", "--seed", "7", "--trace", "a.jsonl"}).status == 0);
  const auto text = contents(f.path("a.jsonl"));
  f.write("cut.jsonl", text.substr(0, text.size() / 2));
  const auto judged = call(f, {TROUPE_CHECK, "trace", "cut.jsonl"});
  CHECK(judged.status == 2);
  CHECK(judged.out.find("is cut off: read up to there") != judged.out.npos);
  const auto shown = call(f, {TROUPE_TRACE, "show", "cut.jsonl"});
  CHECK(shown.status == 0);
  CHECK(shown.err.find("is cut off: read up to there") != shown.err.npos);

  const auto parted = call(f, {TROUPE_TRACE, "diff", "a.jsonl", "cut.jsonl"});
  CHECK(parted.status == 1);
  CHECK(parted.out.ends_with("B:  (cut off in the middle of a line)\n"));

  f.write("other", "no trace\n");
  f.write("empty", "");
  for (const auto& words :
       std::vector<std::vector<std::string>>{{TROUPE_CHECK, "trace", "other"},
                                             {TROUPE_CHECK, "trace", "missing"},
                                             {TROUPE_CHECK, "trace", "."},
                                             {TROUPE_CHECK, "trace", "empty"},
                                             {TROUPE_TRACE, "show", "empty"},
                                             {TROUPE_TRACE, "show", "--follow", "other"},
                                             {TROUPE_TRACE, "show", "--follow", "missing"},
                                             {TROUPE_TRACE, "show", "--follow", "."},
                                             {TROUPE_TRACE, "show", "--follow", "-"},
                                             {TROUPE_TRACE, "show", "other"},
                                             {TROUPE_TRACE, "stats", "missing"},
                                             {TROUPE_TRACE, "diff", "a.jsonl", "."},
                                             {TROUPE_TRACE, "show", "--from", "x", "a.jsonl"},
                                             {TROUPE_TRACE, "show", "--from", "5", "--until", "2", "a.jsonl"},
                                             {TROUPE_TRACE, "show", "--actor", "foo", "a.jsonl"},
                                             {TROUPE_TRACE, "show", "--term", "x", "a.jsonl"},
                                             {TROUPE_TRACE, "show", "--replica", "zz", "a.jsonl"},
                                             {TROUPE_TRACE, "bogus", "a.jsonl"},
                                             {TROUPE_SIM, "all", "--trace", "x"},
                                             {TROUPE_SIM, "simple-1", "--trace", "no/such"},
                                             {TROUPE_SIM, "--real", "simple-1", "--html", "no/such"}}) {
    const auto refused = call(f, words);
    CAPTURE(words[0]);
    CAPTURE(words[1]);
    CHECK(refused.status == (words[0] == TROUPE_CHECK ? 3 : 2));
    CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
    CHECK(refused.err.size() < 200);
  }
}

/// How long the trace in a page is, packed as it is there; 0: there is none.
static std::size_t bytes_of_trace(const std::string& page) {
  const auto begin = page.find("<script type=\"text/plain\" id=\"trace\">");
  return begin == page.npos ? 0 : page.find("</script>", begin) - begin;
}

TEST_CASE("trace: a real run as a page has all processes, and their traces only where they are wanted") {
  const scratch_folder f;
  f.write("short.json",
          R"({"lifetime": 1, "replicas": 3, "requests": 20, "mix": 0.5, "start_wait": 1.5, "end_wait": 1})");
  // How they are graded is up to chance.
  CHECK(call(f, {"/usr/bin/env", "TMPDIR=" + f.path("."), TROUPE_SIM, "--real", "short.json", "--html",
                 "run.html"})
            .status < 2);
  CHECK(bytes_of_trace(contents(f.path("run.html"))) > 1'000);
  for (const auto& entry : std::filesystem::directory_iterator(f.path(".")))
    CHECK_MESSAGE(!entry.path().filename().string().starts_with("troupe-sim-"), entry.path());

  CHECK(call(f, {TROUPE_SIM, "--real", "short.json", "--html", "both.html", "--trace", "t"}).status < 2);
  REQUIRE(call(f, {TROUPE_TRACE, "html", "t", "t.0000", "t.0001", "t.0002", "-o", "later.html"}).status == 0);
  CHECK(contents(f.path("both.html")) == contents(f.path("later.html")));
}

TEST_CASE("trace: a chaos run makes its page as other runs do") {
  const scratch_folder f;
  const std::vector<std::string> chaos{TROUPE_SIM, "chaos", "--seed", "3", "--runs", "1", "--for", "3"};
  const auto with = [&](const std::vector<std::string>& more) {
    auto words = chaos;
    words.insert(words.end(), more.begin(), more.end());
    return call(f, words);
  };
  CHECK(with({"--html", "both.html", "--trace", "both.jsonl"}).status == 0);
  CHECK(with({"--trace", "only.jsonl"}).status == 0);
  CHECK(with({"--html", "only.html"}).status == 0);
  const bool same_trace = contents(f.path("both.jsonl")) == contents(f.path("only.jsonl"));
  CHECK(same_trace);
  REQUIRE(call(f, {TROUPE_TRACE, "html", "both.jsonl", "-o", "later.html"}).status == 0);
  const bool same_page = contents(f.path("later.html")) == contents(f.path("both.html"));
  CHECK(same_page);
  CHECK(bytes_of_trace(contents(f.path("only.html"))) > 10'000);
}

TEST_CASE("trace: real replicas leave a file each, and together they are one story") {
  const scratch_folder f;
  f.write("short.json",
          R"({"lifetime": 3, "replicas": 3, "requests": 60, "mix": 0.5, "start_wait": 1.5, "end_wait": 2,
              "events": [{"type": "kill_leader", "time": 2}]})");
  const auto run =
      call(f, {TROUPE_SIM, "--real", "--replica", TROUPE_REPLICA, "short.json", "--trace", "t.jsonl"});
  CAPTURE(run.out);
  CAPTURE(run.err);
  REQUIRE(run.status != 2);
  const std::vector<std::string> files{"t.jsonl", "t.jsonl.0000", "t.jsonl.0001", "t.jsonl.0002"};
  auto words = std::vector<std::string>{TROUPE_CHECK, "trace"};
  words.insert(words.end(), files.begin(), files.end());
  const auto judged = call(f, words);
  CAPTURE(judged.out);
  CHECK(judged.status == 0);
  // What the others answered is not there.
  const auto some = call(f, {TROUPE_CHECK, "trace", "t.jsonl.0000", "t.jsonl.0001"});
  CHECK(some.status == 2);
  CHECK(some.out.ends_with("linearizability: unknown: the traces of 0002 are not given\n"));
  const auto exported = call(f, {TROUPE_TRACE, "export", "--to", "history", "t.jsonl.0001"});
  CHECK(exported.status == 0);
  CHECK(exported.err.find("troupe-trace: the traces of 0000, 0002 are not given") != exported.err.npos);
  f.write("again.jsonl", contents(f.path("t.jsonl")));
  const auto mixed = call(f, {TROUPE_CHECK, "trace", "t.jsonl", "t.jsonl.0000", "again.jsonl"});
  CHECK(mixed.status == 3);
  CHECK(mixed.err ==
        "troupe-check: again.jsonl: is of another run than t.jsonl: each has a simulator of its own\n");
  const auto mid = member(line_with(contents(f.path("t.jsonl")), "\"type\":\"ok\""), "MID");
  words = {TROUPE_TRACE, "explain", mid};
  words.insert(words.end(), files.begin(), files.end());
  const auto explained = call(f, words);
  CHECK(explained.status == 0);
  CHECK(explained.out.find("client_answer") != explained.out.npos);
  words = {TROUPE_TRACE, "stats", "--json"};
  words.insert(words.end(), files.begin(), files.end());
  rapidjson::Document d;
  d.Parse(call(f, words).out.c_str());
  REQUIRE(!d.HasParseError());
  // The one that was killed has no last word; times count from the beginning of the run.
  REQUIRE(d["leaders"].Size() >= 2);
  const auto& killed = d["leaders"][0];
  REQUIRE(killed.HasMember("to"));
  CHECK(killed["from"].GetInt64() > 0);
  CHECK(killed["from"].GetInt64() < killed["to"].GetInt64());
  CHECK(killed["to"].GetInt64() < 5'000'000'000);
}

TEST_CASE("trace: a run leaves nothing beside its trace that replicas of an earlier one wrote there") {
  const scratch_folder f;
  f.write("t.jsonl.0003", "{\"event\":\"header\",\"format\":1}\n");
  f.write("t.jsonl.0004", "");
  for (const auto* other : {"t.jsonl.0005", "t.jsonl.12", "t.jsonl.copy", "u.jsonl.0003"})
    f.write(other, "somebody's own\n");
  CHECK(call(f, {TROUPE_SIM, "simple-1", "--seed", "7", "--trace", "t.jsonl"}).status == 0);
  CHECK_FALSE(std::filesystem::exists(f.path("t.jsonl.0003")));
  CHECK_FALSE(std::filesystem::exists(f.path("t.jsonl.0004")));
  for (const auto* other : {"t.jsonl.0005", "t.jsonl.12", "t.jsonl.copy", "u.jsonl.0003"})
    CHECK(contents(f.path(other)) == "somebody's own\n");
}

TEST_CASE("trace: of a replica that is not ours there is what passes through the network") {
  const scratch_folder f;
  f.write("short.json",
          R"({"lifetime": 3, "replicas": 3, "requests": 60, "mix": 0.5, "start_wait": 1, "end_wait": 1,
              "tests": {"maximum_get_generation_fail_fraction": 1}})");
  const auto run =
      call(f, {TROUPE_SIM, "--real", "--replica", f.replica("none"), "short.json", "--trace", "t.jsonl"});
  CAPTURE(run.out);
  CAPTURE(run.err);
  CHECK(run.status == 0); // it takes no argument but the course's
  CHECK(contents(f.path("t.jsonl.0000")).empty());
  const auto counted = call(f, {TROUPE_TRACE, "stats", "t.jsonl"});
  CHECK(counted.status == 0);
  CHECK(counted.out.find("C000->") != counted.out.npos);
  CHECK(counted.out.find("ok sent") != counted.out.npos);
}

TEST_CASE("trace: show --follow prints what comes, while it comes, up to the end") {
  const scratch_folder f;
  REQUIRE(call(f, {TROUPE_SIM, "simple-1", "--seed", "7", "--trace", "a.jsonl"}).status == 0);
  std::istringstream whole(contents(f.path("a.jsonl")));
  std::vector<std::string> lines;
  for (std::string line; std::getline(whole, line);)
    lines.push_back(line + "\n");
  REQUIRE(lines.size() > 100);
  REQUIRE(lines.back().find("\"end\"") != std::string::npos);
  const auto shown = [&] {
    const auto text = contents(f.path("out"));
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  };
  std::ofstream growing(f.path("growing.jsonl"), std::ios::binary);
  growing << lines[0] << lines[1] << std::flush;
  const auto process = begin(f, {TROUPE_TRACE, "show", "--follow", "growing.jsonl"});
  int status = 0;
  bool over = false;
  const auto is_over = [&] { return over = over || ::waitpid(process, &status, WNOHANG) == process; };
  CHECK(eventually([&] { return shown() == 1; })); // without the header
  // Half a line is nothing yet, whatever follows it.
  const auto half = lines[2].size() / 2;
  growing << lines[2].substr(0, half) << std::flush;
  growing << lines[2].substr(half) << lines[3] << lines[4].substr(0, half) << std::flush;
  CHECK(eventually([&] { return shown() == 3; }));
  CHECK_FALSE(is_over());
  growing << lines[4].substr(half) << std::flush;
  CHECK(eventually([&] { return shown() == 4; }));
  for (std::size_t i = 5; i + 1 < lines.size(); ++i)
    growing << lines[i];
  growing << std::flush;
  CHECK(eventually([&] { return shown() == lines.size() - 2; }));
  CHECK_FALSE(is_over());
  growing << lines.back() << std::flush;
  CHECK(eventually(is_over));
  if (!over)
    ::kill(process, SIGKILL);
  CHECK(status == 0);
  CHECK(contents(f.path("err")).empty());
  const auto followed = contents(f.path("out"));
  const auto all = call(f, {TROUPE_TRACE, "show", "a.jsonl"}).out;
  const bool same = followed == all.substr(all.find('\n') + 1); // without the line about the file
  CHECK(same);
}

TEST_CASE("trace: show --follow ends with whoever reads it, though the file does not grow") {
  const scratch_folder f;
  REQUIRE(
      call(f, {"/bin/sh", "-c", TROUPE_SIM " simple-1 --seed 7 --trace a && head -n 2 a > growing"}).status ==
      0);
  const auto process = begin(f, {"/bin/sh", "-c", TROUPE_TRACE " show --follow growing | head -n 1"});
  int status = 0;
  const bool over = eventually([&] { return ::waitpid(process, &status, WNOHANG) == process; });
  CHECK(over);
  if (!over) // what is no record ends it
    std::ofstream(f.path("growing"), std::ios::app) << "x\n";
  CHECK(status == 0);
}

TEST_CASE("trace: nothing but the trace is in it, whatever descriptors the replica was started without") {
  const scratch_folder f;
  for (const std::string closed : {"0<&- 2>/dev/null", "1>&- 2>&-", "0<&- 1>&- 2>&-"}) {
    CAPTURE(closed);
    const auto ran = call(f, {"/bin/sh", "-c",
                              // Not timeout(1): it sends SIGCONT as well, which takes the stop away that
                              // LeakSanitizer waits for at the end.
                              "rm -f t; " TROUPE_REPLICA " --trace t --data d 9 0000 0001 " + closed +
                                  " & n=0; until [ -s t ] || [ $((n += 1)) -gt 300 ]; do sleep 0.1; done; "
                                  "kill -TERM $!; wait $! && " TROUPE_TRACE " stats t"});
    CHECK(ran.status == 0);
    CHECK(ran.err.empty());
  }
}

TEST_CASE("trace: a replica keeps its last moments, and writes them when it is asked to") {
  const scratch_folder f;
  const auto sim = begin(f, {TROUPE_SIM, "--real", "--replica", TROUPE_REPLICA, "simple-1", "--verbose"});
  const auto said = [&] { return contents(f.path("out")) + contents(f.path("err")); };
  REQUIRE(eventually([&] { return said().find(" leads") != std::string::npos; }));
  // The replicas are the simulator's children.
  std::istringstream children(
      contents("/proc/" + std::to_string(sim) + "/task/" + std::to_string(sim) + "/children"));
  std::vector<pid_t> replicas;
  for (pid_t child = 0; children >> child;)
    if (contents("/proc/" + std::to_string(child) + "/comm").starts_with("troupe-replica"))
      replicas.push_back(child);
  REQUIRE(!replicas.empty());
  ::kill(replicas.front(), SIGUSR1);
  const std::string words = "the last moments are in ";
  const auto path = [&] {
    const auto text = said();
    const auto at = text.find(words);
    const auto end = at == text.npos ? at : text.find('\n', at);
    return end == text.npos ? "" : text.substr(at + words.size(), end - at - words.size());
  };
  CHECK(eventually([&] { return !path().empty(); }));
  ::kill(sim, SIGTERM);
  int status = 0;
  ::waitpid(sim, &status, 0);
  REQUIRE(!path().empty());
  const auto shown = call(f, {TROUPE_TRACE, "show", "--changes", path()});
  CHECK(shown.status == 0);
  CHECK(shown.out.find("role=") != shown.out.npos);
  ::unlink(path().c_str());
}
