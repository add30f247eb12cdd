#pragma once

#include "disk/file_system.hpp"
#include "disk/record.hpp"

#include <string>

namespace troupe::disk {

/// A snapshot's file while it is written, a piece at a time. After a crash it is there as a whole, or as a
/// draft that the next start removes.
class snapshot_draft {
 public:
  snapshot_draft(file_system& files, raft::snapshot_ptr s);

  position last() const { return last_of(*snapshot_); }
  std::size_t bytes() const { return head_.size() + snapshot_->data.size(); }
  std::size_t durable_bytes() const { return durable_bytes_; }
  bool is_written() const { return durable_bytes_ == bytes(); }

  /// So much more of the state is durable when it comes back.
  void write_piece(std::size_t bytes);
  /// Gives it its name, which is durable when it comes back: the log may begin behind it then.
  /// Precondition: is_written().
  void finish();
  /// It will never be finished.
  void drop() { files_.remove(name_); }

 private:
  file_system& files_;
  raft::snapshot_ptr snapshot_; ///< a large text, which is not copied
  std::string head_;
  std::string name_;
  std::size_t durable_bytes_ = 0;
};

} // namespace troupe::disk
