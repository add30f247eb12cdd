#include "actors/memory_storage.hpp"

#include <algorithm>

namespace troupe::actors {

raft::stored_state memory_storage::load() {
  return {hard_state_, snapshot_, {entries_.begin(), entries_.end()}, commit_};
}

log_index memory_storage::last_index() const {
  if (!entries_.empty())
    return entries_.back()->index;
  return snapshot_ ? snapshot_->last_index : log_index{};
}

bool memory_storage::holds(log_index index, term_number term) const {
  if (snapshot_ && index <= snapshot_->last_index)
    return true;
  if (entries_.empty() || index < entries_.front()->index || index > entries_.back()->index)
    return false;
  return entries_[index - entries_.front()->index]->term == term;
}

void memory_storage::apply(const raft::storage_write& w) {
  if (w.hard_state)
    hard_state_ = *w.hard_state;
  if (w.snapshot) {
    const auto& s = *w.snapshot;
    const bool has_rest =
        !entries_.empty() && s.last_index >= entries_.front()->index && holds(s.last_index, s.last_term);
    discarded_.take_front(entries_, has_rest ? s.last_index - entries_.front()->index + 1 : entries_.size());
    snapshot_ = w.snapshot;
  }
  if (w.truncate_behind)
    while (!entries_.empty() && entries_.back()->index > *w.truncate_behind)
      entries_.pop_back();
  for (const auto& e : w.entries) {
    entries_.push_back(e);
    discarded_.free_some();
  }
  commit_ = std::max(commit_, w.commit);
}

} // namespace troupe::actors
