#pragma once
#include "actors/interfaces.hpp"
#include "actors/surroundings.hpp"

namespace troupe::actors {

/// Makes durable what raft wants stored, in order, and says so with (index, term): an index alone could be
/// taken for an entry that has been replaced since.
class log_store : public log_store_actor::base {
 public:
  log_store(caf::actor_config& c, const rooms* r, storage* s, host h);
  const char* name() const override { return "log_store"; }
  behavior_type make_behavior() override;

 private:
  void store(const write& w);

  const rooms* rooms_;
  storage* storage_;
  host host_;
  log_index last_index_;
  term_number last_term_;
};

} // namespace troupe::actors
