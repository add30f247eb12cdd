// Leadership transfer (D 3.10) and changes of who takes part, one voter at a time (D 4.1, D 4.2).

#include "protocol/raft/core.hpp"

#include <fmt/format.h>

namespace troupe::raft {

// ---- leadership transfer
// ----------------------------------------------------------------------------------------

void core::take(transfer& in) {
  auto* l = std::get_if<leader>(&role_);
  if (!l)
    return refuse("only a leader can hand over");
  if (in.to == self_ || !active_configuration().is_voter(in.to))
    return refuse(fmt::format("{} cannot take over: it is not another voter", to_string(in.to)));
  l->handover = raft::handover{in.to, now_ + options_.election_timeout_min};
  l->lease_void = true;
  out_.lease_over = true;
}

/// Brings the next leader up to date, also on what is committed, and then tells it to campaign. Writes wait
/// meanwhile; after an election timeout they go on here.
void core::continue_handover() {
  auto& l = leading();
  if (!l.handover)
    return;
  auto* p = follower_of_mine(l.handover->to);
  if (now_ >= l.handover->give_up_at || !p) {
    l.handover.reset();
    return;
  }
  if (l.handover->asked)
    return;
  if (p->match == log_.last_index()) {
    if (commit_ < log_.last_index()) // what is on its way is committed, and answered, here
      return;
    if (p->told_commit < commit_)
      send(p->id, commit_notice{hard_.term, commit_});
    p->told_commit = commit_;
    l.handover->asked = true;
    return send(p->id, timeout_now{hard_.term});
  }
  if (p->installing) // each answer asks for the next piece
    return;
  const bool late = p->is_late(now_, options_);
  if (late ? now_ >= p->retry_at(options_) : p->next <= log_.last_index() && !p->window_is_full(options_))
    send_append(*p);
}

void core::on(replica_id from, timeout_now& m) {
  if (!observe_term(m.term))
    return;
  if (known_leader() != from || role() == role_kind::leader || !is_voter())
    return refuse("a call to campaign from who does not lead");
  start_election(true);
}

// ---- membership
// -------------------------------------------------------------------------------------------------

namespace {

bool is_strictly_sorted(const std::vector<replica_id>& ids) {
  return std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end();
}

std::optional<std::string> find_fault(const configuration& from, const configuration& to) {
  if (to.voters.empty())
    return "a configuration needs a voter";
  if (!is_strictly_sorted(to.voters) || !is_strictly_sorted(to.learners))
    return "a configuration's members must be sorted, and each named once";
  if (std::any_of(to.learners.begin(), to.learners.end(), [&](replica_id id) { return to.is_voter(id); }))
    return "nobody can be voter and learner at once";
  std::vector<replica_id> changed;
  std::set_symmetric_difference(from.voters.begin(), from.voters.end(), to.voters.begin(), to.voters.end(),
                                std::back_inserter(changed));
  if (changed.size() > 1)
    return "majorities before and after must overlap: change one voter at a time";
  return std::nullopt;
}

} // namespace

void core::take(reconfigure& in) {
  auto* l = std::get_if<leader>(&role_);
  if (!l)
    return refuse("only a leader can change the configuration");
  // Else two leaders could each be counting on a change that the other does not know of (D 4.1, errata of
  // 2015).
  if (commit_ < l->term_start)
    return refuse("no change before an entry of this term is committed");
  if (configurations_.back().first > commit_)
    return refuse("no change before the last one is committed");
  if (auto fault = find_fault(active_configuration(), in.configuration))
    return refuse(std::move(*fault));
  leading().uncommitted_bytes += configuration_wire_bytes;
  append_to_log(std::make_shared<entry>(
      entry{hard_.term, log_.last_index() + 1, std::move(in.configuration), configuration_wire_bytes}));
  track_followers();
  for (auto& p : leading().followers) // it counts from now on, so it has to be asked what it holds
    if (p.last_sequence == sequence_number{})
      send_append(p);
}

} // namespace troupe::raft
