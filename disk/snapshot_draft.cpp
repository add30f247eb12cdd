#include "disk/snapshot_draft.hpp"

#include "disk/recover.hpp"
#include "protocol/invariant.hpp"

#include <utility>

namespace troupe::disk {

snapshot_draft::snapshot_draft(file_system& files, raft::snapshot_ptr s)
    : files_(files), snapshot_(std::move(s)), head_(snapshot_head(*snapshot_)),
      name_(snapshot_name(last()) + std::string(unfinished)) {
  files_.create(name_, 0);
}

void snapshot_draft::write_piece(std::size_t bytes) {
  auto end = durable_bytes_;
  if (end == 0) {
    files_.write(name_, 0, head_);
    end = head_.size();
  }
  const auto piece = std::string_view(snapshot_->data).substr(end - head_.size(), bytes);
  files_.write(name_, end, piece);
  files_.sync(name_);
  durable_bytes_ = end + piece.size();
}

void snapshot_draft::finish() {
  require(is_written(), "{} has {} of {} bytes", name_, durable_bytes_, bytes());
  files_.rename(name_, snapshot_name(last()));
  files_.sync_directory();
}

} // namespace troupe::disk
