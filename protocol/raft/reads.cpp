// Linearizable reads without a log entry: section 8, D 6.4.

#include "protocol/raft/core.hpp"
#include "protocol/raft/quorum.hpp"

#include <limits>

namespace troupe::raft {

void core::take(reads& in) {
  auto* l = std::get_if<leader>(&role_);
  for (const auto id : in.ids) {
    if (!l) {
      out_.refused_reads.push_back({id, refusal::not_leader});
    } else if (l->reads.size() >= options_.max_waiting_reads) {
      l->turned_away = true;
      out_.refused_reads.push_back({id, refusal::busy});
    } else {
      // Nothing that was sent before now can confirm that this replica still leads now.
      l->reads.push_back({id, l->next_sequence});
    }
  }
}

/// Counted from when the confirmed messages were sent: the followers' promises began later.
instant core::lease_until() const {
  const auto* l = as_leader();
  constexpr instant long_ago{duration::min() / 2};
  if (!l || l->lease_void || options_.lease == duration::zero())
    return long_ago;
  const auto confirmed = [&](const progress& p) { return p.answered.value ? p.answered_sent_at : long_ago; };
  std::vector<instant> moments;
  if (is_voter())
    moments.push_back(now_);
  for (const auto& p : l->followers)
    if (active_configuration().is_voter(p.id))
      moments.push_back(confirmed(p));
  return reached_by_quorum(std::move(moments)) + options_.lease;
}

/// Releases the reads that are confirmed, by the lease or by a round, and starts a round for those that are
/// not. Before an entry of its own term is committed a leader does not know how far the log is (section 8).
void core::serve_reads() {
  auto& l = leading();
  if (l.reads.empty() || commit_ < l.term_start)
    return;
  const auto lease = lease_until();
  const auto voters = active_configuration();
  std::vector<sequence_number> answers;
  if (is_voter())
    answers.push_back({std::numeric_limits<std::uint64_t>::max()});
  for (const auto& p : l.followers)
    if (voters.is_voter(p.id))
      answers.push_back(p.answered);
  const auto confirmed = reached_by_quorum(std::move(answers));

  while (!l.reads.empty() && (now_ < lease || l.reads.front().after <= confirmed)) {
    const bool by_lease = now_ < lease;
    out_.ready_reads.push_back({l.reads.front().id, by_lease ? lease : never});
    l.reads.pop_front();
  }
  if (l.round && *l.round <= confirmed)
    l.round.reset();
  // One round serves all that wait by now.
  if (l.reads.empty())
    l.round.reset();
  else if (!l.round)
    l.round = l.next_sequence;
}

void core::refuse_reads(refusal why) {
  for (const auto& r : leading().reads)
    out_.refused_reads.push_back({r.id, why});
  leading().reads.clear();
}

} // namespace troupe::raft
