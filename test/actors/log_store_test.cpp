// The log store: makes durable in order, and says how far.

#include "actors/log_store.hpp"
#include "test/support/stage.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace troupe::actors;

namespace {

/// Keeps the calls, and fails where it is told to.
class recording_storage : public storage {
 public:
  raft::stored_state load() override { return {}; }
  void apply(const raft::storage_write& w) override {
    calls.push_back(w.entries.empty() ? "apply" : "apply " + std::to_string(w.entries.back()->index.value));
  }
  std::optional<sync_end> sync(sync_hook when_done) override {
    calls.push_back("sync");
    if (!is_slow)
      return sync_end{error};
    waits = std::move(when_done);
    return std::nullopt;
  }
  std::vector<std::string> calls;
  std::string error;
  bool is_slow = false;
  sync_hook waits;
};

struct log_store_stage : stage {
  recording_storage disk;
  log_store& actor = put<log_store>(&rooms::log_store, static_cast<storage*>(&disk), host());

  void writes(std::uint64_t number, raft::storage_write w) {
    tell(rooms().log_store, actors::write{number, std::move(w)});
  }
};

void check(const write_done& d, std::uint64_t number, std::uint64_t index, std::uint64_t term) {
  CHECK(d.number == number);
  CHECK(d.index == log_index{index});
  CHECK(d.term == term_number{term});
}

} // namespace

TEST_CASE("log store: stores in order, and each write is synced before it is reported") {
  log_store_stage s;
  s.post(s.rooms().log_store, actors::write{1, {{}, {}, {}, {no_op(1, 1), no_op(2, 1)}}},
         actors::write{2, {{}, {}, {}, {no_op(3, 2)}}});
  s.run();
  CHECK(s.disk.calls == std::vector<std::string>{"apply 2", "sync", "apply 3", "sync"});
  const auto done = s.heard<write_done>();
  REQUIRE(done.size() == 2);
  check(done[0], 1, 2, 1);
  check(done[1], 2, 3, 2);
}

TEST_CASE("log store: what holds no entries repeats how far the log goes") {
  log_store_stage s;
  s.writes(1, {{}, {}, {}, {no_op(1, 1)}});
  check(s.only<write_done>(), 1, 1, 1);
  s.writes(2, {raft::hard_state{{5}, {}}, {}, {}, {}});
  check(s.only<write_done>(), 2, 1, 1);
}

TEST_CASE("log store: after a truncation it says nothing about an entry that is gone") {
  log_store_stage s;
  s.writes(1, {{}, {}, {}, {no_op(1, 1), no_op(2, 1), no_op(3, 1)}});
  s.heard<write_done>();
  s.writes(2, {{}, {}, log_index{1}, {}});
  check(s.only<write_done>(), 2, 0, 0);
  s.writes(3, {{}, {}, log_index{1}, {no_op(2, 2)}});
  check(s.only<write_done>(), 3, 2, 2);
}

TEST_CASE("log store: a snapshot counts as far as it reaches, an older one not at all") {
  log_store_stage s;
  const auto snapshot = [](std::uint64_t index, std::uint64_t term) {
    return std::make_shared<raft::snapshot>(raft::snapshot{{index}, {term}, {}, ""});
  };
  s.writes(1, {{}, snapshot(7, 3), {}, {}});
  check(s.only<write_done>(), 1, 7, 3);
  s.writes(2, {{}, {}, {}, {no_op(8, 4)}});
  check(s.only<write_done>(), 2, 8, 4);
  s.writes(3, {{}, snapshot(7, 3), {}, {}});
  check(s.only<write_done>(), 3, 8, 4);
}

TEST_CASE("log store: a storage that fails stops the replica with its message, and nothing is acknowledged") {
  log_store_stage s;
  s.disk.error = "no space left";
  s.post(s.rooms().log_store, actors::write{1, {{}, {}, {}, {no_op(1, 1)}}},
         actors::write{2, {{}, {}, {}, {no_op(2, 1)}}});
  s.run();
  CHECK(s.stops == std::vector<std::string>{"the storage failed: no space left"});
  CHECK(s.silent<write_done>());
  CHECK(std::count(s.disk.calls.begin(), s.disk.calls.end(), "apply 2") == 0);
}

TEST_CASE("log store: what arrives during a sync goes out with the next one") {
  log_store_stage s;
  s.disk.is_slow = true;
  for (std::uint64_t i = 1; i <= 4; ++i)
    s.writes(i, {{}, {}, {}, {no_op(i, 1)}});
  CHECK(s.disk.calls == std::vector<std::string>{"apply 1", "sync", "apply 2", "apply 3", "apply 4"});
  CHECK(s.silent<write_done>());
  std::exchange(s.disk.waits, nullptr)({});
  s.run();
  check(s.only<write_done>(), 1, 1, 1);
  CHECK(s.disk.calls.back() == "sync");
  std::exchange(s.disk.waits, nullptr)({});
  s.run();
  check(s.only<write_done>(), 4, 4, 1);
  CHECK(s.disk.calls.size() == 6);
  CHECK(!s.disk.waits);
}

TEST_CASE("log store: a slow sync that fails stops the replica, too") {
  log_store_stage s;
  s.disk.is_slow = true;
  s.writes(1, {{}, {}, {}, {no_op(1, 1)}});
  s.writes(2, {{}, {}, {}, {no_op(2, 1)}});
  std::exchange(s.disk.waits, nullptr)({"the cable is out"});
  s.run();
  CHECK(s.stops == std::vector<std::string>{"the storage failed: the cable is out"});
  CHECK(s.silent<write_done>());
}
