#include "cluster/script/player.hpp"

#include <algorithm>
#include <cctype>

namespace troupe::script {

namespace {

/// Between replicas, while a script lets messages travel by themselves.
constexpr duration link_delay = std::chrono::microseconds(20);
/// Whoever loses two elections to higher terms that it had not heard of wins the third.
constexpr int most_campaigns = 3;
/// More than any script needs: messages that beget messages without an end are a bug of the replicas.
constexpr std::size_t most_deliveries = 100'000;
/// Whoever proposes without a name.
constexpr replica_id anonymous{first_client.value + 0x1000};
constexpr std::size_t most_clients = anonymous.value - first_client.value;
/// Asks once, and does what a script says, not what it is told.
constexpr manners obedient{.repeat_after = duration::zero(), .most_attempts = 1};

raft::entry_ptr entry_of(std::uint64_t term, std::uint64_t index, std::size_t wire_bytes) {
  return std::make_shared<raft::entry>(raft::entry{{term}, {index}, raft::no_op{}, wire_bytes});
}

raft::stored_state stored_state_of(const given_log& l, std::size_t wire_bytes) {
  raft::stored_state s;
  for (auto term : l.terms)
    s.entries.push_back(entry_of(term, s.entries.size() + 1, wire_bytes));
  s.hard_state = {{l.term.value_or(l.terms.empty() ? 0 : l.terms.back())}, l.voted_for};
  return s;
}

cluster_setup setup_of(const setup& s) {
  const auto entry_bytes = s.one_entry_per_append
                               ? wire::limits{}.max_datagram_bytes - wire::append_overhead_bytes
                               : raft::no_op_wire_bytes;
  cluster_setup c;
  c.replicas = s.replicas;
  c.seed = s.seed;
  c.raft = s.raft;
  c.router = s.router;
  c.network = {.delay = link_delay, .jitter = duration::zero()};
  c.client_network = {.delay = duration::zero(), .jitter = duration::zero()};
  for (const auto& l : s.logs)
    c.stored.push_back(stored_state_of(l, entry_bytes));
  return c;
}

std::string spell(replica_id id) { return is_client(id) ? "client" : std::to_string(number_of(id)); }

} // namespace

std::string in_numbers(const std::string& text, std::size_t replicas) {
  const auto is_in_word = [&](std::size_t at) {
    return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
  };
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    auto end = at;
    while (is_in_word(end))
      ++end;
    const auto word = text.substr(at, std::max<std::size_t>(end - at, 1));
    const auto id = wire::parse_replica_id(word); // other numbers have no zeros in front
    out += id && id->value < replicas ? std::to_string(number_of(*id)) : word;
    at += word.size();
  }
  return out;
}

player::player(const story& s, teller tell) : story_(s), tell_(std::move(tell)), cluster_(setup_of(s.setup)) {
  for (auto self : cluster_.ids()) {
    std::vector<std::string> peers;
    for (auto id : cluster_.ids())
      if (id != self)
        peers.push_back(to_string(id));
    codecs_.emplace_back(wire::directory(to_string(self), peers), wire::limits{});
  }
  cluster_.network().hold(true, false);
  cluster_.on_fate(
      [this](replica_id from, replica_id to, std::string_view bytes, fate f) { note(from, to, bytes, f); });
  cluster_.on_log([this](replica_id id, actors::log_level, const std::string& text) {
    this->tell(fmt::format("{}: {}", spell(id), in_numbers(text, cluster_.ids().size())));
  });
}

void player::tell(const std::string& text) const {
  if (tell_)
    tell_(fmt::format("{:12.6f} s  {}", in_seconds(cluster_.now().since_start), text));
}

std::optional<failure> player::play() {
  for (const auto& s : story_.statements) {
    if (tell_)
      tell_(fmt::format("{}: {}", s.line, s.text));
    try {
      std::visit([this](const auto& a) { carry_out(a); }, s.action);
    } catch (mismatch& m) {
      return make_failure(s, std::move(m));
    }
    if (auto broken = find_violation(s))
      return broken;
  }
  return conclude();
}

void player::require_running(replica_id id) const {
  if (!cluster_.running(id))
    fail(fmt::format("replica {} runs", number_of(id)), "it does not");
}

// ---- messages
// ------------------------------------------------------------------------------------------------

/// Told of each message when it is sent.
void player::note(replica_id from, replica_id to, std::string_view bytes, fate f) {
  std::string error;
  const auto envelope = wire::parse_envelope(bytes, error);
  if (!envelope)
    return;
  if (is_client(to))
    return note_answer(from, to, *envelope);
  if (is_client(from))
    return tell(fmt::format("client -> {}  {} {}", spell(to), envelope->type, envelope->mid.value_or("")));
  auto message = try_decode(to, bytes);
  if (!message) // this is called by an actor, which is not to be thrown at; whoever looks at the message
                // fails
    return;
  sent_.push_back({from, to, std::move(*message)});
  tell(fmt::format("{} -> {}  {}{}", spell(from), spell(to), describe(sent_.back().message),
                   f == fate::cut ? "  (lost: the link is cut)" : ""));
}

void player::note_answer(replica_id from, replica_id, const wire::envelope& answer) {
  std::string text;
  switch (answer.kind) {
  case wire::message_kind::ok:
    text = !answer.applied ? fmt::format("refused, holds {}", answer.value.value_or(""))
           : answer.value  ? fmt::format("ok {}", *answer.value)
                           : "ok";
    break;
  case wire::message_kind::redirect:
    text = fmt::format("redirect to {}", number_of(answer.leader));
    break;
  case wire::message_kind::fail:
    text = "fail";
    break;
  case wire::message_kind::hello:
  case wire::message_kind::other:
    text = answer.type;
    break;
  }
  tell(fmt::format("{} -> client  {} {}", spell(from), answer.mid.value_or(""), text));
  answers_[answer.mid.value_or("")].push_back(std::move(text));
}

std::optional<peer_message> player::try_decode(replica_id to, std::string_view bytes) {
  auto decoded = codecs_[to.value].decode(bytes);
  auto* m = std::get_if<wire::from_peer>(&decoded);
  return m ? std::optional(std::move(m->message)) : std::nullopt;
}

peer_message player::decode(replica_id to, std::string_view bytes) {
  auto m = try_decode(to, bytes);
  if (!m)
    fail("replicas understand each other",
         fmt::format("a message to {} means nothing: {}", spell(to), bytes));
  return std::move(*m);
}

/// What is on its way over a link that is cut waits until the link is healed.
bool player::is_reachable(const held_message& m) { return !cluster_.network().is_cut(m.from, m.to); }

std::vector<std::uint64_t> player::find(const selection& s, bool reachable_only) {
  std::vector<std::uint64_t> found;
  for (const auto& m : cluster_.network().held()) {
    const auto [known, is_new] = decoded_.try_emplace(m.number);
    if (is_new)
      known->second = decode(m.to, m.bytes);
    if (s.matches(m.from, m.to, known->second) && (!reachable_only || is_reachable(m)))
      found.push_back(m.number);
  }
  if (s.which == picked::oldest && !found.empty())
    found.erase(found.begin() + 1, found.end());
  if (s.which == picked::newest && !found.empty())
    found.erase(found.begin(), found.end() - 1);
  return found;
}

std::vector<std::uint64_t> player::find_some(const selection& s, bool reachable_only) {
  auto found = find(s, reachable_only);
  // Whoever names a type has seen it coming: if it does not come, the story is another one.
  if (found.empty() && !s.types.empty())
    fail("at least one such message on the way", on_the_way());
  return found;
}

player::held_message player::take(std::uint64_t number) {
  decoded_.erase(number);
  return cluster_.network().take(number);
}

const player::held_message& player::look_at(std::uint64_t number) {
  const auto& held = cluster_.network().held();
  return *std::find_if(held.begin(), held.end(), [&](const auto& m) { return m.number == number; });
}

std::string player::on_the_way() {
  std::string text;
  for (const auto& m : cluster_.network().held()) {
    const auto message = try_decode(m.to, m.bytes);
    text += fmt::format("{}{} -> {} {}", text.empty() ? "" : "; ", spell(m.from), spell(m.to),
                        message ? message_types()[message->index()] : "what nobody understands");
  }
  return text.empty() ? "nothing is on the way" : text;
}

void player::hand_over(const held_message& m) {
  tell(fmt::format("{} <- {}  {}{}", spell(m.to), spell(m.from), describe(decode(m.to, m.bytes)),
                   cluster_.running(m.to) ? "" : "  (lost: it does not run)"));
  cluster_.deliver(m.to, m.bytes, cluster_.now());
  settle();
}

void player::deliver_until_none_is_left(const selection& s, bool backwards) {
  for (std::size_t i = 0; i < most_deliveries; ++i) {
    const auto found = find(s, true);
    if (found.empty())
      return;
    hand_over(take(backwards ? found.back() : found.front()));
    if (s.which != picked::all)
      return;
  }
  fail(fmt::format("an end after at most {} messages", most_deliveries), on_the_way());
}

void player::carry_out(const deliver& a) {
  find_some(a.messages, true);
  deliver_until_none_is_left(a.messages, a.backwards);
}

void player::carry_out(const drop& a) {
  for (auto number : find_some(a.messages, false))
    take(number);
}

void player::carry_out(const repeat& a) {
  for (auto number : find_some(a.messages, true))
    hand_over(held_message(look_at(number)));
}

void player::carry_out(const keep& a) {
  for (auto number : find_some(a.messages, false))
    kept_[a.name].push_back(look_at(number));
}

void player::carry_out(const replay& a) {
  for (const auto& m : kept_[a.name])
    hand_over(m);
}

void player::carry_out(const count_anew&) { sent_.clear(); }

// ---- elections
// -----------------------------------------------------------------------------------------------

/// Jumps to the deadline of a follower, or to one that is behind all others of a candidate: those before it
/// only ask the same again.
void player::let_time_run_out(replica_id id) {
  require_running(id);
  const auto& core = cluster_.core(id);
  const auto shown = cluster_.clock(id).shown_at(cluster_.now());
  if (core.role() == raft::role_kind::leader)
    fail(fmt::format("replica {} waits for a leader", number_of(id)), "it leads");
  auto jump = std::max(core.next_deadline() - shown, duration::zero());
  if (core.role() != raft::role_kind::follower)
    jump = std::max(jump, core.settings().election_timeout_max);
  cluster_.advance_clock(id, jump);
  settle();
}

/// As if it had not heard of a leader for as long as its loyalty lasts; its own timer does not run out yet.
void player::forget_leader(replica_id id) {
  if (!cluster_.running(id) || cluster_.core(id).role() == raft::role_kind::leader)
    return;
  const auto& core = cluster_.core(id);
  const auto loyal_until = core.leader_heard_at() + core.settings().election_timeout_min;
  const auto shown = cluster_.clock(id).shown_at(cluster_.now());
  if (loyal_until > shown)
    cluster_.advance_clock(id, loyal_until - shown);
  settle();
}

void player::carry_out(const time_out& a) {
  for (auto id : a.replicas)
    let_time_run_out(id);
}

void player::carry_out(const campaign& a) {
  for (auto id : cluster_.ids())
    if (id != a.replica)
      forget_leader(id);
  let_time_run_out(a.replica);
}

void player::carry_out(const elect& a) {
  selection asking;
  for (std::size_t i = 0; i < message_types().size(); ++i)
    if (message_types()[i].find("vote") != std::string_view::npos)
      asking.types.push_back(i);
  auto votes = asking;
  asking.from = votes.to = {a.replica};
  asking.to = votes.from = a.voters;
  const auto leads = [&] {
    return cluster_.running(a.replica) && cluster_.core(a.replica).role() == raft::role_kind::leader;
  };
  for (int i = 0; i < most_campaigns && !leads(); ++i) {
    carry_out(campaign{a.replica});
    // Asked, answered; both for a pre-vote and for a vote.
    for (int round = 0; round < 2; ++round) {
      deliver_until_none_is_left(asking, false);
      deliver_until_none_is_left(votes, false);
    }
  }
  require_running(a.replica);
  if (!leads())
    fail(fmt::format("replica {} leads", number_of(a.replica)),
         fmt::format("it is {} in term {}", value_of(property::role, a.replica),
                     value_of(property::term, a.replica)));
}

// ---- processes, links and time
// -------------------------------------------------------------------------------

void player::carry_out(const change_process& a) {
  for (auto id : a.replicas)
    switch (a.what) {
    case process_change::crash:
      require_running(id);
      cluster_.crash(id);
      tell(fmt::format("{}: crashed", spell(id)));
      break;
    case process_change::restart:
      if (cluster_.running(id))
        fail(fmt::format("replica {} does not run", number_of(id)), "it does");
      cluster_.start(id);
      break;
    case process_change::pause:
      require_running(id);
      cluster_.pause(id);
      break;
    case process_change::resume:
      cluster_.resume(id);
      break;
    case process_change::wipe:
      if (cluster_.running(id))
        fail(fmt::format("replica {} does not run", number_of(id)), "it does");
      cluster_.wipe(id);
      break;
    }
  settle();
}

void player::carry_out(const cut& a) {
  for (auto from : a.from)
    for (auto to : a.to) {
      cluster_.network().cut_one_way(from, to);
      if (a.both_ways)
        cluster_.network().cut_one_way(to, from);
    }
}

void player::carry_out(const heal&) { cluster_.heal(); }

void player::carry_out(const transfer& a) {
  require_running(a.from);
  cluster_.transfer(a.from, a.to);
  settle();
}

void player::carry_out(const wait& a) { cluster_.run_for(a.time); }

void player::carry_out(const run& a) {
  auto& network = cluster_.network();
  network.hold(false);
  for (auto number : find({}, true)) {
    const auto m = take(number);
    cluster_.deliver(m.to, m.bytes, cluster_.now() + link_delay);
  }
  cluster_.run_for(a.time);
  network.hold(true, false);
  // What is on its way arrives; what it brings about waits.
  cluster_.run_for(link_delay);
}

void player::carry_out(const advance& a) {
  for (auto id : a.replicas)
    cluster_.advance_clock(id, a.time);
  settle();
}

// ---- clients
// --------------------------------------------------------------------------------------------------

void player::carry_out(const ask& a) {
  const auto next = static_cast<std::uint16_t>(first_client.value + clients_.size() % most_clients);
  const auto client = clients_.try_emplace(a.client, replica_id{next}).first->second;
  last_request_[a.client] = cluster_.ask(a.operation, client, a.at, obedient);
  settle();
}

void player::carry_out(const ask_again& a) {
  cluster_.ask_again(last_request_.at(a.client), a.at);
  settle();
}

void player::carry_out(const propose& a) {
  require_running(a.at);
  for (std::uint64_t i = 0; i < a.count; ++i) {
    const auto n = cluster_.requests().size();
    cluster_.ask(kv::put{"proposal", std::to_string(n)}, anonymous, a.at, obedient);
    settle();
  }
}

} // namespace troupe::script
