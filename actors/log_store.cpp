#include "actors/log_store.hpp"

namespace troupe::actors {

log_store::log_store(caf::actor_config& c, rooms_ptr r, storage* s, host h)
    : room(c, std::move(r), std::move(h)), storage_(s) {}

log_store::behavior_type log_store::make_behavior() {
  return {[this](const write& w) { store(w); }};
}

void log_store::store(const write& w) {
  auto error = storage_->apply(w.what);
  if (!error)
    error = storage_->sync();
  if (error) {
    host_.stop("the storage failed: " + *error);
    return quit();
  }
  if (w.what.snapshot && w.what.snapshot->last_index > last_index_) {
    last_index_ = w.what.snapshot->last_index;
    last_term_ = w.what.snapshot->last_term;
  }
  if (!w.what.entries.empty()) {
    last_index_ = w.what.entries.back()->index;
    last_term_ = w.what.entries.back()->term;
  } else if (w.what.truncate_behind && *w.what.truncate_behind < last_index_) {
    // What is left ends with an entry whose term this actor does not keep; nothing needs to be said about it.
    last_index_ = {};
    last_term_ = {};
  }
  send(rooms_->raft, write_done{w.number, last_index_, last_term_});
}

} // namespace troupe::actors
