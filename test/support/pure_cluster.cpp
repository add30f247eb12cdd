#include "test/support/pure_cluster.hpp"

#include <algorithm>

namespace troupe::test {

raft::configuration voters(std::size_t size) {
  raft::configuration c;
  for (std::size_t i = 0; i < size; ++i)
    c.voters.push_back(id_of(i));
  return c;
}

raft::proposal put_of(const std::string& value, const std::string& client, std::size_t wire_bytes) {
  return {kv::command{{client, value}, kv::put{"k", value}}, wire_bytes};
}

raft::entry_ptr entry_of(std::uint64_t term, std::uint64_t index, const std::string& value) {
  raft::payload p = raft::no_op{};
  if (!value.empty())
    p = put_of(value).command;
  return std::make_shared<raft::entry>(raft::entry{{term}, {index}, std::move(p), 100});
}

pure_cluster::pure_cluster(std::size_t size, raft::options o, std::uint64_t seed)
    : random(seed), options_(o), initial_(voters(size)), replicas_(size), now_{1s} {
  options_.seed = seed;
  for (std::size_t i = 0; i < size; ++i)
    restart(i);
}

void pure_cluster::add_replica() {
  replicas_.emplace_back();
  restart(replicas_.size() - 1);
}

void pure_cluster::crash(std::size_t number) {
  auto& r = replicas_.at(number);
  r.up = false;
  r.paused = false;
  r.unstored.clear();
  r.gate = {};
  r.asked.clear();
}

void pure_cluster::restart(std::size_t number, bool forget_everything) {
  auto& r = replicas_.at(number);
  if (forget_everything)
    r.disk = {};
  auto o = options_;
  o.seed = random();
  r.core = std::make_unique<raft::core>(id_of(number), initial_, o, clock_of(number), r.disk);
  r.gate = {};
  r.unstored.clear();
  r.applied.clear();
  r.applied_index = {};
  r.answered_index = {};
  r.asked.clear();
  r.up = true;
  r.deadline = r.core->next_deadline();
  observer_.started(*r.core);
}

instant pure_cluster::clock_of(std::size_t number) const {
  const auto& r = replicas_.at(number);
  return {now_.since_start * r.clock_rate / 1'000 + r.clock_ahead};
}

instant pure_cluster::due_at(std::size_t number) const {
  const auto& r = replicas_.at(number);
  if (!r.up || r.paused || r.deadline == never)
    return never;
  const auto shown = r.deadline.since_start - r.clock_ahead;
  return {(shown * 1'000 + duration(r.clock_rate - 1)) / r.clock_rate};
}

raft::effects pure_cluster::step(std::size_t number, raft::input in) {
  auto& r = replicas_.at(number);
  const auto now = clock_of(number);
  if (const auto* asked = std::get_if<raft::reads>(&in))
    for (const auto id : asked->ids)
      r.asked[id] = committed_anywhere_;
  auto e = r.core->step(now, std::move(in));
  const auto violation = observer_.observe(*r.core, e);
  REQUIRE_MESSAGE(!violation, violation.value_or(""));
  const bool due = r.core->role() != raft::role_kind::leader && r.deadline <= now;
  REQUIRE_MESSAGE((due || e.next_deadline > now), "a deadline must lie ahead, or the replica spins");
  check_reads(number, e);
  check_answers(number, e);
  const auto copy = e;
  carry_out(number, e);
  return copy;
}

/// Every read is answered once; and whoever answers has committed all that anybody had when it was asked.
void pure_cluster::check_reads(std::size_t number, const raft::effects& e) {
  auto& r = replicas_[number];
  for (const auto& ready : e.ready_reads) {
    const auto asked = r.asked.find(ready.id);
    REQUIRE_MESSAGE(asked != r.asked.end(), "read ", ready.id, " was answered twice");
    REQUIRE_MESSAGE(r.core->commit_index() >= asked->second, "a stale read: ", to_string(id_of(number)),
                    " answers with ", r.core->commit_index().value, " entries committed, when ",
                    asked->second.value, " were before it was asked");
    REQUIRE_MESSAGE(clock_of(number) < ready.until, "a read is ready when its lease is over");
    r.asked.erase(asked);
  }
  for (const auto& refused : e.refused_reads)
    REQUIRE_MESSAGE(r.asked.erase(refused.id) == 1, "read ", refused.id, " was answered twice");
}

/// Whoever commits an entry first is the leader that answers for it; and no replica answers twice, or applies
/// entries out of order.
void pure_cluster::check_answers(std::size_t number, const raft::effects& e) {
  auto& r = replicas_[number];
  if (e.install)
    r.applied_index = e.install->last_index;
  for (const auto& entry : e.committed) {
    REQUIRE_MESSAGE(entry->index == r.applied_index + 1, "entries are applied in order");
    r.applied_index = entry->index;
    REQUIRE_MESSAGE((e.answer_committed || entry->index <= committed_anywhere_), "entry ", entry->index.value,
                    " is committed, and nobody answers for it");
    if (e.answer_committed) {
      REQUIRE_MESSAGE(entry->index > r.answered_index, "entry ", entry->index.value, " is answered twice by ",
                      to_string(id_of(number)));
      r.answered_index = entry->index;
    }
  }
  REQUIRE(r.core->commit_index() == r.applied_index);
  committed_anywhere_ = std::max(committed_anywhere_, r.applied_index);
}

void pure_cluster::carry_out(std::size_t number, raft::effects& e) {
  auto& r = replicas_[number];
  if (!e.write.empty()) {
    r.gate.next_write();
    r.unstored.push_back(std::move(e.write));
  }
  collect(number, e.send_now);
  auto free = r.gate.hold(std::move(e.send_once_stored));
  collect(number, free);
  if (e.install)
    r.applied.clear();
  r.applied.insert(r.applied.end(), e.committed.begin(), e.committed.end());
  if (e.answer_committed)
    r.answered.insert(r.answered.end(), e.committed.begin(), e.committed.end());
  r.reads.insert(r.reads.end(), e.ready_reads.begin(), e.ready_reads.end());
  r.refused_reads.insert(r.refused_reads.end(), e.refused_reads.begin(), e.refused_reads.end());
  r.outcomes.insert(r.outcomes.end(), e.outcomes.begin(), e.outcomes.end());
  if (e.refused_input)
    r.refusals.push_back(*e.refused_input);
  r.deadline = e.next_deadline;
  if (store_at_once && !r.stalled)
    store(number);
}

void pure_cluster::collect(std::size_t number, std::vector<raft::outgoing>& messages) {
  for (auto& m : messages) {
    in_flight f{id_of(number), m.to, std::move(m.message), now_ + delay()};
    if (repeat(f)) {
      network.push_back(f);
      network.back().due = now_ + delay();
    }
    if (!lose(f))
      network.push_back(std::move(f));
  }
  messages.clear();
}

void pure_cluster::store(std::size_t number) {
  auto& r = replicas_[number];
  if (r.unstored.empty())
    return;
  auto& d = r.disk;
  std::uint64_t count = 0;
  for (auto& w : r.unstored) {
    ++count;
    if (w.hard_state)
      d.hard_state = *w.hard_state;
    if (w.snapshot) {
      const auto held = std::find_if(d.entries.begin(), d.entries.end(), [&](const auto& e) {
        return e->index == w.snapshot->last_index && e->term == w.snapshot->last_term;
      });
      d.entries.erase(d.entries.begin(), held == d.entries.end() ? held : held + 1);
      d.snapshot = w.snapshot;
    }
    if (w.truncate_behind)
      std::erase_if(d.entries, [&](const auto& e) { return e->index > *w.truncate_behind; });
    d.entries.insert(d.entries.end(), w.entries.begin(), w.entries.end());
    d.commit = std::max(d.commit, w.commit);
  }
  r.unstored.clear();
  auto released = r.gate.release(r.gate.next_write());
  collect(number, released);
  if (!d.entries.empty())
    step(number, raft::stored{d.entries.back()->index, d.entries.back()->term});
  else if (d.snapshot)
    step(number, raft::stored{d.snapshot->last_index, d.snapshot->last_term});
}

bool pure_cluster::advance(instant limit) {
  const auto can_hear = [this](replica_id id) { return id.value >= size() || !replicas_[id.value].paused; };
  auto next = limit;
  for (std::size_t i = 0; i < size(); ++i)
    next = std::min(next, due_at(i));
  for (const auto& m : network)
    if (can_hear(m.to))
      next = std::min(next, m.due);
  if (next >= limit) {
    now_ = std::max(now_, limit);
    return false;
  }
  now_ = std::max(now_, next);
  std::vector<in_flight> due;
  const auto ready = std::stable_partition(network.begin(), network.end(),
                                           [&](const auto& m) { return m.due > now_ || !can_hear(m.to); });
  due.assign(std::make_move_iterator(ready), std::make_move_iterator(network.end()));
  network.erase(ready, network.end());
  for (auto& m : due)
    if (m.to.value < size() && replicas_[m.to.value].up)
      step(m.to.value, raft::received{m.from, std::move(m.message)});
  for (std::size_t i = 0; i < size(); ++i)
    if (due_at(i) <= now_) {
      const auto e = step(i, raft::deadline_passed{});
      REQUIRE_MESSAGE(e.next_deadline > clock_of(i), "a deadline must lie ahead, or the replica spins");
    }
  return true;
}

void pure_cluster::run_for(duration d) {
  const auto limit = now_ + d;
  while (advance(limit)) {
  }
}

bool pure_cluster::run_until(const std::function<bool()>& condition, duration limit) {
  const auto end = now_ + limit;
  while (!condition())
    if (!advance(end))
      return condition();
  return true;
}

void pure_cluster::deliver_all() {
  while (!network.empty()) {
    auto m = std::move(network.front());
    network.erase(network.begin());
    if (m.to.value < size() && replicas_[m.to.value].up)
      step(m.to.value, raft::received{m.from, std::move(m.message)});
  }
}

std::optional<std::size_t> pure_cluster::leader() const {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < size(); ++i)
    if (replicas_[i].up && replicas_[i].core->role() == raft::role_kind::leader &&
        (!found || replicas_[i].core->term() > replicas_[*found].core->term()))
      found = i;
  return found;
}

std::size_t pure_cluster::elect() {
  const bool elected = run_until([&] {
    const auto l = leader();
    return l && core(*l).commit_index() >= core(*l).as_leader()->term_start;
  });
  REQUIRE_MESSAGE(elected, "nobody was elected");
  return *leader();
}

void pure_cluster::make_leader(std::size_t number) {
  const bool won = run_until(
      [&] {
        if (core(number).role() == raft::role_kind::leader &&
            core(number).commit_index() >= core(number).as_leader()->term_start)
          return true;
        // Whoever else leads hands over to this one.
        if (const auto l = leader(); l && *l != number && !core(*l).as_leader()->handover)
          step(*l, raft::transfer{id_of(number)});
        return false;
      },
      60s);
  REQUIRE_MESSAGE(won, "the replica did not become leader");
}

} // namespace troupe::test
