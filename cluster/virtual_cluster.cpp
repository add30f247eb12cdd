#include "cluster/virtual_cluster.hpp"

#include "actors/intake.hpp"
#include "protocol/invariant.hpp"
#include "protocol/wire/simulator_codec.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <stdexcept>
#include <utility>

namespace troupe {

namespace {

// The streams of the seed. The course's world has the first few.
constexpr std::uint64_t for_order = 101;
constexpr std::uint64_t for_replicas = 102;

constexpr std::size_t most_replicas = 21;
/// What a socket keeps for a process that does not read: Linux's net.core.rmem_default.
constexpr std::size_t socket_buffer_bytes = 212'992;

} // namespace

// ---- the parts of a process

/// Silent once its process has ended.
class virtual_cluster::replica_edge : public actors::edge {
 public:
  replica_edge(virtual_cluster& cluster, replica_id id) : cluster_(cluster), id_(id) {}
  void send(std::string_view message) override {
    if (!open)
      return;
    cluster_.judge_promise(cluster_.find(id_), message);
    if (cluster_.on_send_)
      cluster_.on_send_(id_, message);
  }
  bool open = true;

 private:
  virtual_cluster& cluster_;
  replica_id id_;
};

/// The part of a storage that ends with its process: what is not synced by then was never written, or may
/// have been.
class virtual_cluster::replica_storage : public actors::storage {
 public:
  replica_storage(virtual_cluster& cluster, member& m) : cluster_(cluster), member_(m) {}

  raft::stored_state load() override {
    return member_.disk ? cluster_.open_disk(member_, log_) : member_.storage.load();
  }
  void apply(const raft::storage_write& w) override {
    if (!open)
      return;
    member_.unsynced.push_back(w);
    if (log_)
      log_->apply(w);
  }
  std::optional<actors::sync_end> sync(sync_hook when_done) override {
    when_done_ = std::move(when_done);
    try {
      if (open && log_)
        log_->store(log_->take_batch());
    } catch (const disk::disk_error& error) {
      return actors::sync_end{error.what()};
    }
    if (!open || (member_.disk && member_.disk->is_interrupted()))
      return std::nullopt; // nobody is left to hear of it
    for (const auto& w : std::exchange(member_.unsynced, {}))
      member_.storage.apply(w);
    if (has_draft())
      cluster_.write_draft_later(member_);
    return actors::sync_end{};
  }

  bool has_draft() const { return open && log_ && log_->has_draft(); }
  void write_draft() {
    try {
      log_->write_draft();
    } catch (const disk::disk_error& error) {
      when_done_({error.what()});
    }
  }
  bool open = true;

 private:
  virtual_cluster& cluster_;
  member& member_;
  std::optional<disk::disk_log> log_;
  sync_hook when_done_; ///< the last one
};

/// A process, from its start to its end.
struct virtual_cluster::life {
  life(virtual_cluster& cluster, member& m) : edge(cluster, m.id), storage(cluster, m) {
    replica.emplace(cluster.system_->system(), cluster.make_setup(m, *this));
  }
  replica_edge edge;
  replica_storage storage;
  std::optional<actors::replica> replica;
};

virtual_cluster::virtual_cluster(virtual_cluster_setup setup)
    : setup_(std::move(setup)), order_(setup_.seed, for_order), seeds_(setup_.seed, for_replicas),
      system_(std::make_unique<actors::loop_system>(actors::time_source::virtual_time)),
      members_(setup_.replicas) {
  if (setup_.replicas == 0 || setup_.replicas > most_replicas)
    throw std::invalid_argument(fmt::format("a cluster has 1 to {} replicas", most_replicas));
  if (setup_.stored.size() > members_.size() || setup_.clock_rates.size() > members_.size() ||
      setup_.clock_offsets.size() > members_.size())
    throw std::invalid_argument("more logs or clocks are given than there are replicas");
  for (std::size_t i = 0; i < members_.size(); ++i) {
    auto& m = members_[i];
    m.id = {static_cast<std::uint16_t>(i)};
    ids_.push_back(m.id);
    m.storage_takes = setup_.storage_takes;
    if (i < setup_.clock_rates.size())
      m.clock.set_rate(setup_.clock_rates[i], now());
    if (i < setup_.clock_offsets.size())
      m.clock.jump(setup_.clock_offsets[i], now());
    if (i < setup_.stored.size()) {
      const auto& s = setup_.stored[i];
      m.storage.apply({s.hard_state, s.snapshot, std::nullopt, s.entries, s.commit});
    }
  }
  for (auto& m : members_)
    give_disk(m);
}

virtual_cluster::~virtual_cluster() {
  for (auto id : ids_)
    crash(id);
}

wire::directory virtual_cluster::directory_of(replica_id self) const {
  std::vector<std::string> peers;
  for (auto id : ids_)
    if (id != self)
      peers.push_back(to_string(id));
  return {to_string(self), peers};
}

actors::replica_setup virtual_cluster::make_setup(member& m, life& l) {
  auto raft = setup_.raft;
  raft.max_append_bytes = setup_.transport.max_datagram_bytes - wire::append_overhead_bytes;
  raft.seed = seeds_.below(UINT64_MAX);
  const auto id = m.id;
  actors::host host{[this, id](actors::log_level level, const std::string& text) {
                      if (on_log_)
                        on_log_(id, level, text);
                    },
                    [this, id, &l](const std::string& why) {
                      if (const auto& disk = find(id).disk; !disk || !disk->has_failed())
                        violate(fmt::format("no replica stops by itself: {}: {}", to_string(id), why));
                      l.edge.open = l.storage.open = false;
                      crash_soon(id);
                    },
                    &m.clock, setup_.recorder, id};
  return {.directory = directory_of(id),
          .transport = setup_.transport,
          .raft = raft,
          .router = setup_.router,
          .out = &l.edge,
          .disk = &l.storage,
          .host = std::move(host),
          .after_step = [this, &m](const raft::core& c, const raft::effects& e) { judge(m, c, e); }};
}

// ---- processes

void virtual_cluster::start(replica_id id) {
  auto& m = find(id);
  if (m.life)
    return;
  ++m.lives;
  m.drafting = false;
  try {
    m.life = std::make_unique<life>(*this, m);
    if (m.disk && m.disk->is_interrupted())
      m.life->edge.open = m.life->storage.open = false;
  } catch (const disk::disk_error& error) {
    note("refuse", id, error.what());
    if (m.disk->has_failed())
      return m.disk->lose_power();
    if (const auto mend = std::exchange(m.mend_bit, nullptr)) {
      mend();
      return start(id);
    }
    m.storage = {}; // else all that comes would be judged by what is lost
    return violate(fmt::format("every replica can start again: {}: {}", to_string(id), error.what()));
  } catch (const broken_invariant& broken) {
    return violate(fmt::format("every replica can start again: {}: {}", to_string(id), broken.what()));
  }
  m.storing = false;
  m.first_term = m.life->replica->core().term();
  judge_restart(m);
  if (m.life->replica->core().voted_for() != nobody)
    m.voted_in = m.first_term; // in an earlier life
  observer_.started(m.life->replica->core());
  m.mend_bit = nullptr; // it has hit what stands for nothing any more
  note("start", id);
  hold_storage(m);
  settle();
}

void virtual_cluster::start_all() {
  for (auto id : ids_)
    start(id);
}

void virtual_cluster::crash(replica_id id) {
  auto& m = find(id);
  if (!m.life)
    return;
  note("crash", id);
  m.life->edge.open = m.life->storage.open = false;
  countdowns_ -= m.countdowns.size();
  m.countdowns.clear();
  m.life->replica->stop();
  m.paused = false;
  system_->scheduler().release(m.life->replica->actors());
  settle();
  m.life.reset();
  m.disk ? m.disk->lose_power() : m.unsynced.clear();
  m.buffer.clear();
  m.buffered_bytes = 0;
  m.lease_until = {duration::min()};
}

/// For one of its own actors, which cannot end it: the others must not get to answer any more. Its next life
/// is another matter: it may begin before that.
void virtual_cluster::crash_soon(replica_id id) {
  if (auto& now_alive = find(id).life)
    now_alive->edge.open = now_alive->storage.open = false;
  at(now(), [this, id, life = find(id).lives] {
    if (find(id).lives == life)
      crash(id);
  });
}

void virtual_cluster::wipe(replica_id id) {
  auto& m = find(id);
  require(m.life == nullptr, "{} runs, and needs its storage", to_string(id));
  m.storage = {};
  m.unsynced.clear();
  give_disk(m);
}

void virtual_cluster::pause(replica_id id) {
  auto& m = find(id);
  if (!m.life || std::exchange(m.paused, true))
    return;
  note("pause", id);
  system_->scheduler().hold(m.life->replica->actors());
}

void virtual_cluster::resume(replica_id id) {
  auto& m = find(id);
  if (!std::exchange(m.paused, false))
    return;
  note("resume", id);
  system_->scheduler().release(m.life->replica->actors());
  settle(); // a process that wakes up looks at its timers before it looks at its socket
  while (m.life && !m.paused && !m.buffer.empty()) {
    for (std::size_t i = 0; i < actors::intake::messages_per_turn && !m.buffer.empty(); ++i) {
      const trace::within arrival(m.buffer.front().second);
      m.life->replica->receive(std::move(m.buffer.front().first));
      m.buffer.pop_front();
    }
    settle();
  }
  m.buffered_bytes = 0;
  hold_storage(m);
}

void virtual_cluster::after_steps(replica_id id, std::size_t steps, std::function<void()> what) {
  auto& m = find(id);
  if (!m.life)
    return;
  m.countdowns.push_back({std::max<std::size_t>(steps, 1), std::move(what)});
  ++countdowns_;
}

// ---- storages. One that takes time is a log store that does not get to run.

namespace {

caf::actor log_store_of(const actors::replica& r) { return caf::actor_cast<caf::actor>(r.rooms().log_store); }

} // namespace

void virtual_cluster::set_storage_delay(replica_id id, duration d) {
  auto& m = find(id);
  if (std::exchange(m.storage_takes, d) > d)
    store(m); // what waits has waited long enough, or nearly
  hold_storage(m);
  store_later(m);
}

void virtual_cluster::hold_storage(member& m) {
  if (m.life && !m.paused && m.storage_takes > duration::zero())
    system_->scheduler().hold({log_store_of(*m.life->replica)});
}

void virtual_cluster::store_later(member& m) {
  if (m.storage_takes == duration::zero() || std::exchange(m.storing, true))
    return;
  at(now() + m.storage_takes, [this, &m, life = m.lives] {
    if (m.lives == life)
      store(m);
  });
}

/// All that waits is stored together.
void virtual_cluster::store(member& m) {
  m.storing = false;
  if (!m.life || m.paused) // who goes on after a pause finds everything stored
    return;
  system_->scheduler().release({log_store_of(*m.life->replica)});
  settle();
  hold_storage(m);
}

/// As a thread does that has nothing else to do.
void virtual_cluster::write_draft_later(member& m) {
  constexpr duration piece_takes = std::chrono::milliseconds(10);
  if (std::exchange(m.drafting, true))
    return;
  at(now() + piece_takes + m.storage_takes, [this, &m, life = m.lives] {
    if (m.lives != life || !m.life)
      return;
    m.drafting = false;
    auto& storage = m.life->storage;
    if (!m.paused && storage.has_draft())
      storage.write_draft();
    if (m.disk->has_failed())
      return store(m); // the log store is told
    if (storage.has_draft())
      write_draft_later(m);
  });
}

void virtual_cluster::transfer(replica_id from, replica_id to) {
  if (auto& m = find(from); m.life) {
    caf::anon_send(m.life->replica->rooms().raft, actors::hand_over{to});
    settle();
  }
}

void virtual_cluster::set_clock_rate(replica_id id, std::int64_t rate) {
  find(id).clock.set_rate(rate, now());
}

void virtual_cluster::advance_clock(replica_id id, duration d) {
  auto& m = find(id);
  m.clock.jump(d, now());
  m.clock_jumped = true;
  wake(m);
  settle();
}

void virtual_cluster::wake(member& m) {
  if (m.life)
    caf::anon_send(m.life->replica->rooms().raft, actors::wake{never});
}

// ---- what reaches them

void virtual_cluster::deliver(replica_id to, std::string bytes, instant when) {
  at(when, [this, to, bytes = std::move(bytes)]() mutable {
    auto& m = find(to);
    if (!m.life)
      return note_lost(to, bytes, "dead");
    if (!m.paused)
      return m.life->replica->receive(std::move(bytes));
    if (m.buffered_bytes + bytes.size() > socket_buffer_bytes)
      return note_lost(to, bytes, "full");
    m.buffered_bytes += bytes.size();
    m.buffer.emplace_back(std::move(bytes), trace::current);
  });
}

/// A replica that wants to be woken up at once, for ever, would keep time from passing.
void virtual_cluster::stop_all() {
  violate(
      fmt::format("time goes on: replicas do not come to rest after {} steps of actors in one moment, and "
                  "are all stopped",
                  jobs_in_moment_));
  for (auto& m : members_) {
    if (!m.life)
      continue;
    m.life->replica->stop();
    crash_soon(m.id);
  }
}

// ---- what can be seen

const actors::replica* virtual_cluster::find_replica(const member& m) const {
  return m.life && m.life->replica ? &*m.life->replica : nullptr;
}

const actors::replica& virtual_cluster::life_of(replica_id id) const {
  const auto& m = find(id);
  require(m.life != nullptr, "{} does not run", to_string(id));
  return *m.life->replica;
}

std::optional<replica_id> virtual_cluster::leader() const {
  std::optional<replica_id> found;
  for (auto id : ids_)
    if (running(id) && core(id).role() == raft::role_kind::leader &&
        (!found || core(id).term() > core(*found).term()))
      found = id;
  return found;
}

// ---- the trace

void virtual_cluster::note(std::string_view event, replica_id who, std::string_view text) {
  if (setup_.recorder)
    setup_.recorder->note(event, who == nobody ? std::string() : to_string(who), text, now());
}

/// A message has come to its end, and nobody was there to take it.
void virtual_cluster::note_lost(replica_id to, std::string_view bytes, std::string_view fate) {
  if (!setup_.recorder)
    return;
  setup_.recorder->note({trace::glance(bytes, "src"), to_string(to), fate, trace::glance(bytes, "type"),
                         trace::glance(bytes, "MID"), bytes.size()},
                        now());
}

} // namespace troupe
