#include "actors/log_store.hpp"

namespace troupe::actors {

log_store::log_store(caf::actor_config& c, rooms_ptr r, storage* s, host h)
    : room(c, std::move(r), std::move(h)), storage_(s) {}

log_store::behavior_type log_store::make_behavior() {
  return {
      [this](const write& w) { take(w); },
      [this](const sync_done& d) { end_sync({d.error}); },
  };
}

void log_store::take(const write& w) {
  storage_->apply(w.what);
  applied_.number = w.number;
  if (w.what.snapshot && w.what.snapshot->last_index > applied_.index) {
    applied_.index = w.what.snapshot->last_index;
    applied_.term = w.what.snapshot->last_term;
  }
  if (!w.what.entries.empty()) {
    applied_.index = w.what.entries.back()->index;
    applied_.term = w.what.entries.back()->term;
  } else if (w.what.truncate_behind && *w.what.truncate_behind < applied_.index) {
    // What is left ends with an entry whose term this actor does not keep; nothing needs to be said about it.
    applied_.index = {};
    applied_.term = {};
  }
  if (!syncing_)
    begin_sync();
}

void log_store::begin_sync() {
  syncing_ = applied_;
  const auto end = storage_->sync(
      [me = log_store_actor{this}](const sync_end& e) { caf::anon_send(me, sync_done{e.error}); });
  if (end)
    end_sync(*end);
}

void log_store::end_sync(const sync_end& end) {
  if (!end.error.empty()) {
    host_.stop("the storage failed: " + end.error);
    return quit();
  }
  const auto stored = *std::exchange(syncing_, std::nullopt);
  send(rooms_->raft, stored);
  if (applied_.number > stored.number)
    begin_sync();
}

} // namespace troupe::actors
