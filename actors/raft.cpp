#include "actors/raft.hpp"

#include "protocol/invariant.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace troupe::actors {

namespace {

std::string describe(const raft::standing& s) {
  switch (s.role) {
  case raft::role_kind::leader:
    return fmt::format("term {}: leader", s.term.value);
  case raft::role_kind::candidate:
    return fmt::format("term {}: candidate", s.term.value);
  case raft::role_kind::pre_candidate:
    return fmt::format("term {}: asks whether it could win an election", s.term.value);
  case raft::role_kind::follower:
    break;
  }
  if (s.leader == nobody)
    return fmt::format("term {}: follower, no leader known", s.term.value);
  return fmt::format("term {}: follower of {}", s.term.value, to_string(s.leader));
}

} // namespace

raft_runner::raft_runner(caf::actor_config& c, rooms_ptr r, raft_setup setup, host h)
    : room(c, std::move(r), std::move(h)), after_step_(std::move(setup.after_step)),
      core_(setup.self, std::move(setup.initial), setup.options, now(), std::move(setup.found)) {}

raft_runner::behavior_type raft_runner::make_behavior() {
  return {
      [this](start) { begin(); },
      [this](raft::received& m) { step(std::move(m)); },
      [this](propose& p) { collect(p); },
      [this](read_requests& r) { step(raft::reads{std::move(r.ids)}); },
      [this](locate_leader l) {
        leader_wanted_ = l.newer_than;
        tell_leader();
      },
      [this](state_saved& s) {
        step(raft::compact{s.last_index, std::move(s.data), s.keep_bytes});
      },
      [this](hand_over h) { step(raft::transfer{h.to}); },
      [this](const write_done& d) { done(d); },
      [this](flush) { step(raft::propose{std::exchange(collected_, {})}); },
      [this](const wake& w) { alarm(w); },
  };
}

namespace {

const mailbox_owner* mailbox_of(const caf::actor& a) {
  return dynamic_cast<const mailbox_owner*>(caf::actor_cast<caf::abstract_actor*>(a));
}

} // namespace

void raft_runner::begin() {
  way_of_requests_ = {mailbox_of(caf::actor_cast<caf::actor>(rooms_->network)),
                      mailbox_of(caf::actor_cast<caf::actor>(rooms_->router)), this};
  send(rooms_->network, standing_changed{core_.standing()});
  send(rooms_->router, standing_changed{core_.standing()});
  step(raft::deadline_passed{});
}

bool raft_runner::more_may_follow() const {
  return std::any_of(way_of_requests_.begin(), way_of_requests_.end(),
                     [](const mailbox_owner* m) { return !m || m->depth() > 0; });
}

/// Proposals of requests that arrived together leave in one append: the flush takes the way that requests
/// take, behind all that are on it. One that comes alone need not wait for that.
void raft_runner::collect(propose& p) {
  if (collected_.empty() && !more_may_follow())
    return step(raft::propose{std::move(p.proposals)});
  if (collected_.empty())
    send(rooms_->network, flush{});
  collected_.insert(collected_.end(), std::make_move_iterator(p.proposals.begin()),
                    std::make_move_iterator(p.proposals.end()));
}

void raft_runner::step(raft::input in) {
  try {
    auto e = core_.step(now(), std::move(in));
    if (after_step_)
      after_step_(core_, e);
    carry_out(e);
  } catch (const broken_invariant& broken) {
    host_.stop(fmt::format("broken invariant: {}", broken.what()));
    quit();
  }
}

void raft_runner::carry_out(raft::effects& e) {
  if (e.standing) { // first, since what is sent names the leader
    host_.log(log_level::info, describe(*e.standing));
    send(rooms_->network, standing_changed{*e.standing});
    send(rooms_->router, standing_changed{*e.standing});
  }
  if (e.lease_over) // before the other is told to campaign: no get that comes once it leads is ahead of this
    send(rooms_->router, lease_over{});
  // Before anybody else learns what is committed, and answers by it: a get that comes after that must be
  // behind this in the router's mailbox, or its lease would read what was before.
  if (e.install)
    send(rooms_->router, install_snapshot{std::move(e.install), std::move(e.install_read)});
  if (!e.committed.empty())
    send(rooms_->router, committed{std::move(e.committed), e.answer_committed});
  post(std::move(e.send_now)); // before the write: a leader's followers store while it does
  if (!e.write.empty())
    send(rooms_->log_store, write{gate_.next_write(), std::move(e.write)});
  post(gate_.hold(std::move(e.send_once_stored)));
  if (!e.outcomes.empty())
    send(rooms_->router, outcomes{std::move(e.outcomes)});
  if (!e.ready_reads.empty())
    send(rooms_->router, reads_ready{std::move(e.ready_reads)});
  if (!e.refused_reads.empty())
    send(rooms_->router, reads_refused{std::move(e.refused_reads)});
  if (e.room_again)
    send(rooms_->router, room_again{});
  if (e.leader_of_others)
    send(rooms_->router, leader_heard{*e.leader_of_others, true});
  if (e.refused_input && ++refused_inputs_ == 1)
    host_.log(log_level::warning,
              fmt::format("not taken up: {} (more of this is counted, not told)", *e.refused_input));
  if (leader_wanted_)
    tell_leader();
  set_alarm(e.next_deadline);
}

void raft_runner::tell_leader() {
  if (core_.role() != raft::role_kind::follower || core_.known_leader() == nobody ||
      core_.leader_heard_at() <= *leader_wanted_)
    return;
  leader_wanted_.reset();
  send(rooms_->router, leader_heard{core_.known_leader()});
}

void raft_runner::post(std::vector<raft::outgoing> messages) {
  if (!messages.empty())
    send(rooms_->network, outbound{std::move(messages)});
}

void raft_runner::done(const write_done& d) {
  post(gate_.release(d.number));
  step(raft::stored{d.index, d.term});
}

// ---- what a trace shows

raft_view raft_runner::look() {
  raft_view v{core_.role(),
              core_.term(),
              core_.voted_for(),
              core_.known_leader(),
              core_.log().last_index(),
              core_.log().last_term(),
              core_.commit_index(),
              {duration(0)}};
  // The same lease as in the judge's eyes: a leader reads alone once it has committed an entry of its term.
  const auto* l = core_.as_leader();
  if (!l || v.commit < l->term_start || core_.active_configuration().voters.size() < 2)
    return v;
  const auto t = recent_time();
  if (const auto until = core_.lease_until(); until > (host_.clock ? host_.clock->shown_at(t) : t))
    v.lease_until = host_.clock ? std::max(host_.clock->when_shown(until), t) : until;
  return v;
}

trace::message_head::part raft_runner::pack_changes(trace::packer& out) {
  const auto v = look();
  if (shown_ && *shown_ == v)
    return [](trace::unpacker&, trace::json_writer&) {};
  trace::pack_changes(out, shown_, v);
  shown_ = v;
  return [](trace::unpacker& in, trace::json_writer& json) {
    json.key("raft");
    trace::print_changes<raft_view>(in, json);
  };
}

// ---- deadlines
// --------------------------------------------------------------------------------------------------

/// A delayed message cannot be taken back, and deadlines mostly move on: so an alarm that comes too early
/// looks at the deadline again, and only a deadline before all alarms needs another.
void raft_runner::set_alarm(instant deadline) {
  deadline_ = deadline;
  if (deadline == never || (!alarms_.empty() && alarms_.back() <= deadline))
    return;
  alarms_.push_back(deadline);
  send_later(deadline, wake{deadline});
}

void raft_runner::alarm(const wake& w) {
  // Mostly the earliest. But a process that is kept from running while it sets one sets it late, and others
  // overtake it: if one of those stayed in the list, no deadline behind it would be given an alarm again.
  std::erase(alarms_, w.alarm);
  if (now() >= deadline_)
    step(raft::deadline_passed{});
  else
    set_alarm(deadline_);
}

} // namespace troupe::actors
