#pragma once
// The log on a disk: segments that are only ever appended to, and snapshots beside them. Nothing is durable,
// and nothing may be told to anybody, before `store` has come back.

#include "disk/recover.hpp"
#include "disk/snapshot_draft.hpp"

#include <deque>
#include <memory>

namespace troupe::disk {

struct log_options {
  /// A segment that has grown to this is followed by a new one.
  std::size_t segment_bytes = std::size_t{16} << 20U;
  /// So much of a snapshot is written and synced at a time: a batch may have to wait for it.
  std::size_t snapshot_piece_bytes = std::size_t{2} << 20U;
};

/// All that was applied since the last one was taken: it becomes durable together.
struct batch {
  std::string records;
  raft::hard_state hard_state; ///< with all of it
  position end;                ///< of the log, with all of it
  log_index commit;            ///< as far as it was known then
  log_index last_entry;        ///< the largest index of an entry in it; 0: none
  /// Another's, in place of the log. All of them, since what a crash leaves of the batch may end behind any.
  std::vector<raft::snapshot_ptr> installed;
  /// The newest of the log itself, as it is with this batch, behind all that was installed; null: none.
  raft::snapshot_ptr own;
};

/// Two halves, which may be used by a thread each: `apply` and `take_batch` know what the log says, `store`
/// and `write_draft` know the files.
///
/// A snapshot of the log itself can wait, since the log says as much. `store` only remembers it, and
/// `write_draft` writes it when there is nothing else to do.
class disk_log {
 public:
  /// Opens what is there, or makes it. Cuts a torn tail off, and removes what nothing needs.
  ///
  /// @throws disk_error if the directory is somebody else's or of a later version, if it is damaged, and if
  /// it
  ///         cannot be written
  disk_log(file_system& files, const owner& who, log_options options = {});

  /// What people should know about the opening, a line each.
  const std::vector<std::string>& remarks() const { return remarks_; }
  /// What was found. For once: it is handed over.
  raft::stored_state take_found() { return std::move(found_); }

  // ---- the half that knows the log

  /// Takes over a write: neither durable nor written yet.
  void apply(const raft::storage_write& w);
  bool has_batch() const { return !next_.records.empty() || next_.own; }
  batch take_batch();

  // ---- the half that knows the files

  /// Durable when it comes back.
  /// @throws disk_error, after which nothing more can be stored
  void store(const batch& b);
  /// Whether a snapshot is still to be written. Until it is, the log on the disk begins where it did before.
  bool has_draft() const { return !failed_ && (draft_ || next_draft_); }
  /// Does a part of that, which does not take long.
  /// @throws disk_error, after which nothing more can be stored
  void write_draft();

  /// What was written into segments, records and all, and how often the disk was asked to make it durable.
  std::size_t bytes_written() const { return bytes_written_; }
  std::size_t syncs() const { return syncs_; }

 private:
  /// Whether it says so already.
  bool is_of(const owner& who);
  void require_begun(const recovered& r, bool has_owner);
  void open(recovered r);

  term_number term_at(log_index index) const;
  position end() const { return {last_index_, term_at(last_index_)}; }
  void note_entry(const raft::entry& e);
  void truncate(log_index behind);
  void note_snapshot(const raft::snapshot_ptr& s);

  void store_installed(const raft::snapshot_ptr& s);
  void write_piece(snapshot_draft& d);
  void finish(snapshot_draft& d);
  void begin_behind_draft();
  void drop_drafts();
  void append(const std::string& records);
  void begin_segment(std::uint64_t number);
  void mark_durable();
  void write_whole(const std::string& name, std::string_view bytes, std::size_t reserved_bytes = 0);
  void remove_superseded();
  void remove_snapshot(position last);

  file_system& files_;
  log_options options_;
  replica_id self_;
  std::vector<std::string> remarks_;
  raft::stored_state found_;

  // What the log says, with all that was applied.
  batch next_;
  log_index base_; ///< the last entry of the newest snapshot
  /// The first index of each stretch of entries of one term.
  struct stretch {
    log_index first;
    term_number term;
  };
  std::deque<stretch> terms_;
  log_index last_index_;
  log_index taken_commit_; ///< in the batches that were taken

  // What the files hold.
  struct segment {
    std::uint64_t number = 0;
    log_index last_entry;
  };
  std::deque<segment> segments_; ///< the last one is written to
  std::size_t offset_ = 0;       ///< in it
  raft::hard_state stored_hard_state_;
  position stored_base_; ///< of the snapshot that is durable, record and all
  position stored_end_;
  log_index stored_commit_;
  std::optional<snapshot_draft> draft_;
  raft::snapshot_ptr next_draft_; ///< the newest that has come since that was begun; null: none
  bool failed_ = false;
  std::size_t bytes_written_ = 0;
  std::size_t syncs_ = 0;
};

} // namespace troupe::disk
