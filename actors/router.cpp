#include "actors/router.hpp"

#include "actors/state_reader.hpp"
#include "protocol/wire/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace troupe::actors {

namespace {

kv::write as_write(const client_request& r) {
  return std::visit(
      [](const auto& operation) -> kv::write {
        if constexpr (std::is_same_v<std::decay_t<decltype(operation)>, kv::get>)
          throw std::logic_error("a get is no write");
        else
          return operation;
      },
      r.operation);
}

std::size_t bytes_of(const client_request& r) {
  auto bytes = r.id.client.size() + r.id.mid.size();
  std::visit(
      [&](const auto& operation) {
        for_each_field(operation, [&](std::string_view, const std::string& text) { bytes += text.size(); });
      },
      r.operation);
  return bytes;
}

} // namespace

router::router(caf::actor_config& c, rooms_ptr r, replica_id self, router_options o, host h)
    : room(c, std::move(r), std::move(h)), self_(self), options_(o) {}

router::behavior_type router::make_behavior() {
  return {
      [this](client_request& r) {
        take(r);
        ask_raft();
      },
      [this](client_requests& r) {
        for (auto& request : r.list)
          take(request);
        ask_raft();
      },
      [this](const standing_changed& s) {
        standing_ = s.standing;
        lease_until_.reset();
        serve_parked(standing_.leader);
        ask_raft();
      },
      [this](const committed& c) {
        apply(c);
        ask_raft();
      },
      [this](const install_snapshot& s) {
        install(s);
        ask_raft();
      },
      [this](const outcomes& o) {
        for (const auto& outcome : o.list)
          note(outcome);
        ask_raft();
      },
      [this](const reads_ready& r) {
        for (const auto& ready : r.list)
          read(ready);
        ask_raft();
      },
      [this](lease_over) { lease_until_.reset(); },
      [this](const reads_refused& r) {
        for (const auto& refused : r.list)
          refuse(refused);
        ask_raft();
      },
      [this](leader_heard h) {
        locating_ = locating_ && h.by_others;
        if (h.by_others || h.leader == standing_.leader)
          serve_parked(h.leader);
        else if (!parked_.empty() && standing_.leader != nobody)
          locate();
        ask_raft();
      },
      [this](room_again) {
        serve_parked(standing_.leader);
        ask_raft();
      },
      [this](save_more) { save_some(); },
      [this](flush) { send(rooms_->raft, flush{}); },
  };
}

std::size_t router::hash_of_id::operator()(const kv::request_id& id) const {
  const std::hash<std::string_view> hash;
  return hash(id.client) * 31 + hash(id.mid);
}

std::optional<router::write_in_log>* router::find_write(const kv::request_id& id) {
  const auto found = known_.find(id);
  return found != known_.end() && found->second ? &found->second : nullptr;
}

std::size_t router::waiting() const {
  return reads_.size() +
         static_cast<std::size_t>(
             std::count_if(known_.begin(), known_.end(), [](const auto& k) { return k.second.has_value(); }));
}

// ---- where a request goes
// -----------------------------------------------------------------------------------------

void router::take(client_request& r) {
  if (answer_if_applied(r))
    return;
  if (known_.try_emplace(r.id).second) // asked again while it waits: one answer will do
    find_place(std::move(r));
}

/// Asked again after it was applied, or applied while it waited since the client has asked another leader
/// too. A get is not remembered: what goes by its id is a write, whose answer has no value for it.
bool router::answer_if_applied(const client_request& r) {
  const auto* result = std::holds_alternative<kv::get>(r.operation) ? nullptr : machine_.remembered(r.id);
  if (result)
    reply(ok(r.id, *result));
  return result != nullptr;
}

/// What becomes of a request that has lost its place.
void router::serve(client_request r) {
  if (!answer_if_applied(r))
    find_place(std::move(r));
}

/// For a request that is in none. Waiting beats bouncing: a client is only sent to a leader that is known,
/// and seen to be alive.
void router::find_place(client_request r) {
  if (standing_.leader == self_)
    submit(std::move(r));
  else if (park(std::move(r)) && standing_.leader != nobody)
    locate();
}

/// A client that comes back from a leader that is gone would be sent there again and again. So one sign of
/// life is good for one time; the next clients wait for the next sign.
void router::locate() {
  if (std::exchange(locating_, true))
    return;
  send(rooms_->raft, locate_leader{std::max(redirected_at_, now() - options_.leader_silence)});
}

void router::submit(client_request r) {
  if (std::holds_alternative<kv::get>(r.operation)) {
    if (read_by_lease(r))
      return;
    const auto number = next_read_++;
    reads_.emplace_hint(reads_.end(), number, std::move(r));
    return read_requests_.ids.push_back(number);
  }
  kv::command command{r.id, as_write(r)};
  const auto bytes = wire::wire_bytes(command);
  auto& write = known_[r.id];
  write = write_in_log{{}, {}, applied_, std::move(r)};
  proposals_.proposals.push_back({std::move(command), bytes});
}

void router::ask_raft() {
  if (!read_requests_.ids.empty())
    send(rooms_->raft, std::exchange(read_requests_, {}));
  if (!proposals_.proposals.empty())
    send(rooms_->raft, std::exchange(proposals_, {}));
}

bool router::park(client_request r) {
  const auto bytes = bytes_of(r);
  if (parked_.size() >= options_.max_parked || parked_bytes_ + bytes > options_.max_parked_bytes) {
    reply(client_fail{std::move(r.id), fmt::format("{} requests are waiting already", parked_.size())});
    return false;
  }
  parked_bytes_ += bytes;
  parked_.push_back(std::move(r));
  return true;
}

void router::serve_parked(replica_id leader) {
  if (leader == nobody || parked_.empty())
    return;
  const bool here = leader == self_;
  parked_bytes_ = 0;
  for (auto& r : std::exchange(parked_, {})) {
    if (!known_.contains(r.id) || answer_if_applied(r)) // it was in the log of an earlier leader, too
      continue;
    if (here)
      submit(std::move(r));
    else
      reply(client_redirect{std::move(r.id), leader});
  }
  if (!here)
    redirected_at_ = now();
}

// ---- writes
// -------------------------------------------------------------------------------------------------------

void router::note(const raft::proposal_outcome& o) {
  auto* write = find_write(o.id);
  if (!write)
    return;
  if (o.refusal == raft::refusal::none) {
    (*write)->index = o.index;
    (*write)->term = o.term;
    by_index_.emplace_hint(by_index_.end(), o.index, o.id);
    return;
  }
  auto request = std::move((*write)->request);
  write->reset();
  switch (o.refusal) {
  case raft::refusal::none:
  case raft::refusal::not_leader:
    return serve(std::move(request));
  case raft::refusal::handing_over:
  case raft::refusal::busy:
    park(std::move(request));
    return;
  case raft::refusal::too_large:
    return reply(client_fail{std::move(request.id), "too large to be sent to other replicas"});
  }
}

void router::apply(const committed& c) {
  for (const auto& e : c.entries) {
    if (const auto* command = std::get_if<kv::command>(&e->payload)) {
      // What an earlier leader took in is answered too: its client still waits. Only the second entry of a
      // repeated request was answered with the first one, unless the client asked this replica again.
      const auto result = machine_.apply_if_new(*command);
      if (c.answer && (find_write(command->id) || result))
        reply(ok(command->id, result ? *result : *machine_.remembered(command->id)));
    }
    replaced_.free_some();
    settle(*e);
    applied_bytes_ += e->wire_bytes;
  }
  applied_ = c.entries.back()->index;
  applied_term_ = c.entries.back()->term;
  give_up_overtaken();
  save_state_when_due(*c.entries.back());
}

/// The write that waited for the commit of this entry was answered, or is by the leader that committed it.
/// Those that stood in another entry's place are given up below.
void router::settle(const raft::entry& e) {
  const auto [first, last] = by_index_.equal_range(e.index);
  for (auto i = first; i != last;) {
    const auto* write = find_write(i->second);
    const bool is_there = write && (*write)->index == e.index;
    if (is_there && (*write)->term != e.term) {
      ++i;
      continue;
    }
    if (is_there)
      known_.erase(i->second);
    i = by_index_.erase(i);
  }
}

/// What was put into the log in an earlier term than that of the last entry applied, and was not committed,
/// never can be: terms in a log do not go back. Who leads waits until an entry of its own term is committed:
/// its log may hold such a write a second time before that, and so much behind it that the third would be
/// taken for a new one.
void router::give_up_overtaken() {
  if (applied_term_ == given_up_below_ || (standing_.leader == self_ && applied_term_ < standing_.term))
    return;
  given_up_below_ = applied_term_;
  std::vector<kv::request_id> overtaken;
  for (auto i = by_index_.begin(); i != by_index_.end();) {
    const auto* write = find_write(i->second);
    const bool is_there = write && (*write)->index == i->first;
    if (is_there && (*write)->term >= applied_term_) {
      ++i;
      continue;
    }
    if (is_there)
      overtaken.push_back(i->second);
    i = by_index_.erase(i);
  }
  for (const auto& id : overtaken)
    decide_on(*find_write(id));
}

/// About a write that will not be committed where it was handed in. Its client may have asked another leader
/// as well: where it was applied, or may have been and is forgotten, nobody may hand it in once more.
void router::decide_on(std::optional<write_in_log>& write) {
  const bool much_has_come = applied_ >= write->applied + kv::state_machine::max_remembered_per_client;
  auto request = std::move(write->request);
  write.reset();
  if (much_has_come && !machine_.remembered(request.id) && machine_.may_have_forgotten(request.id))
    known_.erase(request.id);
  else
    serve(std::move(request));
}

void router::install(const install_snapshot& s) {
  auto reader = std::static_pointer_cast<state_reader>(s.read);
  if (!reader) { // from the disk, when nobody waits for this replica yet
    reader = std::make_shared<state_reader>();
    if (const auto fault = reader->read(s.snapshot->data, true)) {
      host_.stop(fmt::format("the snapshot up to entry {} cannot be read: {}", s.snapshot->last_index.value,
                             *fault));
      return quit();
    }
  }
  replaced_ = std::exchange(machine_, reader->take());
  applied_ = s.snapshot->last_index;
  applied_term_ = s.snapshot->last_term;
  applied_bytes_ = 0;
  saved_bytes_ = s.snapshot->data.size();
  // What waited for one of the entries that the snapshot stands for is in it, or can never commit.
  std::vector<kv::request_id> behind;
  const auto end = by_index_.upper_bound(applied_);
  for (auto i = by_index_.begin(); i != end; ++i)
    if (const auto* write = find_write(i->second); write && (*write)->index == i->first)
      behind.push_back(i->second);
  by_index_.erase(by_index_.begin(), end);
  for (const auto& id : behind) {
    if (machine_.remembered(id)) // who committed it has answered
      known_.erase(id);
    else
      decide_on(*find_write(id));
  }
  give_up_overtaken();
}

void router::save_state_when_due(const raft::entry& last) {
  if (options_.snapshot_after_bytes == 0 || machine_.is_saving() ||
      applied_bytes_ < std::max(options_.snapshot_after_bytes, saved_bytes_ / 4))
    return;
  saving_ = last.index;
  machine_.begin_saving(saved_bytes_ + std::exchange(applied_bytes_, 0));
  save_some();
}

/// A large state takes many turns, so that nobody else has to wait for long. Each is a timer's: a loop looks
/// at its socket between timers, but not before all that was sent is done.
void router::save_some() {
  if (!machine_.is_saving()) // another state was installed meanwhile
    return;
  auto text = machine_.save_some(options_.save_at_once_bytes);
  if (!text)
    return send_later(now(), save_more{});
  saved_bytes_ = text->size();
  send(rooms_->raft, state_saved{saving_, std::move(*text), options_.snapshot_after_bytes / 4});
}

// ---- reads
// --------------------------------------------------------------------------------------------------------

void router::read(const raft::read_ready& r) {
  const auto found = reads_.find(r.id);
  if (found == reads_.end())
    return;
  const auto& request = found->second;
  client_ok answer{request.id, machine_.get(std::get<kv::get>(request.operation).key), true};
  // The clock is looked at after the state was: a lease that ended in between may have let another leader
  // write.
  if (r.until != never) {
    if (now() >= r.until)
      return read_requests_.ids.push_back(r.id);
    lease_until_ = r.until;
  }
  reads_.erase(found);
  reply(std::move(answer));
}

/// One read by lease stands for all that come while it lasts: raft need not be asked about each.
bool router::read_by_lease(const client_request& r) {
  if (!lease_until_)
    return false;
  client_ok answer{r.id, machine_.get(std::get<kv::get>(r.operation).key), true};
  if (now() >= *lease_until_) // behind the look at the state, as above
    return false;
  reply(std::move(answer));
  return true;
}

void router::refuse(const raft::refused_read& r) {
  const auto found = reads_.find(r.id);
  if (found == reads_.end())
    return;
  auto request = std::move(found->second);
  reads_.erase(found);
  if (r.refusal == raft::refusal::not_leader)
    serve(std::move(request));
  else
    park(std::move(request));
}

// ---- answers
// ------------------------------------------------------------------------------------------------------

client_reply router::ok(const kv::request_id& id, const kv::result& r) {
  return client_ok{id, r.applied || r.cut ? std::nullopt : std::optional(r.value), r.applied};
}

void router::reply(client_reply r) {
  std::visit([this](const auto& answer) { known_.erase(answer.id); }, r);
  send(rooms_->network, client_answer{std::move(r)});
}

} // namespace troupe::actors
