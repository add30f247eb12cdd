#include "cluster/course/world.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utility>

namespace troupe::course {

namespace {

// The streams of the seed.
constexpr std::uint64_t for_clients = 1;
constexpr std::uint64_t for_network = 2;
constexpr std::uint64_t for_events = 3;

std::string names(const std::vector<replica_id>& ids) {
  std::vector<std::string> texts;
  for (auto id : ids)
    texts.push_back(to_string(id));
  return fmt::format("{}", fmt::join(texts, " "));
}

} // namespace

world::world(const troupe::scenario& scenario, std::uint64_t seed, instant start)
    : scenario_(scenario), start_(start), clients_(scenario.mix, {seed, for_clients}, record_),
      network_(scenario.drops, {seed, for_network}), event_random_(seed, for_events), last_look_(start) {
  for (std::size_t i = 0; i < scenario.replicas; ++i)
    peers_.push_back({.id = {static_cast<std::uint16_t>(i)}});
}

std::vector<replica_id> world::replicas() const {
  std::vector<replica_id> ids;
  for (const auto& peer : peers_)
    ids.push_back(peer.id);
  return ids;
}

bool world::advance(instant now, action_list& actions) {
  last_look_ = now;
  if (!finished_ && now >= start_ + scenario_.start_wait + scenario_.lifetime + scenario_.end_wait)
    finished_ = true;
  if (finished_)
    return false;
  const auto request = requests_sent_ < scenario_.requests ? request_time(requests_sent_) : never;
  const auto* event = events_done_ < scenario_.events.size() ? &scenario_.events[events_done_] : nullptr;
  const auto event_time = event ? start_ + scenario_.start_wait + event->time : never;
  if (std::min(request, event_time) > now)
    return false;
  // Of a request and an event that are due together the request goes first.
  if (request <= event_time) {
    ++requests_sent_;
    send_request(now, actions);
  } else {
    ++events_done_;
    happen(*event, now, actions);
  }
  return true;
}

instant world::request_time(std::size_t number) const {
  // In floating point, since nanoseconds times requests may not fit; exact enough for any lifetime.
  const auto share = static_cast<long double>(number) / static_cast<long double>(scenario_.requests);
  const auto offset = static_cast<long double>(scenario_.lifetime.count()) * share;
  return start_ + scenario_.start_wait + duration(static_cast<duration::rep>(offset + 0.5L));
}

void world::send_request(instant now, action_list& actions) {
  if (auto request = clients_.generate(living(), now))
    hand_over(*find(request->to), std::move(request->bytes), now, actions);
}

void world::receive(endpoint from, std::string_view datagram, instant now, action_list& actions) {
  if (finished_)
    return;
  last_look_ = now;
  std::string error;
  auto message = wire::parse_envelope(datagram, error);
  const auto known = std::find_if(peers_.begin(), peers_.end(), [from](const one_peer& p) {
    return p.state != peer_state::silent && p.endpoint == from;
  });
  if (known != peers_.end() && known->state != peer_state::alive)
    return; // what a killed replica still had to say
  if (!message) {
    record_.complain(known == peers_.end() ? nobody : known->id, misdeed::garbage, error, now);
    return;
  }
  if (message->kind == wire::message_kind::hello) {
    hello(from, *message, now);
    return;
  }
  if (auto* sender = identify(from, *message, now)) {
    sender->spoke = true;
    believe(*sender, *message, now);
    dispatch(*sender, *message, datagram, now, actions);
    check_storm(now);
  }
}

void world::hello(endpoint from, const wire::envelope& message, instant now) {
  auto* sender = find(message.src);
  if (!sender) {
    record_.complain(nobody, misdeed::wrong_source, fmt::format("hello from {}", to_string(message.src)),
                     now);
    return;
  }
  if (sender->state != peer_state::silent && sender->state != peer_state::alive)
    return;
  sender->state = peer_state::alive;
  sender->endpoint = from;
  believe(*sender, message, now);
}

/// Whose datagram this is; nobody's if it is sent in another's name, or before hello.
world::one_peer* world::identify(endpoint from, const wire::envelope& message, instant now) {
  auto* sender = find(message.src);
  if (sender && sender->state == peer_state::alive && sender->endpoint == from)
    return sender;
  const auto actual = std::find_if(peers_.begin(), peers_.end(), [from](const one_peer& p) {
    return p.state == peer_state::alive && p.endpoint == from;
  });
  const auto what = fmt::format("{} in the name of {}{}", message.type, to_string(message.src),
                                actual == peers_.end() ? ", before hello" : "");
  record_.complain(actual == peers_.end() ? nobody : actual->id, misdeed::wrong_source, what, now);
  return nullptr;
}

void world::believe(const one_peer& sender, const wire::envelope& message, instant now) {
  const bool possible = message.leader == nobody || find(message.leader) != nullptr;
  if (!possible)
    record_.complain(sender.id, misdeed::unknown_leader, to_string(message.leader), now);
  // The majority's word counts, not that of those who were cut off.
  if (!network_.inside(sender.id))
    return;
  leader_ = possible ? message.leader : nobody;
  if (leader_ == nobody || leader_ == last_known_leader_)
    return;
  if (last_known_leader_ != nobody)
    ++record_.figures.leader_changes;
  record_.tell(now, fmt::format("{} leads, says {}", to_string(leader_), to_string(sender.id)));
  last_known_leader_ = leader_;
}

void world::dispatch(one_peer& sender, const wire::envelope& message, std::string_view datagram, instant now,
                     action_list& actions) {
  if (message.dst == nobody) {
    for (auto& receiver : peers_)
      if (receiver.id != sender.id)
        pass_on(sender, receiver, message.type, datagram, now, actions);
  } else if (auto* receiver = find(message.dst)) {
    pass_on(sender, *receiver, message.type, datagram, now, actions);
  } else if (!clients::is_client(message.dst)) {
    const auto what = fmt::format("{} to {}", message.type, to_string(message.dst));
    record_.complain(sender.id, misdeed::unknown_destination, what, now);
  } else if (message.kind == wire::message_kind::other) {
    const auto what = fmt::format("a client gets no message of type {}", message.type);
    record_.complain(sender.id, misdeed::garbage, what, now);
  } else {
    answer(sender, message, now, actions);
  }
}

void world::pass_on(one_peer& sender, one_peer& receiver, const std::string& type, std::string_view datagram,
                    instant now, action_list& actions) {
  auto& figures = record_.figures;
  ++sender.messages;
  ++figures.total_msgs;
  ++figures.msgs_by_type[type];
  switch (network_.decide(sender.id, receiver.id)) {
  case network::fate::dropped:
    ++figures.lost_by_drops;
    return;
  case network::fate::cut:
    ++figures.lost_by_partition;
    return;
  case network::fate::arrives:
    hand_over(receiver, std::string(datagram), now, actions);
    return;
  }
}

void world::answer(one_peer& sender, wire::envelope message, instant now, action_list& actions) {
  if (!find(message.leader))
    message.leader = nobody;
  if (auto again = clients_.receive(message, sender.id, living(), now))
    hand_over(*find(again->to), std::move(again->bytes), now, actions);
}

void world::hand_over(one_peer& receiver, std::string bytes, instant now, action_list& actions) {
  switch (receiver.state) {
  case peer_state::silent:
    ++record_.figures.to_the_dead;
    die(receiver, misdeed::no_hello, "something had to be delivered to it and it had not said hello", now);
    return;
  case peer_state::alive:
    actions.emplace_back(deliver{receiver.id, receiver.endpoint, std::move(bytes)});
    return;
  case peer_state::killed:
  case peer_state::dead:
    ++record_.figures.to_the_dead;
    return;
  }
}

void world::happen(const event& event, instant now, action_list& actions) {
  auto hits = carry_out(event.type, now, actions);
  const bool skipped = hits.empty() && event.type != event_type::part_end;
  const auto whom = skipped ? std::string("(nobody to hit, skipped)") : names(hits);
  record_.tell(now, fmt::format("{}{}{}", troupe::to_string(event.type), whom.empty() ? "" : " ", whom));
  record_.figures.events.push_back({event.type, now - start_, std::move(hits)});
}

std::vector<replica_id> world::carry_out(event_type type, instant now, action_list& actions) {
  switch (type) {
  case event_type::kill_leader:
  case event_type::crash_leader: {
    auto hits = kill_replica(leader_to_kill(look()), type == event_type::crash_leader, now, actions);
    if (!hits.empty())
      clients_.forget_leader();
    return hits;
  }
  case event_type::kill_non_leader:
  case event_type::crash_non_leader:
    return kill_replica(non_leader_to_kill(look(), event_random_), type == event_type::crash_non_leader, now,
                        actions);
  case event_type::pause_leader:
    return pause_replica(leader_to_kill(look()), actions);
  case event_type::pause_non_leader:
    return pause_replica(non_leader_to_kill(look(), event_random_), actions);
  case event_type::resume:
    return resume_all(actions);
  case event_type::part_easy:
  case event_type::part_hard:
    return cut(type);
  case event_type::part_end:
    network_.heal();
    return {};
  }
  return {};
}

std::vector<replica_id> world::kill_replica(std::optional<replica_id> victim, bool at_once, instant now,
                                            action_list& actions) {
  if (!victim)
    return {};
  auto& peer = *find(*victim);
  peer.state = peer_state::killed;
  peer.killed_at = now;
  actions.emplace_back(kill{*victim, at_once});
  finished_ = living().empty();
  return {*victim};
}

std::vector<replica_id> world::pause_replica(std::optional<replica_id> victim, action_list& actions) {
  if (!victim || std::exchange(find(*victim)->paused, true))
    return {};
  actions.emplace_back(freeze{*victim});
  return {*victim};
}

std::vector<replica_id> world::resume_all(action_list& actions) {
  std::vector<replica_id> hits;
  for (auto& peer : peers_)
    if (std::exchange(peer.paused, false) && lives(peer.id)) {
      actions.emplace_back(thaw{peer.id});
      hits.push_back(peer.id);
    }
  return hits;
}

std::vector<replica_id> world::cut(event_type type) {
  const auto now = look();
  const bool with_leader = type == event_type::part_easy && now.leader_lives();
  auto inside = with_leader ? majority_with_leader(now, event_random_) : random_majority(now, event_random_);
  if (!with_leader)
    clients_.forget_leader();
  network_.partition(inside);
  return inside;
}

void world::ended(replica_id id, const std::string& how, instant now) {
  if (auto* peer = find(id); peer && lives(id))
    die(*peer, misdeed::exited, how, now);
}

void world::die(one_peer& peer, misdeed how, const std::string& what, instant now) {
  peer.state = peer_state::dead;
  record_.complain(peer.id, how, what, now);
  record_.figures.deaths.push_back(
      fmt::format("{} {}: {}", troupe::to_string(peer.id), to_string(how), what));
  finished_ = finished_ || living().empty();
}

void world::check_storm(instant now) {
  if (finished_ || record_.figures.total_msgs < scenario_.max_packets)
    return;
  finished_ = true;
  record_.figures.stopped_at_max_packets = true;
  const auto loudest =
      std::max_element(peers_.begin(), peers_.end(),
                       [](const one_peer& a, const one_peer& b) { return a.messages < b.messages; });
  const auto what = fmt::format("{} of {} messages between replicas, stopped at max_packets",
                                loudest->messages, record_.figures.total_msgs);
  record_.complain(loudest->id, misdeed::message_storm, what, now);
}

void world::finish(instant now) {
  finished_ = true;
  record_.figures.took = now - start_;
  clients_.finish(start_);
  list_unanswered();
  for (const auto& peer : peers_)
    if (peer.state == peer_state::alive && !peer.spoke)
      record_.complain(peer.id, misdeed::silence, "said hello and then nothing at all", now);
}

/// Says of each request that was never answered whom it was lost with.
void world::list_unanswered() {
  for (auto& request : record_.figures.unanswered) {
    const auto killed_at = find(request.asked)->killed_at;
    if (killed_at != never)
      request.killed_after = killed_at - (start_ + request.sent);
  }
}

situation world::look() const { return {peers_.size(), living(), leader_}; }

bool world::lives(replica_id id) const {
  const auto* peer = find(id);
  return peer && (peer->state == peer_state::silent || peer->state == peer_state::alive);
}

std::vector<replica_id> world::living() const {
  std::vector<replica_id> ids;
  for (const auto& peer : peers_)
    if (peer.state == peer_state::silent || peer.state == peer_state::alive)
      ids.push_back(peer.id);
  return ids;
}

world::one_peer* world::find(replica_id id) {
  return const_cast<one_peer*>(static_cast<const world*>(this)->find(id));
}

const world::one_peer* world::find(replica_id id) const {
  return id.value < peers_.size() ? &peers_[id.value] : nullptr;
}

} // namespace troupe::course
