#include "actors/messages.hpp"
#include "trace/content.hpp"
#include "trace/context.hpp"
#include "trace/read.hpp"
#include "trace/recorder.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <future>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace troupe;

namespace {

template <class T>
std::string written(const T& value) {
  trace::packer packed;
  trace::form<T>::pack(packed, value);
  trace::packer text;
  trace::json_writer json(text);
  trace::unpacker in(packed.bytes());
  trace::form<T>::print(in, json);
  CHECK(in.rest().empty());
  return std::string(text.bytes());
}

/// As the recorder makes them of a line.
std::string record_of(const std::string& line) {
  trace::packer out;
  out.raw(trace::record_head{trace::record_kind::line,
                             static_cast<std::uint32_t>(sizeof(trace::record_head) + line.size())});
  out.bytes_of(line);
  return std::string(out.bytes());
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct unlisted {
  int number = 0;
};

} // namespace

TEST_CASE("trace: content follows the list of fields, and leaves out what is not there") {
  CHECK(written(actors::write_done{3, {7}, {2}}) == R"({"number":3,"index":7,"term":2})");
  CHECK(written(actors::start{}) == "{}");
  CHECK(written(client_request{{"C001", "M1"}, kv::put{"k", "v"}}) ==
        R"({"id":{"client":"C001","MID":"M1"},"operation":{"type":"put","key":"k","value":"v"}})");
  CHECK(written(raft::storage_write{}) == R"({"entries":[]})");
  CHECK(written(raft::storage_write{raft::hard_state{{3}, {1}}, nullptr, log_index{4}, {}}) ==
        R"({"hard_state":{"term":3,"voted_for":"0001"},"truncate_behind":4,"entries":[]})");
  CHECK(written(raft::read_ready{5, never}) == R"({"id":5})");
  CHECK(written(raft::standing{raft::role_kind::leader, {2}, {1}}) ==
        R"({"role":"leader","term":2,"leader":"0001"})");
}

TEST_CASE("trace: what has no list of fields is recorded all the same") {
  CHECK(written(unlisted{}) == "null");
}

TEST_CASE("trace: long texts are cut, and different ones stay different") {
  const std::string long_text(2000, 'x');
  const auto cut = written(long_text);
  CHECK(cut.size() < trace::longest_text_bytes + 60);
  CHECK(cut.find("...(2000 bytes, ") != cut.npos);
  CHECK(written(long_text.substr(0, 1999) + "y") != cut);
  // Of very long ones not each byte is looked at, but the ends, and what changes in many places.
  std::string state((3 << 20) + 5, 'x');
  const auto of_state = written(state);
  CHECK(of_state.find("...(3145733 bytes, ") != of_state.npos);
  CHECK(written(state.substr(1)) != of_state);
  for (const std::size_t place : {std::size_t{1'000}, state.size() - 1}) {
    auto other = state;
    other[place] = 'y';
    CHECK(written(other) != of_state);
  }
  auto other = state;
  for (std::size_t i = 1'000'000; i < other.size() - 1'000'000; i += 1'000)
    other[i] = 'y';
  CHECK(written(other) != of_state);
  // Not in the middle of a character.
  std::string umlauts = "a";
  for (int i = 0; i < 600; ++i)
    umlauts += "\xC3\xA4";
  CHECK(trace::parse(written(umlauts)).text.substr(0, 3) == "a\xC3\xA4");
}

TEST_CASE("trace: whatever bytes a text has, the line is JSON") {
  CHECK(trace::parse(written(std::string("\xFF{\"a\":1}"))).text == "?{\"a\":1}");
  // Each byte, at each place of a word.
  for (int byte = 0; byte < 256; ++byte)
    for (std::size_t place = 0; place < 11; ++place) {
      std::string text = "abcdefghijk";
      text[place] = static_cast<char>(byte);
      auto expected = text;
      if (byte >= 0x80)
        expected[place] = '?';
      CHECK(trace::parse(written(text)).text == expected);
    }
}

TEST_CASE("ring: of records that come together, and are more than it holds, it keeps the last") {
  trace::ring ring(100);
  std::string together;
  for (int i = 0; i < 50; ++i)
    together += record_of(fmt::format("{}\n", i));
  ring.take(record_of("before\n"));
  ring.take(together);
  CHECK(together.ends_with(ring.records()));
  CHECK(trace::print(ring.records()).ends_with("48\n49\n"));
  CHECK(ring.records().size() > 100 - record_of("48\n").size());
  CHECK(ring.dropped() + ring.records().size() / record_of("48\n").size() == 51);
}

TEST_CASE("recorder: what an unbroken thread records is handed on together, in order, and early where it is "
          "wanted") {
  struct counted : trace::sink {
    void take(std::string_view records) override {
      ++times;
      text += trace::print(records);
    }
    int times = 0;
    std::string text;
  } first, second;
  trace::recorder a(first);
  trace::recorder b(second);
  {
    const trace::unbroken turn;
    a.take(record_of("1\n"));
    {
      const trace::unbroken inner;
      a.take(record_of("2\n"));
    }
    CHECK(first.times == 0);
    a.flush();
    CHECK(first.text == "1\n2\n");
    a.take(record_of("3\n"));
    a.alone([&] { CHECK(first.text == "1\n2\n3\n"); });
    a.take(record_of("4\n"));
    b.take(record_of("5\n")); // of another cluster in the same thread
    CHECK(first.text == "1\n2\n3\n4\n");
    a.take(record_of("6\n"));
    CHECK(second.text == "5\n");
  }
  CHECK(first.text == "1\n2\n3\n4\n6\n");
  CHECK(first.times == 4);
  a.take(record_of("7\n"));
  CHECK(first.times == 5);
  const trace::unbroken turn;
  for (int i = 0; i < 1000; ++i) // nobody wants to wait for much
    a.take(record_of(std::string(1000, '.') + '\n'));
  CHECK(first.times > 10);
}

TEST_CASE("ring: keeps the last whole records, within its bound") {
  constexpr std::size_t bound = 300;
  trace::ring ring(bound);
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    const auto record =
        record_of(fmt::format("{}{}\n", i, std::string(static_cast<std::size_t>(i % 17), '.')));
    all += record;
    ring.take(record);
    const auto kept = ring.records();
    CHECK(kept.size() <= bound);
    CHECK((kept.size() == all.size() || kept.size() > bound - 50)); // no record is longer
    CHECK(all.ends_with(kept));
    CHECK(trace::print(all).ends_with(trace::print(kept))); // whole ones only
  }
  CHECK(ring.dropped() > 900);
  const auto before = ring.records();
  ring.take(record_of(std::string(bound, 'x'))); // never fits
  CHECK(ring.records() == before);
}

TEST_CASE("file: has all that was taken down, in order, whenever it is asked to be up to date") {
  const auto path =
      (std::filesystem::temp_directory_path() / fmt::format("recorder_test_{}", ::getpid())).string();
  std::string expected = format(trace::header{});
  {
    trace::file file(path, {});
    for (int i = 0; i < 20'000; ++i) {
      const auto line = fmt::format("line {} {}\n", i, std::string(100, '.'));
      expected += line;
      file.take(record_of(line));
      if (i % 7'000 == 6'999) {
        file.flush();
        CHECK(text_of(path) == expected);
      }
    }
  }
  CHECK(text_of(path) == expected);
  std::filesystem::remove(path);
}

TEST_CASE("file: does not wait for who reads a pipe, and where a name could be guessed takes no file that is "
          "there") {
  const auto path =
      (std::filesystem::temp_directory_path() / fmt::format("recorder_pipe_{}", ::getpid())).string();
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK_THROWS_WITH(trace::file(path, {}), (path + ": No such device or address").c_str());
  CHECK_THROWS_WITH(trace::file(path, {}, trace::file::place::fresh), (path + ": File exists").c_str());
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/dev/null", path);
  CHECK_THROWS_WITH(trace::file(path, {}, trace::file::place::fresh), (path + ": File exists").c_str());
  std::filesystem::remove(path);
}

TEST_CASE("file: nobody who records waits for a reader that stands still") {
  const auto path =
      (std::filesystem::temp_directory_path() / fmt::format("recorder_slow_{}", ::getpid())).string();
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  const auto read_some = [reader] {
    std::string some(1 << 12, ' ');
    return ::read(reader, some.data(), some.size());
  };
  std::jthread reads; // ends behind the file, with the pipe
  trace::file file(path, {});
  std::filesystem::remove(path);
  ::fcntl(reader, F_SETFL, 0);
  const auto more_than_a_pipe_holds = record_of(std::string(200'000, '.') + "\n");
  file.take(more_than_a_pipe_holds);
  // The header is shorter than what is read here, so the record is being written; the rest of it has no room.
  for (ssize_t bytes = 0; bytes < 1 << 12;)
    bytes += read_some();
  auto second = std::async(std::launch::async, [&] { file.take(more_than_a_pipe_holds); });
  CHECK(second.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  reads = std::jthread([reader, read_some] {
    while (read_some() > 0) {
    }
    ::close(reader);
  });
}

TEST_CASE("file: says why it could not be written, and goes on") {
  trace::file file("/dev/full", {});
  file.take(record_of("lost\n"));
  file.flush();
  CHECK(file.error() == "/dev/full: No space left on device");
  CHECK_THROWS_WITH(trace::file("/nowhere/at/all", {}), "/nowhere/at/all: No such file or directory");
}

TEST_CASE("glance: finds a member's text, and not what only looks like it") {
  const std::string_view m = R"({"src":"0001","dst":"MID","type":"put","MID":"M7"})";
  CHECK(trace::glance(m, "MID") == "M7");
  CHECK(trace::glance(m, "type") == "put");
  CHECK(trace::glance(m, "key") == "");
  CHECK(trace::glance("", "type") == "");
  CHECK(trace::glance(R"({"type":"pu)", "type") == "pu");
}

TEST_CASE("trace: what is planned for a message's arrival follows from it, and nothing else does") {
  trace::ring ring(10'000);
  trace::recorder recorder(ring);
  {
    const trace::within handling({41, 7, "network"});
    {
      const trace::within sending(trace::current);
      recorder.note({"0000", "0001", "sent", "heartbeat", "", 10}, {std::chrono::seconds(2)});
      CHECK(trace::current.cause == 1);
    }
    CHECK(trace::current.cause == 41);
  }
  CHECK(trace::current.cause == 0);
  const auto r = trace::read_line(trace::print(ring.records()));
  CHECK(r.cause == 41);
  CHECK(r.lamport == 8);
  CHECK(r.begin == 2'000'000'000);
  CHECK(r.fate == "sent");
}

TEST_CASE("trace: a violation follows from what was handled when it was found, other notes from nothing") {
  trace::ring ring(10'000);
  trace::recorder recorder(ring);
  const auto last = [&] {
    const auto lines = trace::print(ring.records());
    return trace::read_line(lines.substr(lines.rfind('\n', lines.size() - 2) + 1));
  };
  {
    const trace::within handling({41, 7, "raft"});
    recorder.note_violation("0000", "a rule", {std::chrono::seconds(2)});
    CHECK(last().event == "violation");
    CHECK(last().cause == 41);
    CHECK(last().lamport == 8);
    recorder.note("crash", "0000", "", {std::chrono::seconds(2)});
    CHECK(last().cause == 0);
  }
  recorder.note_violation("", "found in the end", {std::chrono::seconds(3)});
  CHECK(last().text == "found in the end");
  CHECK(last().cause == 0);
}
