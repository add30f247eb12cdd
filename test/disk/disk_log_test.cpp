// The log on a disk: whose it is, what it keeps, what it throws away.

#include "cluster/disk_judge.hpp"
#include "test/disk/disk_support.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::test;
using disk::disk_error;
using disk::disk_log;

namespace {

struct fresh_disk {
  virtual_disk disk{{1, 1}};
  std::string refusal(const disk::owner& who) {
    try {
      disk_log log(disk, who, small_segments);
      return "";
    } catch (const disk_error& error) {
      return error.what();
    }
  }
  std::size_t segments() {
    const auto names = disk.list();
    return static_cast<std::size_t>(std::count_if(
        names.begin(), names.end(), [](const auto& n) { return disk::segment_number(n).has_value(); }));
  }
};

void store(disk_log& log, const raft::storage_write& w) {
  log.apply(w);
  log.store(log.take_batch());
}

} // namespace

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
  CHECK(d.disk.operations() == before + 2);
  CHECK_FALSE(log.has_batch());
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
  CHECK(found.snapshot->data == "newer");
  CHECK(found.hard_state == raft::hard_state{{1}, {0}});
  CHECK(found.entries.empty());
}

TEST_CASE("disk log: somebody else's is refused, in one line that names it") {
  fresh_disk d;
  { disk_log log(d.disk, somebody, small_segments); }
  CHECK(d.refusal({{2}, {{0}, {1}, {2}}}) == "identity: the log is that of replica 0001, not of 0002");
  CHECK(d.refusal({{1}, {{0}, {1}, {3}}}) ==
        "identity: the log is that of another cluster: troupe-log 1 replica 0001 cluster 0000 0001 0002");
  CHECK(d.refusal(somebody).empty());
}

TEST_CASE("disk log: a later version's is refused") {
  fresh_disk d;
  { disk_log log(d.disk, somebody, small_segments); }
  auto text = d.disk.read(disk::identity_name);
  text.replace(text.find(" 1 "), 3, " 9 ");
  d.disk.write(disk::identity_name, 0, text);
  CHECK(d.refusal(somebody).find("is of format 9; this program reads formats up to 1") != std::string::npos);
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
    CHECK(d.refusal(somebody).find("are missing") != std::string::npos);
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
    CHECK(d.refusal(somebody).find("there is no segment beside it") != std::string::npos);
    CHECK_FALSE(d.disk.read(disk::snapshot_name({{20}, {1}})).empty());
  }
  SUBCASE("the first batch of the last segment") {
    std::string last;
    for (const auto& name : d.disk.list())
      if (disk::segment_number(name))
        last = name;
    d.disk.truncate(last, disk::segment_header_bytes);
    CHECK(d.refusal(somebody).find("ends before its first batch does") != std::string::npos);
  }
  SUBCASE("who it belongs to") {
    d.disk.remove(disk::identity_name);
    CHECK(d.refusal(somebody) == "identity: is missing, beside a log");
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
  const auto bytes = d.disk.read(name).find_last_not_of('\0') + 1;
  SUBCASE("the last record") {
    d.disk.flip(name, bytes - 1, 0);
    disk_log log(d.disk, somebody);
    REQUIRE(log.remarks().size() == 1);
    CHECK(log.remarks()[0].starts_with("log-0000000000000001: cut off at byte "));
    CHECK(log.take_found().entries.size() == 2);
  }
  SUBCASE("a record of the first batch") {
    d.disk.flip(name, disk::segment_header_bytes + 2 * disk::batch_record_bytes, 0);
    CHECK(d.refusal(somebody).find("log-0000000000000001: at byte ") == 0);
    CHECK(d.refusal(somebody).find("damaged, in the middle of what was durable") != std::string::npos);
  }
}
