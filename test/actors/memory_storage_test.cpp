// The memory storage gives back what it took.

#include "actors/memory_storage.hpp"
#include "test/support/generators.hpp"
#include "test/support/property.hpp"
#include "test/support/stage.hpp"

#include <map>

using namespace troupe;
using namespace troupe::actors;
using troupe::test::no_op;

namespace {

/// What the comments of storage_write say, with no thought for speed: an entry for each index.
struct naive_storage {
  raft::hard_state hard_state;
  raft::snapshot_ptr snapshot;
  std::map<std::uint64_t, raft::entry_ptr> entries;

  void apply(const raft::storage_write& w) {
    hard_state = w.hard_state.value_or(hard_state);
    if (w.snapshot) {
      snapshot = w.snapshot;
      const auto held = entries.find(w.snapshot->last_index.value);
      if (held != entries.end() && held->second->term == w.snapshot->last_term)
        std::erase_if(entries, [&](const auto& e) { return e.first <= w.snapshot->last_index.value; });
      else
        entries.clear();
    }
    if (w.truncate_behind)
      std::erase_if(entries, [&](const auto& e) { return e.first > w.truncate_behind->value; });
    for (const auto& e : w.entries)
      entries[e->index.value] = e;
  }

  std::uint64_t first() const { return snapshot ? snapshot->last_index.value + 1 : 1; }
  std::uint64_t last() const { return entries.empty() ? first() - 1 : entries.rbegin()->first; }
};

/// A write as raft could make it, for a storage in this state.
raft::storage_write any_write(const naive_storage& s) {
  const auto below = [](std::uint64_t n) { return *rc::gen::inRange<std::uint64_t>(0, n); };
  raft::storage_write w;
  auto term = s.hard_state.term.value;
  if (below(3) == 0)
    w.hard_state = raft::hard_state{{term += below(3)}, replica_id{static_cast<std::uint16_t>(below(3))}};
  auto end = s.last();
  if (below(5) == 0) {
    // Of the log, or from a leader that is ahead; its term is that of the entry, or not.
    const auto index = s.first() + below(s.last() - s.first() + 4);
    const auto held = s.entries.find(index);
    const bool same = held != s.entries.end() && below(4) != 0;
    w.snapshot = std::make_shared<raft::snapshot>(
        raft::snapshot{{index}, same ? held->second->term : term_number{term + 1'000}, {}, "state"});
    end = same ? s.last() : index;
  } else if (below(4) == 0) {
    end = s.first() - 1 + below(s.last() - s.first() + 2);
    w.truncate_behind = log_index{end};
  }
  for (auto more = below(4); more > 0; --more)
    w.entries.push_back(no_op(++end, term + 1));
  return w;
}

} // namespace

TEST_CASE("memory storage: is empty at first") {
  memory_storage s;
  const auto found = s.load();
  CHECK(found.hard_state == raft::hard_state{});
  CHECK(found.snapshot == nullptr);
  CHECK(found.entries.empty());
}

TEST_CASE(
    "memory storage: a snapshot replaces the log up to its end, and keeps what follows only if it fits") {
  memory_storage s;
  s.apply({{}, {}, {}, {no_op(1, 1), no_op(2, 1), no_op(3, 1)}});
  s.apply({{}, std::make_shared<raft::snapshot>(raft::snapshot{{2}, {1}, {}, "x"}), {}, {}});
  REQUIRE(s.load().entries.size() == 1);
  CHECK(s.load().entries.front()->index == log_index{3});
  s.apply({{}, std::make_shared<raft::snapshot>(raft::snapshot{{3}, {2}, {}, "y"}), {}, {}});
  CHECK(s.load().entries.empty());
  CHECK(s.load().snapshot->data == "y");
}

TEST_CASE("memory storage: holds what a naive model holds, whatever raft writes") {
  test::check_property("memory_storage is the naive model", [] {
    memory_storage real;
    naive_storage model;
    for (auto steps = *rc::gen::inRange(1, 40); steps > 0; --steps) {
      const auto w = any_write(model);
      real.apply(w);
      RC_ASSERT(real.sync(nullptr)->error.empty());
      model.apply(w);
      const auto found = real.load();
      RC_ASSERT(found.hard_state == model.hard_state);
      RC_ASSERT(found.snapshot == model.snapshot);
      std::vector<raft::entry_ptr> expected;
      for (const auto& [index, e] : model.entries)
        expected.push_back(e);
      RC_ASSERT(found.entries == expected);
    }
  });
}
