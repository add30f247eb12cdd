#pragma once
#include "actors/room.hpp"

namespace troupe::actors {

/// Makes durable what raft wants stored, in order, and says so with (index, term): an index alone could be
/// taken for an entry that has been replaced since.
class log_store : public room<log_store_actor> {
 public:
  log_store(caf::actor_config& c, rooms_ptr r, storage* s, host h);
  const char* name() const override { return "log_store"; }
  behavior_type make_behavior() override;

 private:
  void store(const write& w);

  storage* storage_;
  log_index last_index_;
  term_number last_term_;
};

} // namespace troupe::actors
