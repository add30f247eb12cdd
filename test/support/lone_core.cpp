#include "test/support/lone_core.hpp"

#include <iterator>

namespace troupe::test {

namespace {

/// Adds what a later step wanted to what an earlier one did; what was written counts only for the first.
void merge(raft::effects& all, raft::effects&& e) {
  const auto add = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  add(all.send_now, e.send_now);
  add(all.send_once_stored, e.send_once_stored);
  add(all.committed, e.committed);
  all.answer_committed = all.answer_committed || e.answer_committed;
  add(all.ready_reads, e.ready_reads);
  add(all.refused_reads, e.refused_reads);
  if (e.standing)
    all.standing = e.standing;
  if (e.refused_input)
    all.refused_input = e.refused_input;
  all.next_deadline = e.next_deadline;
}

} // namespace

append_request append_of(std::uint64_t term, std::uint64_t sequence, place previous, std::uint64_t commit,
                         std::vector<raft::entry_ptr> entries) {
  return {{term}, {sequence}, {previous.index}, {previous.term}, {commit}, std::move(entries)};
}

append_accepted accepted_of(std::uint64_t term, std::uint64_t sequence, std::uint64_t match) {
  return {{term}, {sequence}, {match}};
}

append_rejected rejected_of(std::uint64_t term, std::uint64_t sequence, std::uint64_t conflict_term,
                            std::uint64_t conflict_index) {
  return {{term}, {sequence}, {conflict_term}, {conflict_index}};
}

vote_request vote_of(std::uint64_t term, place last, bool transfer) {
  return {{term}, {last.index}, {last.term}, transfer};
}

snapshot_piece piece_of(std::uint64_t term, std::uint64_t sequence, place last, std::uint64_t offset,
                        std::string data, bool done) {
  return {{term}, {sequence}, {last.index}, {last.term}, voters(3).voters, {}, offset, std::move(data), done};
}

std::vector<raft::entry_ptr> entries_of_terms(const std::vector<std::uint64_t>& terms) {
  std::vector<raft::entry_ptr> result;
  for (const auto term : terms)
    result.push_back(entry_of(term, result.size() + 1));
  return result;
}

raft::stored_state stored_of(std::uint64_t term, replica_id voted_for,
                             const std::vector<std::uint64_t>& entry_terms) {
  return {{{term}, voted_for}, nullptr, entries_of_terms(entry_terms)};
}

lone_core::lone_core(std::size_t size, raft::options o, raft::stored_state found)
    : lone_core(voters(size), o, std::move(found)) {}

lone_core::lone_core(raft::configuration initial, const raft::options& o, raft::stored_state found)
    : core_(id_of(0), std::move(initial), o, now_, std::move(found)) {
  // Whatever was promised before a restart is over.
  now_ = now_ + o.election_timeout_min;
}

const raft::effects& lone_core::step(raft::input in) {
  last = core_.step(now_, std::move(in));
  if (stores && !last.write.entries.empty()) {
    const auto end = last.write.entries.back();
    merge(last, core_.step(now_, raft::stored{end->index, end->term}));
  }
  const auto violation = raft::find_violation(core_);
  REQUIRE_MESSAGE(!violation, violation.value_or(""));
  for (const auto* list : {&last.send_now, &last.send_once_stored})
    for (const auto& m : *list)
      if (const auto* append = std::get_if<append_request>(&m.message))
        last_append_[m.to] = *append;
  return last;
}

const raft::effects& lone_core::hear(std::size_t from, peer_message m) {
  return step(raft::received{id_of(from), std::move(m)});
}

const raft::effects& lone_core::time_out() {
  now_ = std::max(now_, core_.next_deadline());
  return step(raft::deadline_passed{});
}

const raft::effects& lone_core::propose(const std::string& value, std::size_t wire_bytes) {
  return step(raft::propose{{put_of(value, "c", wire_bytes)}});
}

void lone_core::campaign() {
  if (core_.role() == raft::role_kind::candidate)
    pass(core_.settings().election_timeout_max); // or it would only ask once more
  time_out();
  for (const auto id : core_.active_configuration().voters)
    if (core_.role() == raft::role_kind::pre_candidate && id != core_.self())
      hear(id.value, pre_vote_reply{core_.term(), core_.term() + 1, true});
  REQUIRE(core_.voted_for() == core_.self());
}

void lone_core::lead() {
  campaign();
  for (const auto id : core_.active_configuration().voters)
    if (core_.role() == raft::role_kind::candidate && id != core_.self())
      hear(id.value, vote_reply{core_.term(), true, {}});
  REQUIRE(core_.role() == raft::role_kind::leader);
  std::vector<std::size_t> others;
  for (const auto& p : core_.as_leader()->followers)
    others.push_back(p.id.value);
  accept(others);
}

void lone_core::accept(const std::vector<std::size_t>& from) {
  raft::effects all;
  for (const auto number : from) {
    const auto m = last_append_.at(id_of(number));
    hear(number, append_accepted{m.term, m.sequence, m.previous_index + m.entries.size()});
    merge(all, std::move(last));
  }
  last = std::move(all);
}

const raft::progress& lone_core::progress_of(std::size_t number) const {
  const auto* l = core_.as_leader();
  REQUIRE(l != nullptr);
  const auto found = std::find_if(l->followers.begin(), l->followers.end(),
                                  [&](const raft::progress& p) { return p.id == id_of(number); });
  REQUIRE(found != l->followers.end());
  return *found;
}

} // namespace troupe::test
