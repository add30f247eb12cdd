#pragma once
// A storage that lasts as long as this object.

#include "actors/surroundings.hpp"
#include "protocol/raft/discarded_entries.hpp"

#include <deque>

namespace troupe::actors {

class memory_storage : public storage {
 public:
  raft::stored_state load() override;
  void apply(const raft::storage_write& w) override;
  std::optional<sync_end> sync(sync_hook) override { return sync_end{}; }

  /// For those who watch from outside.
  const raft::hard_state& hard_state() const { return hard_state_; }
  /// Up to where it holds the log, or a snapshot in place of it.
  log_index last_index() const;
  /// Whether it holds this entry, or a snapshot that stands for it.
  bool holds(log_index index, term_number term) const;

 private:
  raft::hard_state hard_state_;
  raft::snapshot_ptr snapshot_;
  std::deque<raft::entry_ptr> entries_;
  log_index commit_;
  raft::discarded_entries discarded_;
};

} // namespace troupe::actors
