#include "cluster/disk_judge.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

namespace {

bool same(const raft::snapshot_ptr& a, const raft::snapshot_ptr& b) {
  if (!a || !b)
    return a == b;
  return a->last_index == b->last_index && a->last_term == b->last_term &&
         a->configuration == b->configuration && a->data == b->data;
}

/// A replica's own snapshot takes its time: until it is there, the one before and the entries behind that
/// stand for it. So what is found is compared as if it were.
raft::stored_state with_own_snapshot(const raft::stored_state& found, const raft::snapshot_ptr& s) {
  if (!s || (found.snapshot && found.snapshot->last_index >= s->last_index))
    return found;
  actors::memory_storage as_written;
  as_written.apply({found.hard_state, found.snapshot, std::nullopt, found.entries, found.commit});
  if (!as_written.holds(s->last_index, s->last_term))
    return found;
  as_written.apply({std::nullopt, s, std::nullopt, {}});
  return as_written.load();
}

bool same(const raft::stored_state& a, const raft::stored_state& b) {
  return a.hard_state == b.hard_state && same(a.snapshot, b.snapshot) &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const auto& x, const auto& y) { return *x == *y; });
}

/// Each of them may be the last that survived.
std::vector<raft::storage_write> pieces_of(const raft::storage_write& w) {
  std::vector<raft::storage_write> pieces;
  if (w.hard_state)
    pieces.push_back({w.hard_state, nullptr, std::nullopt, {}});
  if (w.snapshot)
    pieces.push_back({std::nullopt, w.snapshot, std::nullopt, {}});
  if (w.truncate_behind)
    pieces.push_back({std::nullopt, nullptr, w.truncate_behind, {}});
  for (const auto& e : w.entries)
    pieces.push_back({std::nullopt, nullptr, std::nullopt, {e}});
  return pieces;
}

std::string describe(const raft::stored_state& s) {
  const auto base = s.snapshot ? s.snapshot->last_index.value : 0;
  return fmt::format("term {} with its vote for {}, a snapshot up to entry {} and {} entries behind it",
                     s.hard_state.term.value, to_string(s.hard_state.voted_for), base, s.entries.size());
}

} // namespace

std::string find_loss(actors::memory_storage durable, const std::vector<raft::storage_write>& unsynced,
                      const raft::stored_state& found) {
  const auto least = durable.load();
  const auto end = found.entries.empty() ? (found.snapshot ? found.snapshot->last_index : log_index{})
                                         : found.entries.back()->index;
  auto most_committed = least.commit;
  for (const auto& w : unsynced)
    most_committed = std::max(most_committed, w.commit);
  if (found.commit < least.commit || found.commit > std::min(most_committed, end))
    return fmt::format("{} entries were known to be committed for certain, {} at most; found are {} of {}",
                       least.commit.value, most_committed.value, found.commit.value, end.value);
  const auto is_found = [&](const raft::stored_state& s) {
    return same(s, with_own_snapshot(found, s.snapshot));
  };
  if (is_found(least))
    return {};
  for (const auto& w : unsynced)
    for (const auto& piece : pieces_of(w)) {
      durable.apply(piece);
      if (is_found(durable.load()))
        return {};
    }
  return fmt::format("the disk held {}, and {} writes were on their way to it; found is {}", describe(least),
                     unsynced.size(), describe(found));
}

} // namespace troupe
