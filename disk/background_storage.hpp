#pragma once
// Lets the loop go on while the disk is busy: writing and syncing have a thread of their own. While nothing
// else waits for it, it writes the snapshots that can wait.

#include "actors/surroundings.hpp"
#include "disk/disk_log.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace troupe::disk {

class background_storage : public actors::storage {
 public:
  /// @param log  outlives this object, and is its own from here on
  explicit background_storage(disk_log& log);
  ~background_storage() override { stop(); }
  background_storage(const background_storage&) = delete;
  background_storage& operator=(const background_storage&) = delete;

  raft::stored_state load() override { return log_.take_found(); }
  void apply(const raft::storage_write& w) override { log_.apply(w); }
  std::optional<actors::sync_end> sync(sync_hook when_done) override;

  /// Becomes readable when something is done; then `deliver` tells who waits for it, in the caller's thread.
  int descriptor() const { return done_signal_; }
  void deliver();

  /// What was handed over is still stored, a snapshot that can wait is not; nobody is told any more. Why that
  /// failed; empty if it did not.
  std::string stop();

 private:
  void work();
  void tell(actors::sync_end end);

  disk_log& log_;
  int done_signal_;
  std::mutex mutex_;
  std::condition_variable something_to_do_;
  std::optional<batch> waiting_;
  std::optional<actors::sync_end> done_;
  bool syncing_ = false;
  sync_hook when_done_; ///< the last one: it is told of errors that come later, too
  bool ends_ = false;
  std::thread worker_;
};

} // namespace troupe::disk
