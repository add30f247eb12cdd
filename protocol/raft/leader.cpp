// AppendEntries as seen by who sends it: section 5.3, the commit rule of 5.4.2, check-quorum (D 6.2).
//
// A leader sends new entries to just enough followers to commit them, in rotation: whoever heard least
// recently comes first. One whose answer is late counts as if it had not been sent anything, so that others
// are asked, and is tried again when there is nobody else: who has failed least often first. All are heard
// from at the pace of heartbeats, which bring those up to date that were passed over. Whoever lacks more than
// a heartbeat can carry is sent the rest as it answers.

#include "protocol/invariant.hpp"
#include "protocol/raft/core.hpp"
#include "protocol/raft/quorum.hpp"

namespace troupe::raft {

namespace {

progress* find(std::vector<progress>& followers, replica_id id) {
  const auto found = std::lower_bound(followers.begin(), followers.end(), id,
                                      [](const progress& p, replica_id wanted) { return p.id < wanted; });
  return found != followers.end() && found->id == id ? &*found : nullptr;
}

} // namespace

/// What a majority of the voters has reached; learners never count, nor does a leader that is none of the
/// voters.
template <class Value, class Get>
Value core::quorum_value(Value mine, Get get) const {
  const auto& configuration = active_configuration();
  std::vector<Value> values;
  values.reserve(configuration.voters.size());
  if (is_voter())
    values.push_back(mine);
  for (const auto& p : std::get<leader>(role_).followers)
    if (configuration.is_voter(p.id))
      values.push_back(get(p));
  return reached_by_quorum(std::move(values));
}

progress* core::follower_of_mine(replica_id id) {
  auto* l = std::get_if<leader>(&role_);
  return l ? find(l->followers, id) : nullptr;
}

/// One follower's progress for each member of the configuration, keeping what is known of those that stay.
void core::track_followers() {
  const auto& configuration = active_configuration();
  std::vector<replica_id> ids = configuration.voters;
  ids.insert(ids.end(), configuration.learners.begin(), configuration.learners.end());
  std::sort(ids.begin(), ids.end());
  std::vector<progress> tracked;
  for (const auto id : ids) {
    if (id == self_)
      continue;
    if (auto* known = follower_of_mine(id)) {
      tracked.push_back(std::move(*known));
      continue;
    }
    progress p;
    p.id = id;
    p.next = log_.last_index() + 1;
    p.last_sent = now_;
    p.answered_sent_at = now_;
    tracked.push_back(std::move(p));
  }
  leading().followers = std::move(tracked);
}

// ---- clients' writes
// --------------------------------------------------------------------------------------------

refusal core::admit(const proposal& p) const {
  const auto* l = as_leader();
  if (!l)
    return refusal::not_leader;
  if (l->handover)
    return refusal::handing_over;
  if (p.wire_bytes > options_.max_append_bytes)
    return refusal::too_large;
  if (log_.last_index() - commit_ >= options_.max_uncommitted_entries ||
      l->uncommitted_bytes + p.wire_bytes > options_.max_uncommitted_bytes)
    return refusal::busy;
  return refusal::none;
}

void core::take(propose& in) {
  for (auto& p : in.proposals) {
    proposal_outcome outcome{p.command.id, {}, {}, admit(p)};
    if (outcome.refusal == refusal::busy || outcome.refusal == refusal::handing_over)
      leading().turned_away = true;
    if (outcome.refusal == refusal::none) {
      outcome.index = log_.last_index() + 1;
      outcome.term = hard_.term;
      leading().uncommitted_bytes += p.wire_bytes;
      append_to_log(
          std::make_shared<entry>(entry{outcome.term, outcome.index, std::move(p.command), p.wire_bytes}));
    }
    out_.outcomes.push_back(std::move(outcome));
  }
}

// ---- what a leader does after every step
// --------------------------------------------------------------------------

void core::lead() {
  if (role() != role_kind::leader)
    return;
  watch_storage();
  if (has_lost_contact())
    return become_follower(hard_.term, nobody);
  advance_commit();
  if (role() != role_kind::leader)
    return;
  continue_handover();
  serve_reads();
  replicate();
  catch_up();
  send_heartbeats();
  tell_commit();
  tell_room();
}

/// Only entries of the leader's own term commit by counting; those before them then commit too
/// (section 5.4.2).
void core::advance_commit() {
  auto& l = leading();
  const auto majority = quorum_value<log_index>(stored_, [](const progress& p) { return p.match; });
  if (majority <= commit_ || log_.term_at(majority) != hard_.term)
    return;
  release_bytes(majority);
  commit_up_to(majority, true);
  if (options_.commit_notice_delay > duration::zero())
    l.commit_told_at = now_ + options_.commit_notice_delay;
  // Who has removed itself leads until that is committed (D 4.2.2).
  if (!is_voter() && configurations_.back().first <= commit_)
    become_follower(hard_.term, nobody);
}

/// What a voter knew to be committed was committed, and answered, by an earlier leader; this one holds all of
/// it (section 5.4.3).
void core::learn_commit(log_index index) {
  const auto inherited = std::min(index, leading().term_start - 1);
  if (inherited <= commit_)
    return;
  release_bytes(inherited);
  commit_up_to(inherited, false);
}

void core::release_bytes(log_index up_to) {
  auto& l = leading();
  for (auto i = commit_ + 1; i <= up_to; ++i)
    l.uncommitted_bytes -= std::min(l.uncommitted_bytes, log_.at(i)->wire_bytes);
}

// ---- sending
// --------------------------------------------------------------------------------------------------------

/// Whether a majority has been sent all entries, not counting on those that are late.
bool core::is_covered() const {
  if (commit_ == log_.last_index())
    return true;
  const auto sent = [this](const progress& p) {
    return p.installing || !p.is_hopeful(now_, options_) ? p.match : p.next - 1;
  };
  return quorum_value<log_index>(log_.last_index(), sent) == log_.last_index();
}

/// Whether a majority has been sent a message that can confirm the waiting reads.
bool core::is_round_covered() const {
  const auto& l = std::get<leader>(role_);
  if (!l.round)
    return true;
  const auto sent = [this](const progress& p) {
    return p.is_hopeful(now_, options_) ? p.last_sequence : p.answered;
  };
  return quorum_value<sequence_number>(l.next_sequence, sent) >= *l.round;
}

/// Whether sending to this follower now would cover more than before.
bool core::can_help(const progress& p) const {
  const auto& l = std::get<leader>(role_);
  const bool hopeful = p.is_hopeful(now_, options_);
  const bool has_all = (hopeful ? p.next - 1 : p.match) == log_.last_index();
  const bool has_round = !l.round || (hopeful ? p.last_sequence : p.answered) >= *l.round;
  return active_configuration().is_voter(p.id) && !p.installing && !(has_all && has_round);
}

/// Whoever can help and was sent something longest ago; those whose answer is late only when there is nobody
/// else, and the dead, who never answer, last of all.
progress* core::next_to_send() {
  progress* best = nullptr;
  const auto rank = [this](const progress& p) {
    return std::tuple{p.is_late(now_, options_), p.retries, p.last_sequence};
  };
  for (auto& p : leading().followers) {
    const bool free = p.is_late(now_, options_) ? now_ >= p.retry_at(options_) : !p.window_is_full(options_);
    if (free && can_help(p) && (!best || rank(p) < rank(*best)))
      best = &p;
  }
  return best;
}

void core::replicate() {
  while (!is_covered() || !is_round_covered()) {
    auto* p = next_to_send();
    if (!p)
      return;
    const bool was_late = p->is_late(now_, options_);
    send_append(*p);
    while (!was_late && p->next <= log_.last_index() && !p->installing && !p->window_is_full(options_))
      send_append(*p);
  }
}

void core::send_append(progress& p) {
  auto& l = leading();
  if (p.is_late(now_, options_)) { // what was on its way counts as lost
    p.next = p.match + 1;
    ++p.retries;
  }
  if (p.installing || p.next <= log_.base_index())
    return send_snapshot(p);
  append_request m{hard_.term, l.next_sequence, p.next - 1, *log_.term_at(p.next - 1), commit_, {}};
  std::size_t bytes = 0;
  if (!p.window_is_full(options_))
    m.entries = log_.slice(p.next, options_.max_append_bytes);
  for (const auto& e : m.entries)
    bytes += e->wire_bytes;
  p.next = p.next + m.entries.size();
  if (p.next <= log_.last_index())
    p.catch_up_to = log_.last_index();
  p.told_commit = commit_;
  p.sent({l.next_sequence, now_, m.previous_index, bytes, m.previous_index <= p.match}, options_);
  ++l.next_sequence;
  send_as_leader(p.id, std::move(m));
}

/// To lead a term is to have voted for oneself in it, for good. The votes of others came after this replica's
/// own was stored; whoever needs nobody else's must wait for it, or it could lead the same term twice.
void core::send_as_leader(replica_id to, peer_message m) {
  const bool vote_is_stored = quorum() > 1 || stored_ >= leading().term_start;
  vote_is_stored ? send(to, std::move(m)) : reply(to, std::move(m));
}

/// Sends on to those that were sent less than there was: learners, newcomers, and who was away.
void core::catch_up() {
  for (auto& p : leading().followers) {
    if (!p.is_catching_up())
      continue;
    if (p.is_late(now_, options_)) {
      if (now_ >= p.retry_at(options_))
        send_append(p);
      continue;
    }
    while (!p.installing && p.next <= p.catch_up_to && !p.window_is_full(options_))
      send_append(p);
  }
}

void core::send_heartbeats() {
  for (auto& p : leading().followers)
    if (now_ >= p.last_sent + heartbeat_interval(p))
      send_append(p);
}

/// Whoever has been silent for long has given this leader up already, if it lives at all: it asks for votes
/// when it comes back, and hears from its leader then. Until that it costs little.
duration core::heartbeat_interval(const progress& p) const {
  const bool is_silent = now_ >= p.answered_sent_at + 2 * options_.election_timeout_max;
  return (is_silent ? 4 : 1) * options_.heartbeat_interval;
}

/// Tells the commit index to one voter that holds the entries, unless appends have told somebody nearly all.
/// In the election that this leader's end would bring, its vote tells the winner, even when it comes late.
void core::tell_commit() {
  auto& l = leading();
  if (now_ < l.commit_told_at)
    return;
  l.commit_told_at = never;
  const auto& configuration = active_configuration();
  progress* to_tell = nullptr;
  log_index told;
  for (auto& p : l.followers) {
    if (!configuration.is_voter(p.id))
      continue;
    told = std::max(told, std::min(p.told_commit, p.match));
    if (p.match >= commit_)
      to_tell = &p;
  }
  if (!to_tell || commit_ - told <= untold_allowed())
    return;
  send(to_tell->id, commit_notice{hard_.term, commit_});
  to_tell->told_commit = commit_;
}

/// How many entries may go without a notice until the next append tells of them. Each is answered a second
/// time if this leader is lost before that. One such answer costs less than a message for every pause between
/// requests, but only once: whoever took over from another leader has seen that leaders are lost, and takes
/// no chance.
std::uint64_t core::untold_allowed() const {
  return std::get<leader>(role_).term_start == log_index{1} ? 1 : 0;
}

/// Half empty, so that those who were turned away do not come back only to be turned away again.
void core::tell_room() {
  auto& l = leading();
  const bool room = !l.handover && log_.last_index() - commit_ < (options_.max_uncommitted_entries + 1) / 2 &&
                    l.uncommitted_bytes <= options_.max_uncommitted_bytes / 2 &&
                    l.reads.size() < (options_.max_waiting_reads + 1) / 2;
  if (l.turned_away && room) {
    out_.room_again = true;
    l.turned_away = false;
  }
}

// ---- answers
// ----------------------------------------------------------------------------------------------------

void core::on(replica_id from, append_accepted& m) {
  if (!observe_term(m.term))
    return;
  auto* p = follower_of_mine(from);
  if (!p)
    return;
  if (m.match > log_.last_index())
    return refuse("a follower claims to hold more than its leader");
  p->answer(m.sequence, now_);
  p->raise_match(m.match); // what is stored stays stored, however old the answer
}

void core::on(replica_id from, append_rejected& m) {
  if (!observe_term(m.term))
    return;
  auto* p = follower_of_mine(from);
  if (!p)
    return;
  // Only the answer to something that is still on its way may move next back.
  const auto answered = p->answer(m.sequence, now_);
  if (!answered)
    return;
  if (answered->sure)
    return refuse("a follower has lost entries that it had stored");
  resume_sending(*p, m, *answered);
}

/// Skips a whole term with each probe (section 5.3): the leader's last entry of the follower's conflicting
/// term, if it has one, is the next that could match; else nothing of that term can.
void core::resume_sending(progress& p, const append_rejected& m, const flight& answered) {
  auto next = m.conflict_index;
  if (m.conflict_term > term_number{})
    if (const auto last = log_.last_index_of_term(m.conflict_term))
      next = *last + 1;
  p.next = std::clamp(next, p.match + 1, std::max(p.match + 1, answered.previous_index));
  // What followed the rejected message will be rejected too.
  p.forget_flights();
  send_append(p);
}

// ---- check-quorum and deadlines
// -------------------------------------------------------------------------------------

/// A leader that can send but not hear, or whose storage stalls, must not keep its followers calm for ever
/// (D 6.2).
bool core::has_lost_contact() const {
  const auto patience = options_.election_timeout_max;
  const auto& l = std::get<leader>(role_);
  return now_ >= last_contact() + patience ||
         (l.storing_since != never && now_ >= l.storing_since + patience);
}

instant core::last_contact() const {
  return quorum_value<instant>(now_, [](const progress& p) { return p.answered_sent_at; });
}

void core::watch_storage() {
  auto& l = leading();
  if (stored_ == log_.last_index() || quorum() == 1) // nobody else could do better
    l.storing_since = never;
  else if (l.storing_since == never || l.storing_behind != stored_)
    l.storing_since = now_;
  l.storing_behind = stored_;
}

instant core::leader_deadline() const {
  const auto& l = std::get<leader>(role_);
  const auto patience = options_.election_timeout_max;
  auto deadline = last_contact() + patience;
  if (l.storing_since != never)
    deadline = std::min(deadline, l.storing_since + patience);
  if (l.handover)
    deadline = std::min(deadline, l.handover->give_up_at);
  deadline = std::min(deadline, l.commit_told_at);
  const bool waiting = commit_ < log_.last_index() || l.round;
  for (const auto& p : l.followers) {
    deadline = std::min(deadline, p.last_sent + heartbeat_interval(p));
    const bool takes_over = l.handover && !l.handover->asked && l.handover->to == p.id &&
                            p.match < log_.last_index() && !p.installing;
    if (!waiting && !p.is_catching_up() && !takes_over)
      continue;
    if (!p.is_late(now_, options_))
      deadline = std::min(deadline, p.late_at(options_));
    else if (takes_over)
      deadline = std::min(deadline, p.retry_at(options_));
    else if (p.is_hopeful(now_, options_))
      deadline = std::min(deadline, p.hope_until(options_));
    else if (p.is_catching_up() || (can_help(p) && (!is_covered() || !is_round_covered())))
      deadline = std::min(deadline, p.retry_at(options_));
  }
  return deadline;
}

} // namespace troupe::raft
