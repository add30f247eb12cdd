// The judges of a virtual cluster: what must hold of all replicas together, their storages, clocks and
// messages, as nobody inside could know.

#include "actors/intake.hpp"
#include "cluster/virtual_cluster.hpp"
#include "protocol/wire/simulator_codec.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace troupe {

namespace {

/// One message makes a few others on its way through the rooms.
constexpr std::size_t most_waiting = 4 * actors::intake::max_waiting;
/// What follows a broken rule is mostly more of the same.
constexpr std::size_t most_violations = 100;

} // namespace

void virtual_cluster::judge(member& m, const raft::core& c, const raft::effects& e) {
  ++steps_;
  const auto committed_before = observer_.committed().size();
  if (auto broken = observer_.observe(c, e))
    violate(std::move(*broken));
  note_messages(m, c, e.send_now);
  note_messages(m, c, e.send_once_stored);
  judge_choice(m, c);
  judge_election(m, c);
  if (c.role() == raft::role_kind::leader)
    m.elected_in = c.term();
  judge_commit(c, e, committed_before);
  judge_stall(m, c);
  judge_lease(m, c);
  if (m.clock_jumped && e.next_deadline != never)
    at(m.clock.when_shown(e.next_deadline), [this, &m] { wake(m); });
  if (!e.write.empty())
    store_later(m);
  // The first step comes while the replica is being made.
  const auto* made = find_replica(m);
  if (!made)
    return;
  const auto waiting = made->depths().sum();
  if (waiting > most_waiting)
    violate(fmt::format("queues stay within bounds: {} messages wait in {}", waiting, to_string(m.id)));
}

/// Figure 2, persistent state.
void virtual_cluster::judge_restart(const member& m) {
  const auto& c = core(m.id);
  const auto& stored = m.storage.hard_state();
  if (c.term() != stored.term || c.voted_for() != stored.voted_for ||
      c.log().last_index() != m.storage.last_index())
    violate(fmt::format(
        "a restart brings back what was stored: {} has {} entries, term {} and a vote for {}, and its "
        "storage {}, {} and {}",
        to_string(m.id), c.log().last_index().value, c.term().value, to_string(c.voted_for()),
        m.storage.last_index().value, stored.term.value, to_string(stored.voted_for)));
}

/// Section 5.4.1.
void virtual_cluster::judge_choice(member& m, const raft::core& c) {
  if (c.voted_for() == nobody || c.voted_for() == m.id || m.voted_in == c.term())
    return;
  m.voted_in = c.term();
  const auto campaign = campaigns_.find({c.voted_for(), c.term()});
  if (campaign == campaigns_.end())
    return; // the candidate was made up
  const auto& asked = campaign->second;
  if (std::tuple(asked.last_term, asked.last_index) < std::tuple(c.log().last_term(), c.log().last_index()))
    violate(fmt::format(
        "a vote goes to a log that is no older: {}, whose log ends with entry {} of term {}, votes for "
        "{}, whose log ends with entry {} of term {}",
        to_string(m.id), c.log().last_index().value, c.log().last_term().value, to_string(c.voted_for()),
        asked.last_index.value, asked.last_term.value));
}

/// Section 5.2. Of the votes its own is the only one that it was not told of by a message.
void virtual_cluster::judge_election(const member& m, const raft::core& c) {
  if (c.role() != raft::role_kind::leader || m.elected_in == c.term())
    return;
  const auto& voters = c.active_configuration().voters;
  const auto votes = std::count_if(voters.begin(), voters.end(), [&](replica_id v) {
    const auto told = votes_told_.find({v, c.term()});
    return v == m.id || (told != votes_told_.end() && told->second.contains(m.id));
  });
  if (static_cast<std::size_t>(votes) <= voters.size() / 2)
    violate(fmt::format("a leader has the votes of a majority: {} leads term {} with {} of {}",
                        to_string(m.id), c.term().value, votes, voters.size()));
}

/// Sections 5.3 and 5.4.2, for what nobody has committed before: it has to be stored by a majority, and an
/// entry of the leader's own term among it.
void virtual_cluster::judge_commit(const raft::core& c, const raft::effects& e,
                                   std::size_t committed_before) {
  if (e.committed.empty() || e.committed.back()->index.value <= committed_before)
    return;
  const auto& last = *e.committed.back();
  if (last.term != c.term())
    violate(fmt::format(
        "only entries of its own term commit by counting: {} commits entry {} of term {} in term {}",
        to_string(c.self()), last.index.value, last.term.value, c.term().value));
  const auto& voters = c.active_configuration().voters;
  const auto holders = std::count_if(voters.begin(), voters.end(), [&](replica_id v) {
    return v.value < members_.size() && find(v).storage.holds(last.index, last.term);
  });
  if (static_cast<std::size_t>(holders) <= voters.size() / 2)
    violate(fmt::format(
        "what is committed is stored by a majority: {} commits entry {} of term {}, which {} of {} hold",
        to_string(c.self()), last.index.value, last.term.value, holders, voters.size()));
}

/// A leader whose storage stalls must not keep its followers calm for ever, if others could elect one. It is
/// given twice the time that it gives itself: it may have been told of its storage's last progress long after
/// that.
void virtual_cluster::judge_stall(member& m, const raft::core& c) {
  const auto shown = m.clock.shown_at(now());
  const bool waits = c.role() == raft::role_kind::leader && c.active_configuration().voters.size() > 1 &&
                     m.storage.last_index() < c.log().last_index();
  if (!waits)
    m.stalled_since = never;
  else if (m.stalled_since == never || m.stalled_at != m.storage.last_index())
    m.stalled_since = shown;
  m.stalled_at = m.storage.last_index();
  if (waits && shown - m.stalled_since > 2 * setup_.raft.election_timeout_max)
    violate(fmt::format(
        "a leader whose storage stalls steps down: {} has {} entries and its storage {}, for {} ms now",
        to_string(m.id), c.log().last_index().value, m.stalled_at.value,
        (shown - m.stalled_since).count() / 1'000'000));
}

/// At any true instant at most one replica may read without asking the others. A lease is one replica's time;
/// what it comes to on the true clock is known here alone.
void virtual_cluster::judge_lease(member& m, const raft::core& c) {
  const auto* l = c.as_leader();
  m.lease_until = l && c.commit_index() >= l->term_start && c.active_configuration().voters.size() > 1
                      ? m.clock.when_shown(c.lease_until())
                      : instant{duration::min()};
  if (m.lease_until <= now())
    return;
  for (const auto& other : members_)
    if (const auto until = reads_until(other); other.id != m.id && until > now())
      violate(
          fmt::format("one lease holder at a time: {} holds a lease of term {} for {} us more, {} for {} us",
                      to_string(m.id), c.term().value, (m.lease_until - now()).count() / 1000,
                      to_string(other.id), (until - now()).count() / 1000));
}

/// As its raft or its router believe, in true time.
instant virtual_cluster::reads_until(const member& m) const {
  const auto* made = find_replica(m);
  // What waits in the router's mailbox, where a pause may keep it, comes before any get that is asked from
  // now on, and may be the word that the lease is over.
  const auto known = made && made->depths().router == 0 ? made->router().lease_until() : std::nullopt;
  return known ? std::max(m.lease_until, m.clock.when_shown(*known)) : m.lease_until;
}

/// What a message promises has to be in the storage, or a crash breaks the promise.
void virtual_cluster::judge_promise(member& m, std::string_view bytes) {
  constexpr std::size_t header_bytes = 80;
  const auto header = bytes.substr(0, header_bytes);
  const auto is = [header](std::string_view type) { return header.find(type) != header.npos; };
  if (!is("\"vote_re") && !is("\"commit_notice\"") && !is("\"append_accepted\"") &&
      !is("\"append_rejected\"") && !is("\"snapshot_reply\""))
    return;
  std::string error;
  const auto to = wire::parse_envelope(bytes, error)->dst;
  const auto decoded = wire::codec(directory_of(to), setup_.transport).decode(bytes);
  const auto* message = std::get_if<wire::from_peer>(&decoded);
  if (!message)
    return;
  const auto& stored = m.storage.hard_state();
  const auto broken = [&](term_number term, const std::string& what) {
    violate(
        fmt::format("no promise before it is stored: {} tells {} in term {} that it {}; its storage holds "
                    "{} entries, term {} and a vote for {}",
                    to_string(m.id), to_string(to), term.value, what, m.storage.last_index().value,
                    stored.term.value, to_string(stored.voted_for)));
  };
  // A storage that is in a later term says nothing about this one any more.
  if (const auto* reply = std::get_if<vote_reply>(&message->message); reply && reply->granted) {
    if (stored.term < reply->term || (stored.term == reply->term && stored.voted_for != to))
      broken(reply->term, "votes for it");
    judge_vote(m, to, *reply);
  }
  const auto* reply = std::get_if<vote_reply>(&message->message);
  const auto* notice = std::get_if<commit_notice>(&message->message);
  if (const auto told = reply    ? reply->commit
                        : notice ? notice->commit
                                 : log_index{};
      told > core(m.id).commit_index())
    violate(fmt::format("what is told to be committed is: {} tells {} of {} entries and has committed {}",
                        to_string(m.id), to_string(to), told.value, core(m.id).commit_index().value));
  if (const auto* request = std::get_if<vote_request>(&message->message)) {
    campaigns_.try_emplace({m.id, request->term}, *request);
    if (stored.term < request->term || (stored.term == request->term && stored.voted_for != m.id))
      broken(request->term, "votes for itself");
  } else if (const auto* accepted = std::get_if<append_accepted>(&message->message)) {
    if (stored.term < accepted->term ||
        (stored.term == accepted->term && m.storage.last_index() < accepted->match))
      broken(accepted->term, fmt::format("holds {} entries", accepted->match.value));
    note_loyalty(m, to);
  } else if (const auto* installed = std::get_if<snapshot_reply>(&message->message)) {
    if (stored.term < installed->term ||
        (stored.term == installed->term && m.storage.last_index() < installed->match))
      broken(installed->term, fmt::format("holds {} entries", installed->match.value));
    note_loyalty(m, to);
  } else if (const auto* rejected = std::get_if<append_rejected>(&message->message);
             rejected && rejected->sequence != sequence_number{}) {
    note_loyalty(m, to); // it confirms a message as well
  }
}

/// What its core believes of this is what is judged, and no measure for it.
void virtual_cluster::note_messages(member& m, const raft::core& c,
                                    const std::vector<raft::outgoing>& messages) {
  for (const auto& [to, message] : messages) {
    const auto* rejected = std::get_if<append_rejected>(&message);
    if (std::holds_alternative<timeout_now>(message))
      called_.insert({to, c.term() + 1});
    else if ((rejected && rejected->sequence != sequence_number{}) ||
             std::holds_alternative<append_accepted>(message) ||
             std::holds_alternative<snapshot_reply>(message))
      m.leader_heard = m.clock.shown_at(now());
  }
}

/// A leader's lease rests on the loyalty of those that answer it (D 4.2.3, D 6.4.1).
void virtual_cluster::note_loyalty(member& m, replica_id leader) {
  const auto& c = core(m.id);
  if (c.known_leader() != leader)
    return;
  m.loyal_until = std::max(m.loyal_until, m.leader_heard + setup_.raft.election_timeout_min);
  m.loyal_in = c.term();
}

/// What was told to a candidate holds for the whole term, whatever a restart forgets; and what was told to a
/// leader holds for as long as its lease may.
void virtual_cluster::judge_vote(const member& m, replica_id candidate, const vote_reply& reply) {
  const auto voter = m.id;
  const auto shown = m.clock.shown_at(now());
  const auto campaign = campaigns_.find({candidate, reply.term});
  const bool called = campaign != campaigns_.end() && campaign->second.transfer &&
                      called_.contains({candidate, reply.term}); // by the leader itself
  if (m.loyal_in < reply.term && shown < m.loyal_until && !called)
    violate(fmt::format(
        "who follows a leader elects nobody else: {} votes for {} in term {}, {} us too early for "
        "what it told the leader of term {}",
        to_string(voter), to_string(candidate), reply.term.value, (m.loyal_until - shown).count() / 1000,
        m.loyal_in.value));
  auto& told = votes_told_[{voter, reply.term}];
  if (told.insert(candidate).second && told.size() > 1)
    violate(fmt::format(
        "a vote stands for its whole term: in term {} {} votes for {} and has told {} that it votes "
        "for it",
        reply.term.value, to_string(voter), to_string(candidate),
        to_string(*told.begin() == candidate ? *std::next(told.begin()) : *told.begin())));
}

/// What was taken in is in some place, or its client waits for ever.
void virtual_cluster::judge_requests() {
  for (const auto& m : members_) {
    if (!m.life || m.paused)
      continue;
    const auto& r = router(m.id);
    if (r.known() > r.parked() + r.waiting())
      violate(fmt::format(
          "a request that was taken in is in some place: of {} in {} {} are parked and {} proposed",
          r.known(), to_string(m.id), r.parked(), r.waiting()));
  }
}

bool virtual_cluster::may_still_commit(replica_id id, const kv::request_id& write) const {
  const auto& c = core(id);
  for (auto i = c.commit_index() + 1; i <= c.log().last_index(); ++i) {
    const auto& e = *c.log().at(i);
    const auto* command = std::get_if<kv::command>(&e.payload);
    const auto leader = observer_.leaders().find(e.term);
    if (command && command->id == write && e.term > find(id).first_term &&
        leader != observer_.leaders().end() && leader->second == id)
      return true;
  }
  return false;
}

void virtual_cluster::violate(std::string what) {
  if (setup_.recorder)
    setup_.recorder->note_violation("", what, now());
  if (violations_.size() < most_violations)
    violations_.push_back(std::move(what));
}

void virtual_cluster::compare() {
  std::map<log_index, std::pair<replica_id, std::uint64_t>> states; // of who was the first to have applied it
  for (auto id : ids_) {
    // A paused replica may have committed what its state machine has not heard of.
    if (!running(id) || paused(id))
      continue;
    const auto applied = core(id).commit_index();
    const auto digest = state(id).digest();
    const auto& [other, expected] = states.try_emplace(applied, id, digest).first->second;
    if (digest != expected)
      violate(fmt::format("state machine safety: {} and {} have applied {} entries and differ",
                          to_string(other), to_string(id), applied.value));
  }
  for (auto a : ids_)
    for (auto b : ids_)
      if (a < b && running(a) && running(b))
        if (auto broken = raft::observer::compare_logs(core(a), core(b)))
          violate(std::move(*broken));
}

} // namespace troupe
