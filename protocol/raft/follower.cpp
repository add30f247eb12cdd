// AppendEntries as seen by who receives it: section 5.3, figure 2.

#include "protocol/invariant.hpp"
#include "protocol/raft/core.hpp"

namespace troupe::raft {

/// Takes note that `from` leads `term`. False if that term is over, or if the sender cannot be its leader.
bool core::accept_leader(replica_id from, term_number term) {
  if (!observe_term(term))
    return false;
  if (role() == role_kind::leader || (known_leader() != nobody && known_leader() != from)) {
    refuse("a second leader in one term");
    return false;
  }
  // A candidate of the same term gives up on any message of its leader, whether or not the log matches.
  if (known_leader() != from)
    role_ = follower{from, {}};
  restart_election_timer();
  loyal_until_ = now_ + options_.election_timeout_min;
  return true;
}

/// To who led an earlier term. The number of its message is left out: numbers begin anew with each term, and
/// if it leads again this one would confirm a message of now that nobody may have received.
void core::tell_of_newer_term(replica_id to, term_number its_term) {
  if (its_term < hard_.term)
    reply(to, append_rejected{hard_.term, {}, {}, log_.last_index() + 1});
}

void core::on(replica_id from, append_request& m) {
  if (!accept_leader(from, m.term))
    return tell_of_newer_term(from, m.term);
  if (!skip_compacted(m))
    return refuse("an append that contradicts the snapshot");
  if (m.previous_index > log_.last_index())
    return reply(from, append_rejected{hard_.term, m.sequence, {}, log_.last_index() + 1});
  const auto term_here = log_.term_at(m.previous_index);
  if (term_here != m.previous_term) {
    if (m.previous_index <= commit_)
      return refuse("an append that contradicts what is committed");
    return reply(from, append_rejected{hard_.term, m.sequence, *term_here,
                                       log_.first_index_of_term_at(m.previous_index)});
  }
  if (!store_entries(m))
    return;
  // Only what this very message proved to match may be committed by it; the log behind may be a dead
  // leader's.
  auto& role = std::get<follower>(role_);
  const auto proved = m.previous_index + m.entries.size();
  role.verified = std::max(role.verified, proved);
  commit_up_to(std::min(m.commit, proved), false);
  reply(from, append_accepted{hard_.term, m.sequence, proved});
}

/// Drops entries that a snapshot has replaced: they were committed, so they match. False if the last of them
/// does not.
bool core::skip_compacted(append_request& m) const {
  if (m.previous_index >= log_.base_index())
    return true;
  const auto base_term = *log_.term_at(log_.base_index());
  const auto behind = log_.base_index() - m.previous_index;
  if (m.entries.size() >= behind && m.entries[behind - 1]->term != base_term)
    return false;
  m.entries.erase(m.entries.begin(), m.entries.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(
                                                             behind, m.entries.size())));
  m.previous_index = log_.base_index();
  m.previous_term = base_term;
  return true;
}

/// Adds what is missing and replaces what conflicts, and nothing else: a message that is merely old or short
/// must not cut the log. False if the message contradicts what is committed.
bool core::store_entries(const append_request& m) {
  for (const auto& e : m.entries) {
    const auto term_here = log_.term_at(e->index);
    if (term_here == e->term)
      continue;
    if (term_here) {
      if (e->index <= commit_) {
        refuse("an append that contradicts what is committed");
        return false;
      }
      truncate_log_behind(e->index - 1);
    }
    append_to_log(e);
  }
  return true;
}

void core::on(replica_id from, commit_notice& m) {
  if (!accept_leader(from, m.term))
    return;
  const auto& role = std::get<follower>(role_);
  commit_up_to(std::min(m.commit, role.verified), false);
}

} // namespace troupe::raft
