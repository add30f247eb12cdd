// The log on a disk: whose it is, what it keeps, what it throws away.

#include "cluster/disk_judge.hpp"
#include "test/disk/disk_support.hpp"

#include <algorithm>
#include <fmt/format.h>

using namespace troupe;
using namespace troupe::test;
using disk::disk_error;
using disk::disk_log;

TEST_CASE("disk log: is empty at first, and gives back what it took") {
  fresh_disk d;
  actors::memory_storage model;
  writer writes({7, 1});
  {
    disk_log log(d.disk, somebody, small_segments);
    CHECK(find_loss({}, {}, log.take_found()).empty());
    for (int i = 0; i < 200; ++i) {
      const auto w = writes.next(model.load());
      store(log, w);
      model.apply(w);
    }
  }
  disk_log again(d.disk, somebody, small_segments);
  CHECK(again.remarks().empty());
  const auto found = again.take_found();
  const auto loss = find_loss(model, {}, found);
  CHECK_MESSAGE(loss.empty(), loss);
  for (const auto& e : found.entries)
    CHECK(e->wire_bytes == wire::wire_bytes(e->payload));
}

TEST_CASE("disk log: all that was applied goes out with one write and one sync") {
  fresh_disk d;
  disk_log log(d.disk, somebody);
  const auto before = d.disk.operations();
  for (std::uint64_t i = 1; i <= 100; ++i)
    log.apply({raft::hard_state{{i}, {0}}, nullptr, std::nullopt, {make_entry(i, i)}});
  CHECK(d.disk.operations() == before);
  log.store(log.take_batch());
  CHECK(d.disk.operations() == before + 3); // and the mark behind it, which nobody waits for
  CHECK_FALSE(log.has_batch());
}

TEST_CASE("disk log: knows how far it is committed, as of its last batch") {
  fresh_disk d;
  {
    disk_log log(d.disk, somebody, small_segments);
    store(log,
          {raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {make_entry(1, 1), make_entry(2, 1)}, {1}});
    log.apply({{}, nullptr, std::nullopt, {make_entry(3, 1)}, {2}});
    log.apply({{}, nullptr, std::nullopt, {make_entry(4, 1)}, {3}});
    log.store(log.take_batch());
    store(log, {{}, nullptr, std::nullopt, {make_entry(5, 1)}, {3}});
  }
  SUBCASE("from the batch") {}
  SUBCASE("from the beginning of a segment, when those before are gone") {
    disk_log log(d.disk, somebody, small_segments);
    store(log, {{}, make_snapshot(5, 1), std::nullopt, {}, {}});
    store(log, {{}, nullptr, std::nullopt, {make_entry(6, 1)}, {}});
    CHECK(d.segments() == 1);
  }
  disk_log again(d.disk, somebody, small_segments);
  CHECK(again.take_found().commit == log_index{3});
}

TEST_CASE("disk log: what is known to be committed and is not there is damage") {
  fresh_disk d;
  {
    disk_log log(d.disk, somebody, small_segments);
    store(log, {raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {make_entry(1, 1), make_entry(2, 1)}, {}});
    SUBCASE("beyond the end") { store(log, {raft::hard_state{{2}, {0}}, nullptr, std::nullopt, {}, {3}}); }
    SUBCASE("cut off") {
      store(log, {raft::hard_state{{2}, {0}}, nullptr, std::nullopt, {}, {2}});
      store(log, {{}, nullptr, log_index{1}, {make_entry(2, 2)}, {2}});
    }
  }
  CHECK(d.refusal(somebody).find("was committed up to entry") != std::string::npos);
}

TEST_CASE("disk log: segments go when a snapshot stands for all that is in them") {
  fresh_disk d;
  disk_log log(d.disk, somebody, small_segments);
  store(log, {raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {}});
  for (std::uint64_t i = 1; i <= 100; ++i)
    store(log, {{}, nullptr, std::nullopt, {make_entry(i, 1)}});
  CHECK(d.segments() > 5);
  store(log, {{}, make_snapshot(99, 1), std::nullopt, {}});
  CHECK(d.segments() <= 2);
  store(log, {{}, make_snapshot(100, 1, "newer"), std::nullopt, {}});
  CHECK(d.disk.list().size() <= 4);
  disk_log again(d.disk, somebody, small_segments);
  const auto found = again.take_found();
  REQUIRE(found.snapshot);
  CHECK(found.snapshot->data == "newer");
  CHECK(found.hard_state == raft::hard_state{{1}, {0}});
  CHECK(found.entries.empty());
}

TEST_CASE("disk log: somebody else's is refused, in one line that names it") {
  fresh_disk d;
  { disk_log log(d.disk, somebody, small_segments); }
  CHECK(d.refusal({{2}, {{0}, {1}, {2}}}) == "identity: the log is that of replica 0001, not of 0002");
  CHECK(d.refusal({{1}, {{0}, {1}, {3}}}) ==
        "identity: the log is that of a replica of 0000 0001 0002, not of 0000 0001 0003");
  CHECK(d.refusal(somebody).empty());
}

TEST_CASE("disk log: a later version's is refused") {
  fresh_disk d;
  { disk_log log(d.disk, somebody, small_segments); }
  SUBCASE("of its identity") {
    std::string words = "troupe-log 9 replica 0001 cluster 0000 0001 0002";
    words += fmt::format(" crc32c {:08x}\n", disk::checksum(words));
    d.disk.write(disk::identity_name, 0, words);
  }
  SUBCASE("of a segment") {
    auto header = d.disk.read(disk::segment_name(1)).substr(0, disk::segment_header_bytes);
    header[8] = 9;
    const auto sum = disk::checksum(std::string_view(header).substr(0, 32));
    header.replace(32, 4, reinterpret_cast<const char*>(&sum), 4);
    d.disk.write(disk::segment_name(1), 0, header);
  }
  CHECK(d.refusal(somebody).find("is of format 9; this program reads format 4") != std::string::npos);
}

TEST_CASE("disk log: the first format is refused by its number, not called damaged") {
  fresh_disk d;
  d.disk.create(disk::identity_name, 0);
  d.disk.write(disk::identity_name, 0, "troupe-log 1 replica 0001 cluster 0000 0001 0002\n");
  CHECK(d.refusal(somebody) == "identity: the log is of format 1; this program reads format 4");
}

TEST_CASE("disk log: a damaged identity is called damaged, wherever it is hit") {
  fresh_disk d;
  { disk_log log(d.disk, somebody, small_segments); }
  for (std::size_t byte = 0; byte < d.disk.read(disk::identity_name).size(); ++byte)
    for (unsigned bit = 0; bit < 8; ++bit) {
      d.disk.flip(disk::identity_name, byte, bit);
      CHECK(d.refusal(somebody).starts_with("identity: is damaged"));
      CHECK_THROWS_AS(disk::read_identity(d.disk), disk::log_damaged);
      d.disk.flip(disk::identity_name, byte, bit);
    }
  CHECK(d.refusal(somebody).empty());
}

TEST_CASE("disk log: files of others are left alone") {
  fresh_disk d;
  for (const auto* name : {"mine.new", "log-mine.new", "snapshot-1", "log-000000000000000A"})
    d.disk.create(name, 0);
  { disk_log log(d.disk, somebody, small_segments); }
  { disk_log log(d.disk, somebody, small_segments); }
  for (const auto* name : {"mine.new", "log-mine.new", "snapshot-1", "log-000000000000000A"})
    CHECK(d.disk.read(name).empty());
}

TEST_CASE("disk log: a segment or a snapshot that is missing is not passed over") {
  fresh_disk d;
  {
    disk_log log(d.disk, somebody, small_segments);
    store(log, {raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {}});
    for (std::uint64_t i = 1; i <= 40; ++i)
      store(log, {{}, nullptr, std::nullopt, {make_entry(i, 1)}});
  }
  SUBCASE("a segment in the middle") {
    d.disk.remove(disk::segment_name(2));
    CHECK(d.refusal(somebody).find("is missing, while the segments before and behind it are there") !=
          std::string::npos);
  }
  SUBCASE("the first segment") {
    d.disk.remove(disk::segment_name(1));
    CHECK(d.refusal(somebody).starts_with("log-0000000000000001: is missing, and entries 1 to "));
  }
  SUBCASE("the end of a segment, wherever a record ends") {
    const auto name = disk::segment_name(2);
    const auto text = d.disk.read(name);
    std::vector<std::size_t> cuts;
    std::size_t in_first_batch = 4;
    for (auto at = disk::segment_header_bytes; at < text.size();) {
      const auto found = disk::read_record(text, at);
      if (!found.record)
        break;
      if (in_first_batch == 0 && std::holds_alternative<disk::entry_record>(*found.record))
        cuts.push_back(at);
      in_first_batch -= in_first_batch > 0 ? 1 : 0;
      at += found.bytes;
    }
    REQUIRE(cuts.size() > 2);
    for (const auto at : cuts) {
      CAPTURE(at);
      d.disk.truncate(name, at);
      CHECK(d.refusal(somebody).find(": the log ended with entry ") != std::string::npos);
      d.disk.write(name, at, std::string(text.size() - at, '\0'));
      CHECK(d.refusal(somebody).find(": the log ended with entry ") != std::string::npos);
      d.disk.write(name, at, text.substr(at));
    }
    CHECK(d.refusal(somebody).empty());
  }
  SUBCASE("the only segment with entries, behind a snapshot and before a segment without any") {
    fresh_disk other;
    {
      disk_log log(other.disk, somebody);
      store(log, {raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {}});
      for (std::uint64_t i = 1; i <= 40; ++i)
        store(log, {{}, nullptr, std::nullopt, {make_entry(i, 1)}});
      store(log, {{}, make_snapshot(20, 1), std::nullopt, {}});
    }
    CHECK(other.refusal(somebody).empty());
    other.disk.remove(disk::segment_name(1));
    CHECK(other.refusal(somebody).starts_with(
        "log-0000000000000001: is missing, and entries 21 to 40 with it"));
  }
  SUBCASE("the last segment") {
    const auto last = d.segments();
    d.disk.remove(disk::segment_name(last));
    CHECK(
        d.refusal(somebody).starts_with(disk::segment_name(last) + ": is missing, while the segment before"));
  }
  SUBCASE("all segments") {
    for (const auto& name : d.disk.list())
      if (disk::segment_number(name))
        d.disk.remove(name);
    CHECK(d.refusal(somebody).starts_with("log-0000000000000001: is missing, as are all others"));
  }
  SUBCASE("the end of the last segment") {
    const auto last = disk::segment_name(d.segments());
    d.disk.truncate(last, small_segments.segment_bytes - 1);
    CHECK(d.refusal(somebody).starts_with(
        fmt::format("{}: at byte 599: the file ends here, and was 600 bytes long", last)));
  }
  SUBCASE("the snapshot") {
    {
      disk_log log(d.disk, somebody, small_segments);
      store(log, {{}, make_snapshot(20, 1), std::nullopt, {}});
    }
    d.disk.remove(disk::snapshot_name({{20}, {1}}));
    CHECK(d.refusal(somebody).find("is missing, and the log begins behind it") != std::string::npos);
  }
  SUBCASE("all segments, beside a snapshot") {
    {
      disk_log log(d.disk, somebody, small_segments);
      store(log, {{}, make_snapshot(20, 1), std::nullopt, {}});
    }
    for (const auto& name : d.disk.list())
      if (disk::segment_number(name))
        d.disk.remove(name);
    CHECK(d.refusal(somebody).find("is missing, as are all others, beside a snapshot") != std::string::npos);
    CHECK_FALSE(d.disk.read(disk::snapshot_name({{20}, {1}})).empty());
  }
  SUBCASE("the first batch of the last segment") {
    std::string last;
    for (const auto& name : d.disk.list())
      if (disk::segment_number(name))
        last = name;
    d.disk.write(last, disk::segment_header_bytes,
                 std::string(d.disk.read(last).size() - disk::segment_header_bytes, '\0'));
    CHECK(d.refusal(somebody).find("ends before its first batch does") != std::string::npos);
  }
  SUBCASE("who it belongs to") {
    d.disk.remove(disk::identity_name);
    CHECK(d.refusal(somebody).starts_with("identity: is missing, beside a log"));
  }
}

TEST_CASE("disk log: a torn batch is cut off with a word, damage before it is not") {
  fresh_disk d;
  {
    disk_log log(d.disk, somebody, small_segments);
    store(log, {raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {make_entry(1, 1)}});
    store(log, {{}, nullptr, std::nullopt, {make_entry(2, 1), make_entry(3, 1)}});
  }
  const auto name = disk::segment_name(1);
  const auto mark = d.disk.read(name).find_last_not_of('\0') + 1 - disk::batch_record_bytes;
  SUBCASE("the last record, when what says that it was durable is lost") {
    d.disk.write(name, mark, std::string(disk::batch_record_bytes, '\0'));
    d.disk.flip(name, mark - 1, 0);
    disk_log log(d.disk, somebody);
    REQUIRE(log.remarks().size() == 1);
    CHECK(log.remarks()[0].starts_with("log-0000000000000001: cut off at byte "));
    CHECK(log.take_found().entries.size() == 2);
  }
  SUBCASE("the last record, which was durable") {
    d.disk.flip(name, mark - 1, 0);
    CHECK(d.refusal(somebody).find("damaged, in the middle of what was durable") != std::string::npos);
  }
  SUBCASE("a record of the first batch") {
    d.disk.flip(name, disk::segment_header_bytes + 2 * disk::batch_record_bytes, 0);
    CHECK(d.refusal(somebody).find("log-0000000000000001: at byte ") == 0);
    CHECK(d.refusal(somebody).find("damaged, in the middle of what was durable") != std::string::npos);
  }
}

TEST_CASE("disk log: what somebody has put into a segment is not taken for a crash, a large batch is") {
  const auto large = [](std::uint64_t index) {
    const kv::command c{{"c", fmt::format("{}", index)}, kv::put{"k", std::string(400, 'v')}};
    return make_entry(index, 1, c);
  };
  fresh_disk d;
  std::size_t at = 0;
  disk_log log(d.disk, somebody, small_segments);
  store(log, {raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {make_entry(1, 1)}});
  SUBCASE("put in") {
    const auto name = disk::segment_name(1);
    for (std::uint64_t i = 2; i <= 4; ++i) {
      at = d.disk.read(name).find_last_not_of('\0') + 1 - disk::batch_record_bytes;
      store(log, {{}, nullptr, std::nullopt, {make_entry(i, 1)}});
    }
    d.disk.write(name, at, "x" + d.disk.read(name).substr(at));
    CHECK(d.refusal(somebody).find("damaged, in a file of 601 bytes that was made 600 bytes long") !=
          std::string::npos);
  }
  SUBCASE("larger than a segment, and torn") {
    SUBCASE("in the mark behind it") { at = 1; }
    SUBCASE("in its end") { at = disk::batch_record_bytes + 1; }
    SUBCASE("between its entries") { at = 500; }
    SUBCASE("in its first") { at = 1'000; }
    store(log, {{}, nullptr, std::nullopt, {large(2), large(3), large(4)}});
    const auto name = disk::segment_name(2);
    const auto bytes = d.disk.read(name).size();
    REQUIRE(bytes > small_segments.segment_bytes);
    d.disk.write(name, bytes - at, std::string(at, '\0'));
    CHECK(d.refusal(somebody) == "");
  }
}

TEST_CASE("disk log: a batch that ends where its segment does is torn like any other") {
  const auto entry_of = [](std::uint64_t index, std::size_t bytes) {
    return make_entry(index, 1, kv::command{{"c", "m"}, kv::put{"k", std::string(bytes, 'v')}});
  };
  const auto name = disk::segment_name(1);
  for (std::size_t bytes = 20; bytes < 60; ++bytes) // some of them fill the segment to any byte of its end
    for (std::uint64_t batches = 1; batches < 8; ++batches) {
      CAPTURE(bytes);
      CAPTURE(batches);
      fresh_disk d;
      disk_log log(d.disk, somebody, small_segments);
      store(log, {raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {make_entry(1, 1)}});
      for (std::uint64_t i = 2; i < 2 + batches; ++i)
        store(log, {{}, nullptr, std::nullopt, {entry_of(i, bytes)}});
      if (d.segments() > 1)
        break;
      const auto end = d.disk.read(name).find_last_not_of('\0') + 1 - disk::batch_record_bytes;
      d.disk.truncate(name, std::max(end, small_segments.segment_bytes));
      d.disk.write(name, end - 2, std::string(d.disk.read(name).size() - end + 2, '\0'));
      CHECK(d.refusal(somebody) == "");
    }
}

TEST_CASE("trap 18: a snapshot of the own log leaves what follows it, and a late one changes nothing") {
  fresh_disk d;
  {
    disk_log log(d.disk, somebody, small_segments);
    store(log, {raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {}});
    for (std::uint64_t i = 1; i <= 10; ++i)
      store(log, {{}, nullptr, std::nullopt, {make_entry(i, 1)}});
    store(log, {{}, make_snapshot(6, 1, "newer"), std::nullopt, {}});
    store(log, {{}, make_snapshot(3, 1, "late"), std::nullopt, {}});
    store(log, {{}, nullptr, std::nullopt, {make_entry(11, 1)}});
  }
  disk_log again(d.disk, somebody, small_segments);
  const auto found = again.take_found();
  REQUIRE(found.snapshot);
  CHECK(found.snapshot->data == "newer");
  CHECK(found.snapshot->last_index == log_index{6});
  REQUIRE(found.entries.size() == 5);
  CHECK(found.entries.front()->index == log_index{7});
  CHECK(found.entries.back()->index == log_index{11});
}

TEST_CASE("trap 18: of a log with another past nothing stays behind a snapshot, and its term is known") {
  fresh_disk d;
  {
    disk_log log(d.disk, somebody, small_segments);
    store(log, {raft::hard_state{{2}, {0}}, nullptr, std::nullopt, {}});
    for (std::uint64_t i = 1; i <= 10; ++i)
      store(log, {{}, nullptr, std::nullopt, {make_entry(i, 1)}});
    store(log, {{}, make_snapshot(6, 2, "the leader's"), std::nullopt, {}});
  }
  disk_log again(d.disk, somebody, small_segments);
  const auto found = again.take_found();
  CHECK(found.snapshot->last_term == term_number{2});
  CHECK(found.entries.empty());
}
