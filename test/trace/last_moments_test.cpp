// What a replica's process does with its trace (app/replica/tracing.hpp) when it cannot go on.

#include "app/replica/tracing.hpp"
#include "trace/context.hpp"
#include "trace/read.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace troupe;

namespace {

app::replica_arguments arguments() {
  return {.simulator = app::datagram_port{1},
          .directory = wire::directory("0000", {"0001", "0002"}),
          .raft = {},
          .router = {},
          .data = "",
          .trace = "",
          .command = "troupe-replica 1 0000 0001 0002"};
}

trace::recording recording_at(const std::string& path) {
  std::ifstream file(path);
  return trace::read(std::string{std::istreambuf_iterator<char>(file), {}});
}

} // namespace

TEST_CASE("tracing: the last moments before a broken rule get into a file, and the rule with them") {
  auto a = arguments();
  a.trace_memory_mib = 1;
  app::tracing t(a);
  for (int i = 0; i < 100'000; ++i) // more than the memory holds
    t.recorder()->note("fault", "0000", "moment " + std::to_string(i), {std::chrono::seconds(2)});
  t.note_violation("committed entry 7 would be removed");
  const auto said = t.keep();
  const std::string words = "the last moments are in ";
  REQUIRE(said.starts_with(words));
  const auto path = said.substr(words.size());
  const auto found = recording_at(path);
  std::filesystem::remove(path);
  CHECK(found.damage == "");
  CHECK(found.complete);
  CHECK(found.replica == "0000");
  CHECK(found.command == "troupe-replica 1 0000 0001 0002");
  CHECK(found.records.size() > 1'000);
  CHECK(found.records.size() < 50'000);
  const auto& violation = found.records[found.records.size() - 2]; // the last one says that this is the end
  CHECK(violation.event == "violation");
  CHECK(violation.text == "committed entry 7 would be removed");
  CHECK(found.records[found.records.size() - 3].text == "moment 99999");
}

TEST_CASE("tracing: the message that broke the rule is there, and is the cause") {
  auto a = arguments();
  a.trace =
      (std::filesystem::temp_directory_path() / ("last_message_test_" + std::to_string(::getpid()))).string();
  app::tracing t(a);
  trace::packer record;
  trace::message_head head;
  head.id = 41;
  head.from = "edge";
  head.to = "raft";
  head.print_content = [](trace::unpacker&, trace::json_writer& json) { json.plain_member("type", "wake"); };
  record.raw(trace::record_head{});
  record.raw(head);
  {
    const trace::within handling({41, 7, "raft"});
    trace::unfinished = {&record, &head};
    t.note_violation("a rule");
    trace::unfinished = {};
  }
  t.keep();
  const auto found = recording_at(a.trace);
  std::filesystem::remove(a.trace);
  REQUIRE(found.records.size() == 3);
  CHECK(found.records[1].id == 41);
  CHECK(found.records[1].type == "wake");
  CHECK(found.records[2].event == "violation");
  CHECK(found.records[2].cause == 41);
}

TEST_CASE("tracing: a file has everything up to the broken rule") {
  auto a = arguments();
  a.trace =
      (std::filesystem::temp_directory_path() / ("last_moments_test_" + std::to_string(::getpid()))).string();
  app::tracing t(a);
  t.note_violation("a rule");
  CHECK(t.keep() == "the trace is in " + a.trace);
  const auto found = recording_at(a.trace);
  std::filesystem::remove(a.trace);
  REQUIRE(found.records.size() == 2);
  CHECK(found.records[0].event == "start");
  CHECK(found.records[1].text == "a rule");
}

TEST_CASE("tracing: who keeps nothing says so, and a full disk is named") {
  auto a = arguments();
  app::tracing none(a);
  CHECK(none.recorder() == nullptr);
  CHECK(none.keep() == "no last moments are kept (--trace-memory 0)");
  a.trace = "/dev/full";
  app::tracing full(a);
  CHECK(full.keep() == "the trace could not be written: /dev/full: No space left on device");
  CHECK(full.end() == "/dev/full: No space left on device");
}
