// Log compaction and snapshots for followers that lag behind the log: section 7.

#include "protocol/escaped.hpp"
#include "protocol/invariant.hpp"
#include "protocol/raft/core.hpp"

namespace troupe::raft {

namespace {

/// How many bytes of `text` from `offset` on make a piece that takes at most `wanted` bytes and cuts no UTF-8
/// character.
std::size_t piece_size(const std::string& text, std::size_t offset, std::size_t wanted) {
  auto end = offset;
  while (end < text.size() && escaped_bytes(text[end]) <= wanted)
    wanted -= escaped_bytes(text[end++]);
  while (end < text.size() && end > offset && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return end - offset;
}

} // namespace

void core::take(compact& in) {
  const auto term = log_.term_at(in.last_index);
  const auto known = snapshot_ ? snapshot_->last_index : log_index{};
  if (in.last_index > commit_ || in.last_index <= known || !term)
    return refuse(fmt::format("cannot compact a log of entries {} to {}, committed up to {}, up to {}",
                              log_.first_index().value, log_.last_index().value, commit_.value,
                              in.last_index.value));
  while (configurations_.size() > 1 && configurations_[1].first <= in.last_index)
    configurations_.erase(configurations_.begin());
  configurations_.front().first = in.last_index;
  snapshot_ = std::make_shared<snapshot>(
      snapshot{in.last_index, *term, configurations_.front().second, std::move(in.data)});
  log_.compact(cut_for(in));
  out_.write.snapshot = snapshot_;
}

/// The least index up to which every follower that answers has the log, or is being given the state.
log_index core::wanted_by_followers() const {
  auto least = log_.last_index();
  if (const auto* l = as_leader())
    for (const auto& p : l->followers)
      if (now_ < p.answered_sent_at + 2 * options_.election_timeout_max)
        least = std::min(least, p.installing ? p.installing->last_index : p.match);
  return least;
}

/// The log keeps a few entries that the snapshot holds as well: those who lack no more than them need no
/// snapshot. What is on a disk, and found after a restart, begins behind the snapshot all the same.
log_index core::cut_for(const compact& in) const {
  const auto wanted = wanted_by_followers();
  auto cut = in.last_index;
  for (std::size_t kept = 0; cut > log_.base_index(); cut = cut - 1) {
    kept += log_.at(cut)->wire_bytes;
    if (kept > in.keep_bytes * (cut > wanted ? compact::kept_for_followers : 1))
      break;
  }
  return cut;
}

// ---- the leader's side
// ------------------------------------------------------------------------------------------

/// Sends the piece that is wanted next. Until the snapshot is installed the follower gets no appends. While
/// it has nothing of it, the newest will do.
void core::send_snapshot(progress& p) {
  auto& l = leading();
  if (!p.installing || p.installing_offset == 0) {
    require(snapshot_ != nullptr, "entry {} is gone, and there is no snapshot of it", p.next.value);
    if (p.installing != snapshot_) // answers to pieces of another say nothing of this one
      p.forget_flights();
    p.installing = snapshot_;
    p.installing_offset = 0;
    p.catch_up_to = log_.last_index();
  }
  const auto& s = *p.installing;
  const auto size = piece_size(s.data, p.installing_offset, options_.max_append_bytes);
  snapshot_piece m{hard_.term,
                   l.next_sequence,
                   s.last_index,
                   s.last_term,
                   s.configuration.voters,
                   s.configuration.learners,
                   p.installing_offset,
                   s.data.substr(p.installing_offset, size),
                   p.installing_offset + size == s.data.size()};
  p.sent({l.next_sequence, now_, {}, size}, options_);
  ++l.next_sequence;
  send_as_leader(p.id, std::move(m));
}

void core::on(replica_id from, snapshot_reply& m) {
  if (!observe_term(m.term))
    return;
  auto* p = follower_of_mine(from);
  if (!p)
    return;
  const bool current = p->answer(m.sequence, now_).has_value();
  if (!current || !p->installing)
    return;
  if (m.match >= p->installing->last_index) {
    p->raise_match(p->installing->last_index);
    p->next = p->match + 1;
    p->installing = nullptr;
    return;
  }
  if (m.next_offset > p->installing->data.size())
    return refuse("a follower asks for a piece behind the end of a snapshot");
  if (m.next_offset == p->installing_offset) // is on its way: this answers one that was sent twice
    return;
  p->installing_offset = m.next_offset;
  send_snapshot(*p);
}

// ---- the follower's side
// --------------------------------------------------------------------------------------------

void core::on(replica_id from, snapshot_piece& m) {
  if (!accept_leader(from, m.term))
    return tell_of_newer_term(from, m.term);
  // A log that holds the snapshot's last entry holds all before it: a late snapshot must not cut it.
  const bool held = m.last_index <= commit_ || log_.term_at(m.last_index) == m.last_term;
  if (held) {
    arriving_.reset();
    auto& role = std::get<follower>(role_);
    role.verified = std::max(role.verified, m.last_index);
    commit_up_to(m.last_index, false);
    return reply(from, snapshot_reply{hard_.term, m.sequence, 0, m.last_index});
  }
  // Another leader may have written the same state in other bytes.
  if (!arriving_ || arriving_->sender_term != m.term || arriving_->last_index != m.last_index)
    arriving_ = arriving_snapshot{
        m.term, m.last_index, {}, options_.make_snapshot_reader ? options_.make_snapshot_reader() : nullptr};
  const bool expected = m.offset == arriving_->data.size();
  if (expected && arriving_->data.size() + m.data.size() > options_.max_snapshot_bytes) {
    arriving_.reset();
    return refuse(fmt::format("a snapshot of more than {} bytes", options_.max_snapshot_bytes));
  }
  if (expected)
    arriving_->data.append(m.data);
  if (expected && arriving_->reader)
    if (const auto fault = arriving_->reader->read(arriving_->data.text(), m.done)) {
      arriving_.reset();
      return refuse(fmt::format("a snapshot that cannot be read: {}", *fault));
    }
  if (!expected || !m.done)
    return reply(from, snapshot_reply{hard_.term, m.sequence, arriving_->data.size(), {}});
  install(m);
  reply(from, snapshot_reply{hard_.term, m.sequence, 0, m.last_index});
}

void core::install(const snapshot_piece& m) {
  snapshot_ = std::make_shared<snapshot>(
      snapshot{m.last_index, m.last_term, {m.voters, m.learners}, arriving_->data.take()});
  out_.install_read = std::move(arriving_->reader);
  arriving_.reset();
  log_.reset(m.last_index, m.last_term);
  configurations_ = {{m.last_index, snapshot_->configuration}};
  commit_ = m.last_index;
  stored_ = m.last_index;
  std::get<follower>(role_).verified = m.last_index;
  out_.write.snapshot = snapshot_;
  out_.install = snapshot_;
  out_.committed.clear(); // found at the start: in the first step, and part of the snapshot
}

} // namespace troupe::raft
