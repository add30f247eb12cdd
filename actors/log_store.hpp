#pragma once
#include "actors/room.hpp"

namespace troupe::actors {

/// Makes durable what raft wants stored, in order, and says so with (index, term): an index alone could be
/// taken for an entry that has been replaced since. Whatever arrives while a sync is under way goes out
/// together in the next one.
class log_store : public room<log_store_actor> {
 public:
  log_store(caf::actor_config& c, rooms_ptr r, storage* s, host h);
  const char* name() const override { return "log_store"; }
  behavior_type make_behavior() override;

 private:
  void take(const write& w);
  void begin_sync();
  void end_sync(const sync_end& end);

  storage* storage_;
  write_done applied_;                ///< the last write that the storage has taken over
  std::optional<write_done> syncing_; ///< up to this one a sync is under way
};

} // namespace troupe::actors
