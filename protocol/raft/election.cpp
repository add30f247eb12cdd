// Elections: section 5.2, the restriction of 5.4.1, pre-vote (D 9.6) and loyalty to a living leader
// (D 4.2.3).

#include "protocol/invariant.hpp"
#include "protocol/raft/core.hpp"

namespace troupe::raft {

/// A replica that hears from a leader elects nobody else: otherwise one that was cut off would depose the
/// leader when it comes back, and a lease would be a guess.
bool core::is_loyal() const { return role() == role_kind::leader || now_ < loyal_until_; }

// ---- pre-vote
// -------------------------------------------------------------------------------------------------

void core::start_pre_vote() {
  // Only the first time: who is cut off goes on asking for as long as that lasts.
  const bool patient = role() != role_kind::pre_candidate;
  role_ = pre_candidate{{{self_}, {}, options_.election_timeout_min / 5, never}, !patient};
  restart_election_timer();
  if (is_quorum({self_}))
    return start_election(false);
  ask_for_pre_votes();
  if (!patient)
    std::get<pre_candidate>(role_).ask_again_at = never;
}

void core::ask_for_pre_votes() {
  ask(std::get<pre_candidate>(role_), pre_vote_request{hard_.term + 1, log_.last_index(), log_.last_term()},
      out_.send_now);
}

/// A lost request or answer must not cost a whole election: where many messages are lost, hardly any would
/// succeed.
void core::ask(ballot& b, const peer_message& m, std::vector<outgoing>& when) {
  for (const auto id : active_configuration().voters)
    if (id != self_ && !b.answered.contains(id))
      when.push_back({id, m});
  b.ask_again_at = now_ + b.patience;
  b.patience *= 2;
}

void core::on(replica_id from, pre_vote_request& m) {
  // It has missed its leader's messages: the next one says more than a refusal, and carries the term as well.
  if (auto* p = follower_of_mine(from); p && m.term <= hard_.term + 1)
    return send_append(*p);
  // The answer carries this replica's term, so that one that lags behind catches up instead of asking for
  // ever.
  const bool granted = m.term > hard_.term && !is_loyal() && log_.is_up_to_date(m.last_index, m.last_term);
  send(from, pre_vote_reply{hard_.term, m.term, granted, leader_of_now()});
}

/// A leader that was not heard from for a heartbeat may have ended.
replica_id core::leader_of_now() const {
  const bool is_heard = role() == role_kind::leader || now_ < leader_heard_at() + options_.heartbeat_interval;
  return is_heard ? known_leader() : nobody;
}

void core::on(replica_id from, pre_vote_reply& m) {
  if (m.term > hard_.term)
    return become_follower(m.term, nobody);
  auto* asking = std::get_if<pre_candidate>(&role_);
  if (!asking || m.campaign != hard_.term + 1)
    return;
  asking->answered.insert(from);
  // Where only the link between this replica and the leader is cut, clients can still be sent there. The
  // first time it may as well be that the leader has just ended.
  if (asking->again && m.hears != self_ && active_configuration().is_voter(m.hears))
    out_.leader_of_others = m.hears;
  if (!m.granted)
    return;
  asking->granted.insert(from);
  if (is_quorum(asking->granted))
    start_election(false);
}

// ---- vote
// -----------------------------------------------------------------------------------------------------

void core::start_election(bool transfer) {
  hard_ = {hard_.term + 1, self_};
  role_ = candidate{{{self_}, {}, options_.election_timeout_min / 20, never}, transfer, {}};
  restart_election_timer();
  if (is_quorum({self_}))
    return become_leader();
  ask_for_votes();
}

void core::ask_for_votes() {
  auto& c = std::get<candidate>(role_);
  // Once stored: asking for votes promises this replica's own.
  ask(c, vote_request{hard_.term, log_.last_index(), log_.last_term(), c.transfer}, out_.send_once_stored);
}

void core::on(replica_id from, vote_request& m) {
  if (m.term < hard_.term)
    return reply(from, vote_reply{hard_.term, false, commit_});
  // Whatever term this replica has come to know of since: the lease that rests on its loyalty lasts.
  if (!m.transfer && is_loyal())
    return;
  observe_term(m.term);
  // Who asks again in the same term gets the same yes: the first answer may have been lost.
  const bool free_to_vote = hard_.voted_for == nobody || hard_.voted_for == from;
  const bool granted =
      free_to_vote && known_leader() == nobody && log_.is_up_to_date(m.last_index, m.last_term);
  if (granted) {
    hard_.voted_for = from;
    role_ = follower{};
    restart_election_timer();
  }
  reply(from, vote_reply{hard_.term, granted, commit_});
}

void core::on(replica_id from, vote_reply& m) {
  if (!observe_term(m.term))
    return;
  if (role() == role_kind::leader) // late, but it may know more than those that were in time
    return learn_commit(m.commit);
  auto* running = std::get_if<candidate>(&role_);
  if (!running)
    return;
  running->answered.insert(from);
  running->known_commit = std::max(running->known_commit, m.commit);
  if (!m.granted)
    return;
  running->granted.insert(from);
  if (is_quorum(running->granted))
    become_leader();
}

bool core::is_quorum(const std::set<replica_id>& granted) const {
  const auto& voters = active_configuration().voters;
  const auto votes =
      std::count_if(voters.begin(), voters.end(), [&](replica_id v) { return granted.contains(v); });
  return static_cast<std::size_t>(votes) >= quorum();
}

void core::become_leader() {
  // Whoever wins holds all that was committed before (section 5.4.3). What its voters know to be committed
  // has been answered by an earlier leader.
  const auto known_commit = std::get<candidate>(role_).known_commit;
  if (known_commit > log_.last_index())
    return refuse("a voter claims to have committed what the winner of the election does not hold");
  commit_up_to(known_commit, false);

  leader l;
  l.term_start = log_.last_index() + 1;
  role_ = std::move(l);
  track_followers();
  append_to_log(std::make_shared<entry>(entry{hard_.term, log_.last_index() + 1, no_op{}, no_op_wire_bytes}));
  for (auto i = commit_ + 1; i <= log_.last_index(); ++i)
    leading().uncommitted_bytes += log_.at(i)->wire_bytes;
  for (auto& p : leading().followers) // all of them: they have to learn who leads
    send_append(p);
}

} // namespace troupe::raft
