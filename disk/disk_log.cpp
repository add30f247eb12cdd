#include "disk/disk_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::disk {

// ---- opening

disk_log::disk_log(file_system& files, const owner& who, log_options options)
    : files_(files), options_(options), self_(who.self) {
  const bool has_owner = is_of(who);
  auto r = recover(files_, self_);
  require_begun(r, has_owner);
  open(std::move(r));
  // Last, so that a log without it is one that was never used, and one with it has a segment.
  if (!has_owner)
    write_whole(identity_name, identity_text(who));
}

bool disk_log::is_of(const owner& who) {
  const auto names = files_.list();
  if (std::find(names.begin(), names.end(), identity_name) == names.end())
    return false;
  const auto found = read_identity(files_);
  if (found.self != who.self)
    throw disk_error(fmt::format("{}: the log is that of replica {}, not of {}",
                                 files_.path_of(identity_name), to_string(found.self), to_string(who.self)));
  if (found.cluster != who.cluster)
    throw disk_error(fmt::format("{}: the log is that of a replica of {}, not of {}",
                                 files_.path_of(identity_name), names_of(found.cluster),
                                 names_of(who.cluster)));
  return true;
}

void disk_log::require_begun(const recovered& r, bool has_owner) {
  if (has_owner && r.segments.empty())
    refuse_missing(files_, segment_name(1), "as are all others");
  if (!has_owner && !r.is_unused())
    refuse_missing(files_, identity_name, "beside a log");
}

/// What is kept of an earlier life is made durable again, since nobody knows how far it was; then a new
/// segment begins.
void disk_log::open(recovered r) {
  for (const auto& s : r.segments)
    segments_.push_back({s.number, s.last_entry});
  if (!r.segments.empty()) {
    const auto& last = r.segments.back();
    const auto name = segment_name(last.number);
    if (r.torn_at)
      remarks_.push_back(
          fmt::format("{}: cut off at byte {}, {} bytes: what a crash interrupted before it was durable",
                      files_.path_of(name), last.bytes, r.torn_bytes));
    // It keeps its length until the next one is there: a shorter one is damaged.
    files_.write(name, last.bytes, std::string(r.torn_bytes, '\0'));
    files_.sync(name);
    // A crash may have kept a name that was never durable.
    files_.sync_directory();
  }
  for (const auto& name : r.leftovers)
    files_.remove(name);
  next_.hard_state = stored_hard_state_ = r.state.hard_state;
  stored_base_ = r.base;
  base_ = r.base.index;
  next_.commit = stored_commit_ = taken_commit_ = r.state.commit;
  last_index_ = r.base.index;
  if (r.base != position{})
    terms_.push_back({r.base.index, r.base.term});
  for (const auto& e : r.state.entries)
    note_entry(*e);
  stored_end_ = end();
  begin_segment(segments_.empty() ? 1 : segments_.back().number + 1);
  if (!r.segments.empty())
    files_.truncate(segment_name(r.segments.back().number), r.segments.back().bytes);
  remove_superseded();
  found_ = std::move(r.state);
}

// ---- what the log says

void disk_log::note_entry(const raft::entry& e) {
  if (terms_.empty() || terms_.back().term != e.term)
    terms_.push_back({e.index, e.term});
  last_index_ = e.index;
}

void disk_log::truncate(log_index behind) {
  while (!terms_.empty() && terms_.back().first > behind)
    terms_.pop_back();
  last_index_ = std::min(last_index_, behind);
}

term_number disk_log::term_at(log_index index) const {
  if (index > last_index_)
    return {};
  const auto after =
      std::find_if(terms_.rbegin(), terms_.rend(), [&](const auto& s) { return s.first <= index; });
  return after == terms_.rend() ? term_number{} : after->term;
}

void disk_log::note_snapshot(const raft::snapshot_ptr& s) {
  const position last = last_of(*s);
  base_ = last.index;
  if (term_at(last.index) == last.term) {
    next_.own = s;
  } else {
    write_record(snapshot_record{last, false}, next_.records);
    next_.installed.push_back(s);
    next_.own = nullptr;
    terms_.clear();
    last_index_ = last.index;
  }
  while (terms_.size() > 1 && terms_[1].first <= last.index)
    terms_.pop_front();
  if (terms_.empty())
    terms_.push_back({last.index, last.term});
  terms_.front() = {last.index, last.term};
}

void disk_log::apply(const raft::storage_write& w) {
  // Before the entries: a replica that knew an entry of a term, but not the term, could vote in it again.
  if (w.hard_state) {
    next_.hard_state = *w.hard_state;
    write_record(*w.hard_state, next_.records);
  }
  if (w.snapshot && w.snapshot->last_index > base_)
    note_snapshot(w.snapshot);
  if (w.truncate_behind && *w.truncate_behind < last_index_) {
    truncate(*w.truncate_behind);
    write_record(truncate_record{*w.truncate_behind}, next_.records);
  }
  for (const auto& e : w.entries) {
    note_entry(*e);
    write_record(entry_record{e}, next_.records);
    next_.last_entry = std::max(next_.last_entry, e->index);
  }
  next_.commit = std::max(next_.commit, w.commit);
}

batch disk_log::take_batch() {
  // Last of all: a crash that leaves it has left the entries, too.
  if (next_.commit > taken_commit_)
    write_record(commit_record{next_.commit}, next_.records);
  taken_commit_ = next_.commit;
  auto taken = std::exchange(next_, {});
  taken.end = end();
  next_.hard_state = taken.hard_state;
  next_.commit = taken.commit;
  return taken;
}

// ---- what the files hold

void disk_log::store(const batch& b) {
  if (failed_)
    throw disk_error("nothing more can be stored after an error");
  failed_ = true; // unless all of it succeeds
  if (!b.installed.empty())
    drop_drafts();
  for (const auto& s : b.installed)
    store_installed(s);
  if (!b.records.empty())
    append(b.records);
  segments_.back().last_entry = std::max(segments_.back().last_entry, b.last_entry);
  stored_hard_state_ = b.hard_state;
  stored_commit_ = b.commit;
  stored_end_ = b.end;
  if (!b.installed.empty()) {
    const auto before = std::exchange(stored_base_, last_of(*b.installed.back()));
    remove_superseded();
    remove_snapshot(before);
    for (const auto& s : b.installed)
      remove_snapshot(last_of(*s));
  }
  if (b.own)
    next_draft_ = b.own;
  failed_ = false;
}

void disk_log::append(const std::string& records) {
  // Nothing but the mark behind it all may make a segment longer than it was made: see recover.cpp.
  const auto end = offset_ + batch_record_bytes + records.size();
  if (end > options_.segment_bytes && offset_ > segment_header_bytes) {
    files_.sync(segment_name(segments_.back().number)); // its mark, which must not be torn behind another
    begin_segment(segments_.back().number + 1);
  }
  const auto name = segment_name(segments_.back().number);
  std::string bytes;
  bytes.reserve(batch_record_bytes + records.size());
  write_record(batch_record{segments_.back().number, offset_}, bytes);
  bytes += records;
  files_.write(name, offset_, bytes);
  files_.sync(name);
  ++syncs_;
  bytes_written_ += bytes.size();
  offset_ += bytes.size();
  mark_durable();
}

// ---- snapshots

void disk_log::write_draft() {
  failed_ = true; // unless all of it succeeds
  if (!draft_)
    draft_.emplace(files_, std::exchange(next_draft_, nullptr));
  else if (!draft_->is_written())
    write_piece(*draft_);
  else
    begin_behind_draft();
  failed_ = false;
}

/// What is before it goes only when the record is durable, too: until then the log begins there.
void disk_log::begin_behind_draft() {
  finish(*draft_);
  std::string records;
  write_record(snapshot_record{draft_->last(), true}, records);
  append(records);
  const auto before = std::exchange(stored_base_, draft_->last());
  draft_.reset();
  remove_superseded();
  remove_snapshot(before);
}

/// The record that the log begins behind it may follow when this is back.
void disk_log::store_installed(const raft::snapshot_ptr& s) {
  snapshot_draft d(files_, s);
  while (!d.is_written())
    write_piece(d);
  finish(d);
}

void disk_log::write_piece(snapshot_draft& d) {
  const auto before = d.durable_bytes();
  d.write_piece(options_.snapshot_piece_bytes);
  bytes_written_ += d.durable_bytes() - before;
  ++syncs_;
}

void disk_log::finish(snapshot_draft& d) {
  d.finish();
  ++syncs_;
}

/// Of a log that is no longer there.
void disk_log::drop_drafts() {
  if (draft_)
    draft_->drop();
  draft_.reset();
  next_draft_ = nullptr;
}

// ---- segments

/// A file is there as a whole, or not at all.
void disk_log::write_whole(const std::string& name, std::string_view bytes, std::size_t reserved_bytes) {
  const auto draft = name + std::string(unfinished);
  files_.create(draft, reserved_bytes);
  files_.write(draft, 0, bytes);
  files_.sync(draft);
  files_.rename(draft, name);
  files_.sync_directory();
  ++syncs_;
  bytes_written_ += bytes.size();
}

/// With it the log can be read although all segments before are gone.
void disk_log::begin_segment(std::uint64_t number) {
  auto bytes = segment_header(number, self_, options_.segment_bytes);
  write_record(batch_record{number, bytes.size()}, bytes);
  write_record(base_record{stored_base_, stored_end_}, bytes);
  write_record(stored_hard_state_, bytes);
  write_record(commit_record{stored_commit_}, bytes);
  write_whole(segment_name(number), bytes, options_.segment_bytes);
  offset_ = bytes.size();
  if (!segments_.empty())
    files_.write(segment_name(segments_.back().number), followed_mark_offset, followed_mark);
  segments_.push_back({number, {}});
}

/// The next batch begins here already, which says that what is before it was durable: damage to that is not
/// taken for a crash. Nobody waits for it to be durable.
void disk_log::mark_durable() {
  std::string mark;
  write_record(batch_record{segments_.back().number, offset_}, mark);
  files_.write(segment_name(segments_.back().number), offset_, mark);
}

/// From the oldest on, and one after the other: a crash must not leave a gap.
void disk_log::remove_superseded() {
  while (segments_.size() > 1 && segments_.front().last_entry <= stored_base_.index) {
    files_.remove(segment_name(segments_.front().number));
    files_.sync_directory();
    segments_.pop_front();
  }
}

/// Unless the log begins with it.
void disk_log::remove_snapshot(position last) {
  if (last != position{} && last != stored_base_)
    files_.remove(snapshot_name(last));
}

} // namespace troupe::disk
