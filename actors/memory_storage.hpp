#pragma once
// A storage that lasts as long as this object.

#include "actors/surroundings.hpp"

#include <deque>

namespace troupe::actors {

class memory_storage : public storage {
 public:
  raft::stored_state load() override;
  std::optional<std::string> apply(const raft::storage_write& w) override;
  std::optional<std::string> sync() override { return std::nullopt; }

 private:
  raft::hard_state hard_state_;
  raft::snapshot_ptr snapshot_;
  std::deque<raft::entry_ptr> entries_;
};

} // namespace troupe::actors
