// Exports as users make them: troupe-sim records, troupe-trace writes for others, troupe-check reads one of
// them.

#include "test/process/sim_support.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <unistd.h>

using troupe::test::call;
using troupe::test::called;
using troupe::test::contents;
using troupe::test::scratch_folder;

namespace {

called export_to(const scratch_folder& f, const std::string& target, std::vector<std::string> more) {
  std::vector<std::string> words{TROUPE_TRACE, "export", "--to", target};
  words.insert(words.end(), more.begin(), more.end());
  return call(f, words);
}

constexpr const char* targets[] = {"shiviz", "perfetto", "porcupine", "history"};

/// A short run with real processes: a file of the simulator's and one of each replica.
std::vector<std::string> record_real_run(const scratch_folder& f) {
  f.write("short.json",
          R"({"lifetime": 3, "replicas": 3, "requests": 60, "mix": 0.5, "start_wait": 1, "end_wait": 1})");
  const auto run =
      call(f, {TROUPE_SIM, "--real", "--replica", TROUPE_REPLICA, "short.json", "--trace", "t.jsonl"});
  CAPTURE(run.err);
  REQUIRE(run.status != 2);
  return {"t.jsonl", "t.jsonl.0000", "t.jsonl.0001", "t.jsonl.0002"};
}

} // namespace

TEST_CASE("export: the same bytes to a file, to the standard output and again") {
  const scratch_folder f;
  REQUIRE(call(f, {TROUPE_SIM, "crash-4", "--seed", "7", "--trace", "a.jsonl"}).status == 0);
  for (const auto* target : targets) {
    CAPTURE(target);
    const auto said = export_to(f, target, {"a.jsonl"});
    CHECK(said.status == 0);
    CHECK(said.err.empty());
    CHECK(said.out.size() > 10'000);
    const auto written = export_to(f, target, {"a.jsonl", "-o", "out.file"});
    CHECK(written.status == 0);
    CHECK(written.out.empty());
    const bool same = contents(f.path("out.file")) == said.out;
    CHECK(same);
  }
  const auto judged = call(f, {TROUPE_CHECK, "history", "out.file"});
  CHECK(judged.status == 0);
  CHECK(judged.out == "out.file: linearizable\n");
}

TEST_CASE("export: a stretch of time, and a host for each actor") {
  const scratch_folder f;
  REQUIRE(call(f, {TROUPE_SIM, "crash-4", "--seed", "7", "--trace", "a.jsonl"}).status == 0);
  const auto whole = export_to(f, "shiviz", {"a.jsonl"}).out;
  const auto stretch = export_to(f, "shiviz", {"a.jsonl", "--from", "12.5", "--until", "13.2"}).out;
  CHECK(stretch.size() > 1000);
  CHECK(stretch.size() < whole.size() / 10);
  const auto actors = export_to(f, "shiviz", {"a.jsonl", "--actors"}).out;
  CHECK(actors.find("\n0003/raft {") != actors.npos);
}

TEST_CASE("export: files of real replicas become one story") {
  const scratch_folder f;
  const auto files = record_real_run(f);
  for (const auto* target : targets) {
    CAPTURE(target);
    const auto said = export_to(f, target, files);
    CHECK(said.status == 0);
    CHECK(said.err.empty());
    f.write(target, said.out);
  }
  CHECK(call(f, {TROUPE_CHECK, "history", "history"}).status == 0);
  for (const auto* target : {"perfetto", "porcupine"}) {
    rapidjson::Document d;
    d.Parse(contents(f.path(target)));
    CHECK_FALSE(d.HasParseError());
  }
  // Each replica heard of the others and of clients.
  const auto log = contents(f.path("shiviz"));
  for (const auto* host : {"0000", "0001", "0002"}) {
    const auto last = log.rfind(std::string("\n").append(host).append(" {"));
    REQUIRE(last != log.npos);
    const auto clock = log.substr(last, log.find('}', last) - last);
    for (const auto* other : {"\"0000\":", "\"0001\":", "\"0002\":", "\"C00"})
      CHECK_MESSAGE(clock.find(other) != clock.npos, clock);
  }
}

TEST_CASE("export: what cannot be read or written is said in one line, with status 2") {
  const scratch_folder f;
  REQUIRE(call(f, {TROUPE_SIM, "simple-1", "--seed", "7", "--trace", "a.jsonl"}).status == 0);
  f.write("other", "no trace\n");
  f.write("empty", "");
  const auto refused = [&](const std::vector<std::string>& more, const std::string& target = "perfetto") {
    const auto c = export_to(f, target, more);
    CAPTURE(more.front());
    CAPTURE(more.back());
    CAPTURE(c.err);
    CHECK(c.status == 2);
    CHECK(std::count(c.err.begin(), c.err.end(), '\n') == 1);
    return c.err;
  };
  refused({"other"});
  refused({"empty"});
  refused({"missing"});
  refused({"."});
  refused({"a.jsonl", "other"});
  refused({"a.jsonl"}, "paper");
  refused({"a.jsonl", "--actors"});
  refused({"a.jsonl", "--from", "2"}, "history");
  CHECK(refused({"a.jsonl", "-o", "no/such"}).find("no/such: No such file") != std::string::npos);
  for (const auto* target : targets)
    CHECK(refused({"a.jsonl", "-o", "/dev/full"}, target).find("/dev/full: No space left") !=
          std::string::npos);
  CHECK(refused({"a.jsonl", "-o", "./a.jsonl"}).find("would overwrite what is to be read") !=
        std::string::npos);
  const auto full = call(f, {TROUPE_TRACE, "export", "--to", "history", "a.jsonl"}, {.out = "/dev/full"});
  CHECK(full.status == 2);
  CHECK(full.err == "troupe-trace: the standard output: No space left on device\n");
  CHECK(contents(f.path("a.jsonl")).size() > 1000);
}

TEST_CASE("export: a damaged trace is exported up to the damage") {
  const scratch_folder f;
  REQUIRE(call(f, {TROUPE_SIM, "simple-1", "--seed", "7", "--trace", "a.jsonl"}).status == 0);
  const auto text = contents(f.path("a.jsonl"));
  f.write("cut.jsonl", text.substr(0, text.size() / 2));
  for (const auto* target : targets) {
    CAPTURE(target);
    const auto said = export_to(f, target, {"cut.jsonl"});
    CHECK(said.status == 0);
    CHECK(said.err.find("is cut off: read up to there") != said.err.npos);
    CHECK(said.out.size() > 1000);
  }
}

TEST_CASE("tools: no output is lost without a word, and no input is overwritten") {
  const scratch_folder f;
  REQUIRE(call(f, {TROUPE_SIM, "simple-1", "--seed", "7", "--trace", "a.jsonl"}).status == 0);
  const auto before = contents(f.path("a.jsonl"));
  for (const std::vector<std::string>& words : {std::vector<std::string>{TROUPE_TRACE, "stats", "a.jsonl"},
                                                {TROUPE_TRACE, "explain", "5", "a.jsonl"},
                                                {TROUPE_TRACE, "html", "a.jsonl", "-o", "-"},
                                                {TROUPE_SIM, "simple-1"},
                                                {TROUPE_SIM, "chaos", "--runs", "1"},
                                                {TROUPE_CHECK, "trace", "a.jsonl"}}) {
    CAPTURE(words[1]);
    const auto full = call(f, words, {.out = "/dev/full"});
    CHECK(full.status == (words[0] == TROUPE_CHECK ? 3 : 2));
    CAPTURE(full.err);
    CHECK(full.err.find(": the standard output: ") != full.err.npos);
    CHECK(std::count(full.err.begin(), full.err.end(), '\n') == 1);
  }
  for (const std::string words :
       {TROUPE_TRACE " html a.jsonl -o b", TROUPE_TRACE " export a.jsonl --to shiviz -o b",
        TROUPE_SIM " simple-1 --trace b", TROUPE_SIM " simple-1 --json b",
        TROUPE_SIM " chaos --runs 1 --seed 1 --history b"}) {
    CAPTURE(words);
    const auto limited = call(f, {"/bin/sh", "-c", "ulimit -f 1; exec " + words});
    CHECK(limited.status == 2);
    CHECK_MESSAGE(limited.err.find(": File too large\n") != std::string::npos, limited.err);
  }
  f.write("a.json", R"({"lifetime": 1, "replicas": 3, "requests": 10})");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{TROUPE_TRACE, "html", "a.jsonl", "-o", "./a.jsonl"},
        {TROUPE_CHECK, "history", "a.jsonl", "--json", "a.jsonl"},
        {TROUPE_SIM, "a.json", "--json", "a.json"},
        {TROUPE_SIM, "a.json", "--trace", "a.json"}}) {
    CAPTURE(words[1]);
    const auto refused = call(f, words);
    CHECK(refused.status == (words[0] == TROUPE_CHECK ? 3 : 2));
    CHECK(refused.err.find("would overwrite what is to be read\n") != std::string::npos);
  }
  CHECK(contents(f.path("a.jsonl")) == before);
  const auto twice = call(f, {TROUPE_CHECK, "trace", "a.jsonl", "./a.jsonl"});
  CHECK(twice.status == 3);
  CHECK(twice.err == "troupe-check: ./a.jsonl is given twice\n");
  f.write("network.jsonl",
          "{\"event\":\"header\",\"format\":1}\n{\"event\":\"end\",\"at\":1,\"text\":\"\"}\n");
  const auto nothing = call(f, {TROUPE_CHECK, "trace", "network.jsonl"});
  CHECK(nothing.status == 2);
  CHECK(nothing.out.starts_with("unknown: "));
}
