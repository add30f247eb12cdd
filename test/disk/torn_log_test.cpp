// A log whose disk loses power, at any moment, with any part of what was not synced.

#include "cluster/disk_judge.hpp"
#include "test/disk/disk_support.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::test;

namespace {

/// One replica's storage over several lives.
struct owned_disk {
  explicit owned_disk(std::uint64_t seed) : disk({seed, 1}), random(seed, 2), writes({seed, 3}) {}

  virtual_disk disk;
  course::random_source random;
  writer writes;
  actors::memory_storage durable;
  std::vector<raft::storage_write> unsynced;

  /// What the log finds, judged.
  void judge(const raft::stored_state& found) {
    const auto loss = find_loss(durable, unsynced, found);
    REQUIRE_MESSAGE(loss.empty(), loss);
    unsynced.clear();
    durable = {};
    durable.apply({found.hard_state, found.snapshot, std::nullopt, found.entries, found.commit});
  }

  /// What a thread does that has nothing else to do for a while.
  void write_some_drafts(disk::disk_log& log) {
    for (auto pieces = random.below(4); pieces > 0 && log.has_draft(); --pieces)
      log.write_draft();
  }

  /// A life, up to the given operation on the disk: opens the log, and writes.
  void live(std::size_t operations) {
    disk.interrupt(operations, nullptr);
    disk::disk_log log(disk, somebody, small_segments);
    if (disk.is_interrupted())
      return;
    judge(log.take_found());
    auto applied = durable;
    while (!disk.is_interrupted()) {
      for (auto together = 1 + random.below(3); together > 0; --together) {
        const auto w = writes.next(applied.load());
        log.apply(w);
        applied.apply(w);
        unsynced.push_back(w);
      }
      log.store(log.take_batch());
      if (disk.is_interrupted())
        return;
      durable = applied;
      unsynced.clear();
      write_some_drafts(log);
    }
  }
};

} // namespace

TEST_CASE("a log keeps what was durable, and no more than a beginning of the rest, wherever power fails") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    owned_disk d(seed);
    for (int life = 0; life < 12; ++life) {
      // Now and then in the first steps: a log that is being opened is one that can be lost.
      d.live(1 + d.random.below(life % 3 == 0 ? 8 : 60));
      d.disk.lose_power();
    }
  }
}

TEST_CASE("a log whose disk fails stores nothing more, and has lost nothing that it said was durable") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    owned_disk d(seed);
    d.live(40);
    d.disk.lose_power();
    {
      disk::disk_log log(d.disk, somebody, small_segments);
      d.judge(log.take_found());
      d.disk.fail_at(1 + d.random.below(20), "No space left on device");
      auto applied = d.durable;
      bool failed = false;
      while (!failed) {
        const auto w = d.writes.next(applied.load());
        log.apply(w);
        applied.apply(w);
        d.unsynced.push_back(w);
        try {
          log.store(log.take_batch());
          d.durable = applied;
          d.unsynced.clear();
          d.write_some_drafts(log);
        } catch (const disk::disk_error& error) {
          CHECK(std::string(error.what()).ends_with(": No space left on device"));
          failed = true;
        }
      }
      CHECK_THROWS_AS(log.store(log.take_batch()), disk::disk_error);
    }
    if (seed % 2 == 0) // else only the process ends
      d.disk.lose_power();
    disk::disk_log again(d.disk, somebody, small_segments);
    d.judge(again.take_found());
  }
}

TEST_CASE("a log on a disk that says so, and does not sync, is seen to lose what was durable") {
  int seen = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    owned_disk d(seed);
    d.live(40);
    d.disk.lose_power();
    disk::disk_log log(d.disk, somebody, small_segments);
    d.judge(log.take_found());
    d.disk.lie(true);
    for (int i = 0; i < 5; ++i) {
      const auto w = d.writes.next(d.durable.load());
      log.apply(w);
      log.store(log.take_batch());
      d.durable.apply(w);
    }
    d.disk.lie(false);
    d.disk.lose_power();
    try {
      disk::disk_log again(d.disk, somebody, small_segments);
      seen += find_loss(d.durable, {}, again.take_found()).empty() ? 0 : 1;
    } catch (const disk::disk_error&) {
      ++seen;
    }
  }
  CHECK(seen > 40);
}

TEST_CASE("a bit that turns over in what was durable is found, and never served") {
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    owned_disk d(seed);
    d.live(60);
    d.disk.lose_power();
    {
      disk::disk_log log(d.disk, somebody, small_segments);
      d.judge(log.take_found());
      for (int i = 0; i < 3; ++i) {
        const auto w = d.writes.next(d.durable.load());
        log.apply(w);
        log.store(log.take_batch());
        d.durable.apply(w);
      }
    }
    auto names = d.disk.list();
    std::erase_if(names, [&](const auto& n) { return d.disk.read(n).empty(); });
    const auto& victim = d.random.pick(names);
    const auto byte = d.random.below(d.disk.read(victim).size());
    CAPTURE(victim);
    CAPTURE(byte);
    d.disk.flip(victim, byte, static_cast<unsigned>(d.random.below(8)));
    try {
      disk::disk_log again(d.disk, somebody, small_segments);
      // It hit what stands for nothing, or for nothing any more.
      const auto loss = find_loss(d.durable, {}, again.take_found());
      CHECK_MESSAGE(loss.empty(), loss);
    } catch (const disk::disk_error&) {
      ++refused;
    }
  }
  CHECK(refused > 150);
}
