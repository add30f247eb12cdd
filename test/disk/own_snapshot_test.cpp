// Snapshots of the log itself, which can wait: records that come meanwhile are stored first.

#include "cluster/disk_judge.hpp"
#include "test/disk/disk_support.hpp"

#include <fmt/format.h>

using namespace troupe;
using namespace troupe::test;
using disk::disk_error;
using disk::disk_log;

namespace {

/// A log of entries 1 to 10, and a snapshot of it that takes four pieces.
struct own_snapshot : fresh_disk {
  std::optional<disk_log> log;
  const std::string state = std::string(180, 's');
  const std::string name = disk::snapshot_name({{6}, {1}});

  own_snapshot() {
    log.emplace(disk, somebody, small_segments);
    store(*log, {raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {}});
    for (std::uint64_t i = 1; i <= 10; ++i)
      store(*log, {{}, nullptr, std::nullopt, {make_entry(i, 1)}});
  }
  bool has_file(const std::string& file) {
    const auto names = disk.list();
    return std::find(names.begin(), names.end(), file) != names.end();
  }
  /// What a process finds that starts when the power has gone.
  raft::stored_state start_again() {
    log.reset();
    disk.lose_power();
    log.emplace(disk, somebody, small_segments);
    return log->take_found();
  }
};

} // namespace

TEST_CASE_FIXTURE(own_snapshot, "own snapshot: what comes while it is written is stored first") {
  const auto before = disk.operations();
  store_at_once(*log, {{}, make_snapshot(6, 1, state), std::nullopt, {make_entry(11, 1)}});
  CHECK(disk.operations() == before + 3); // a write, a sync and a mark, as without it
  CHECK(log->has_draft());
  log->write_draft();
  log->write_draft();
  CHECK(has_file(name + ".new"));
  const auto in_the_middle = disk.operations();
  store_at_once(*log, {{}, nullptr, std::nullopt, {make_entry(12, 1)}});
  CHECK(disk.operations() == in_the_middle + 3);
  SUBCASE("and is there without it") {
    const auto found = start_again();
    CHECK(found.snapshot == nullptr);
    CHECK(found.entries.size() == 12);
    CHECK_FALSE(has_file(name + ".new"));
  }
  SUBCASE("and behind it") {
    write_drafts(*log);
    const auto found = start_again();
    REQUIRE(found.snapshot);
    CHECK(found.snapshot->data == state);
    CHECK(found.entries.size() == 6);
  }
}

TEST_CASE_FIXTURE(own_snapshot, "own snapshot: no step takes more than a piece") {
  store_at_once(*log, {{}, make_snapshot(6, 1, state), std::nullopt, {}});
  std::size_t steps = 0;
  for (std::size_t written = log->bytes_written(); log->has_draft(); written = log->bytes_written()) {
    log->write_draft();
    CHECK(log->bytes_written() - written <=
          small_segments.snapshot_piece_bytes + 100); // with what is before it
    ++steps;
  }
  CHECK(steps == 1 + 4 + 1);
}

TEST_CASE_FIXTURE(own_snapshot, "own snapshot: wherever power fails, nothing is lost and the log opens") {
  bool begins_behind_it = false;
  std::size_t operations = 1;
  for (; !begins_behind_it && operations < 100; ++operations) {
    CAPTURE(operations);
    own_snapshot d;
    actors::memory_storage model;
    model.apply({raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {}});
    for (std::uint64_t i = 1; i <= 11; ++i)
      model.apply({{}, nullptr, std::nullopt, {make_entry(i, 1)}});
    store_at_once(*d.log, {{}, make_snapshot(10, 1, state), std::nullopt, {make_entry(11, 1)}});
    d.disk.interrupt(operations, nullptr);
    while (d.log->has_draft() && !d.disk.is_interrupted())
      d.log->write_draft();
    begins_behind_it = !d.disk.is_interrupted();
    const auto found = d.start_again();
    if (found.snapshot) {
      REQUIRE(found.snapshot);
      CHECK(found.snapshot->data == state);
      model.apply({{}, found.snapshot, std::nullopt, {}});
    }
    CHECK((found.snapshot || !begins_behind_it));
    const auto loss = find_loss(model, {}, found);
    CHECK_MESSAGE(loss.empty(), loss);
    CHECK(d.disk.list().size() == 2 + (found.snapshot ? 1 : 0) + d.segments() - 1);
  }
  CHECK(operations > 15);
}

TEST_CASE_FIXTURE(own_snapshot, "own snapshot: until it is durable, new segments begin with the one before") {
  store(*log, {{}, make_snapshot(2, 1, "older"), std::nullopt, {}});
  store_at_once(*log, {{}, make_snapshot(6, 1, state), std::nullopt, {}});
  log->write_draft();
  log->write_draft();
  const auto before = segments();
  for (std::uint64_t i = 11; segments() < before + 2; ++i)
    store_at_once(*log, {{}, nullptr, std::nullopt, {make_entry(i, 1)}});
  const auto found = start_again();
  REQUIRE(found.snapshot);
  CHECK(found.snapshot->data == "older");
  CHECK(found.entries.front()->index == log_index{3});
}

TEST_CASE_FIXTURE(own_snapshot, "own snapshot: one that comes meanwhile waits, and the newest is next") {
  store_at_once(*log, {{}, make_snapshot(6, 1, state), std::nullopt, {}});
  log->write_draft();
  log->write_draft();
  store_at_once(*log, {{}, make_snapshot(7, 1, "newer"), std::nullopt, {}});
  store_at_once(*log, {{}, make_snapshot(8, 1, "newest"), std::nullopt, {}});
  while (has_file(name + ".new"))
    log->write_draft();
  CHECK(has_file(name));
  CHECK(log->has_draft());
  write_drafts(*log);
  CHECK_FALSE(has_file(name));
  CHECK_FALSE(has_file(disk::snapshot_name({{7}, {1}})));
  const auto found = start_again();
  REQUIRE(found.snapshot);
  CHECK(found.snapshot->data == "newest");
  CHECK(found.entries.size() == 2);
}

TEST_CASE_FIXTURE(own_snapshot,
                  "own snapshot: one that is installed meanwhile ends it, and is durable at once") {
  store_at_once(*log, {raft::hard_state{{2}, {0}}, make_snapshot(6, 1, state), std::nullopt, {}});
  SUBCASE("before it is begun") {}
  SUBCASE("in the middle") {
    log->write_draft();
    log->write_draft();
  }
  SUBCASE("while another waits") {
    log->write_draft();
    store_at_once(*log, {{}, make_snapshot(7, 1, "newer"), std::nullopt, {}});
  }
  SUBCASE("in one batch with another") { log->apply({{}, make_snapshot(7, 1, "newer"), std::nullopt, {}}); }
  store_at_once(*log, {{}, make_snapshot(20, 2, "the leader's"), std::nullopt, {make_entry(21, 2)}});
  CHECK_FALSE(log->has_draft());
  CHECK_FALSE(has_file(name + ".new"));
  SUBCASE("and nothing comes behind") {}
  SUBCASE("and an own one comes behind") {
    store_at_once(*log, {{}, make_snapshot(21, 2, "again"), std::nullopt, {}});
    log->write_draft();
  }
  const auto found = start_again();
  REQUIRE(found.snapshot);
  CHECK(found.snapshot->data == "the leader's");
  CHECK(found.entries.size() == 1);
}

TEST_CASE_FIXTURE(own_snapshot, "own snapshot: after an error while it is written nothing more is stored") {
  store_at_once(*log, {{}, make_snapshot(6, 1, state), std::nullopt, {}});
  std::size_t steps = 5, operations = 1;
  auto where = name;
  SUBCASE("when it is begun") {
    steps = 0;
    where = name + ".new";
  }
  SUBCASE("in a piece") {
    steps = 2;
    where = name + ".new";
  }
  SUBCASE("when it gets its name") {}
  SUBCASE("when the record is written") {
    operations = 3;
    where = disk::segment_name(segments());
  }
  for (; steps > 0; --steps)
    log->write_draft();
  disk.fail_at(operations, "No space left on device");
  CHECK_THROWS_WITH_AS(log->write_draft(), (where + ": No space left on device").c_str(), disk_error);
  CHECK_FALSE(log->has_draft());
  CHECK_THROWS_AS(store_at_once(*log, {{}, nullptr, std::nullopt, {make_entry(11, 1)}}), disk_error);
  CHECK(start_again().entries.size() == 10);
}
