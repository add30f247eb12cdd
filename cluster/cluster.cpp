#include "cluster/cluster.hpp"

#include "cluster/history/linearizable.hpp"
#include "cluster/history/witness.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

// The streams of the seed; virtual_cluster.cpp has others.
constexpr std::uint64_t for_clients = 103;
constexpr std::uint64_t for_network = 104;

/// How long a client waits before it asks again after a `fail`.
constexpr duration after_fail = std::chrono::milliseconds(100);

/// For an order that explains a history as well as the log's does not: a few are hard.
constexpr auto search_time = std::chrono::seconds(1);

history::operation describe(const request& r) {
  using history::operation_kind;
  history::operation o;
  o.client = to_string(r.client);
  o.id = r.mid;
  std::visit(
      [&o]<class Operation>(const Operation& what) {
        o.key = what.key;
        if constexpr (requires { what.value; })
          o.value = what.value;
        if constexpr (requires { what.expected; })
          o.expected = what.expected;
      },
      r.operation);
  static constexpr operation_kind kinds[] = {operation_kind::get, operation_kind::put, operation_kind::append,
                                             operation_kind::cas, operation_kind::erase};
  o.kind = kinds[r.operation.index()];
  o.call = r.asked.since_start.count();
  o.ending = r.answered ? history::ending::ok : history::ending::unknown;
  if (r.answered) {
    o.done = r.answered->since_start.count();
    o.result = r.answer->value;
    o.applied = r.answer->applied;
  }
  return o;
}

/// What a write does to a store that is nothing but keys and values.
kv::result perform(const kv::operation& operation, std::map<std::string, std::string>& values) {
  auto& value = std::visit([&](const auto& o) -> std::string& { return values[o.key]; }, operation);
  auto next = value;
  if (const auto* put = std::get_if<kv::put>(&operation))
    next = put->value;
  else if (const auto* append = std::get_if<kv::append>(&operation))
    next += append->value;
  else if (std::holds_alternative<kv::erase>(operation))
    next.clear();
  else if (const auto* cas = std::get_if<kv::cas>(&operation)) {
    if (value != cas->expected)
      return {false, value};
    next = cas->value;
  }
  if (next.size() > kv::state_machine::max_value_bytes)
    return {false, value};
  value = std::move(next);
  return {};
}

} // namespace

cluster::cluster(cluster_setup s)
    : virtual_cluster({.replicas = s.replicas,
                       .stored = std::move(s.stored),
                       .seed = s.seed,
                       .raft = s.raft,
                       .router = s.router,
                       .transport = s.transport,
                       .clock_rates = std::move(s.clock_rates),
                       .clock_offsets = std::move(s.clock_offsets),
                       .storage_takes = s.storage_takes,
                       .durable = s.durable,
                       .recorder = s.recorder}),
      choices_(s.seed, for_clients), network_({s.seed, for_network}, [this](replica_id from, replica_id to,
                                                                            std::string bytes, instant when) {
        if (is_client(to))
          return at(when, [this, from, text = std::move(bytes)] { take_answer(from, text); });
        if (is_client(from))
          at(when, [this, to, bytes] { count_request(to, bytes); });
        deliver(to, std::move(bytes), when);
      }) {
  network_.set_quality(s.network);
  network_.set_client_quality(s.client_network);
  network_.on_fate([this](replica_id from, replica_id to, std::string_view bytes, fate f) {
    note_fate(from, to, bytes, f);
  });
  on_send([this](replica_id from, std::string_view bytes) { route(from, bytes); });
  start_all();
}

void cluster::route(replica_id from, std::string_view bytes) {
  std::string error;
  const auto message = wire::parse_envelope(bytes, error);
  if (!message)
    return violate(fmt::format("{} sends what is no message: {}", to_string(from), error));
  if (message->kind == wire::message_kind::hello)
    return;
  if (is_client(message->dst))
    judge_reply(from, *message);
  if (message->dst != nobody)
    return post(from, message->dst, bytes);
  for (auto id : ids())
    if (id != from)
      post(from, id, bytes);
}

/// What is planned for a message's arrival was caused by it, and nothing else is.
void cluster::post(replica_id from, replica_id to, std::string_view bytes) {
  const trace::within sending(trace::current);
  network_.send(from, to, bytes, now());
}

void cluster::note_fate(replica_id from, replica_id to, std::string_view bytes, fate f) {
  if (recorder())
    recorder()->note({to_string(from), to_string(to), to_string(f), trace::glance(bytes, "type"),
                      is_client(from) || is_client(to) ? trace::glance(bytes, "MID") : std::string_view(),
                      bytes.size()},
                     now());
  if (on_fate_)
    on_fate_(from, to, bytes, f);
}

// ---- time

bool cluster::is_settled() const {
  const auto l = leader();
  if (!l || core(*l).commit_index() < core(*l).as_leader()->term_start)
    return false;
  std::size_t followers = 0;
  for (auto id : ids())
    followers += running(id) && core(id).known_leader() == *l ? 1 : 0;
  return followers > ids().size() / 2;
}

replica_id cluster::elect(duration limit) {
  return run_until([this] { return is_settled(); }, now() + limit) ? *leader() : nobody;
}

// ---- faults

void cluster::isolate(const std::vector<replica_id>& inside) {
  std::vector<replica_id> outside;
  for (auto id : ids())
    if (std::find(inside.begin(), inside.end(), id) == inside.end())
      outside.push_back(id);
  network_.cut(inside, outside);
}

replica_id cluster::crash_leader() {
  const auto l = leader();
  if (l)
    crash(*l);
  return l.value_or(nobody);
}

// ---- clients

/// What a client does upon an answer comes later than it, though no time passes: no two stamps are equal.
instant cluster::stamp() { return last_stamp_ = std::max(now(), last_stamp_ + duration(1)); }

replica_id cluster::somebody() { return choices_.pick(ids()); }

request_number cluster::ask(kv::operation operation, replica_id client, replica_id to, manners m) {
  const auto n = requests_.size();
  requests_.push_back({.client = client,
                       .mid = fmt::format("M{}", n),
                       .operation = std::move(operation),
                       .manners = m,
                       .asked = stamp(),
                       .answered = {}});
  by_mid_.emplace(requests_[n].mid, n);
  if (to == nobody)
    to = believed_.contains(client) ? believed_[client] : somebody();
  attempt(n, to);
  return n;
}

void cluster::attempt(request_number n, replica_id to) {
  const auto& r = requests_[n];
  if (!r.answered && r.attempts < r.manners.most_attempts)
    ask_again(n, to);
}

void cluster::ask_again(request_number n, replica_id to) {
  auto& r = requests_[n];
  ++r.attempts;
  r.at = to;
  const auto believed = believed_.find(r.client);
  const auto leader = believed == believed_.end() ? nobody : believed->second;
  post(r.client, to, wire::write_request({r.client, to, leader, r.mid}, r.operation));
  if (r.manners.repeat_after > duration::zero())
    repeat_later(n, r.manners.repeat_after);
}

/// Asks somebody else unless something has happened until then.
void cluster::repeat_later(request_number n, duration wait) {
  at(now() + wait, [this, n, attempts = requests_[n].attempts] {
    if (requests_[n].attempts == attempts && !requests_[n].answered)
      attempt(n, somebody());
  });
}

void cluster::take_answer(replica_id from, const std::string& bytes) {
  std::string error;
  const auto answer = wire::parse_envelope(bytes, error);
  const auto found = answer->mid ? by_mid_.find(*answer->mid) : by_mid_.end();
  if (found == by_mid_.end() || requests_[found->second].client != answer->dst)
    return violate(fmt::format("{} answers what nobody asked: {}", to_string(from), bytes));
  const auto n = found->second;
  auto& r = requests_[n];
  if (answer->leader != nobody)
    believed_[r.client] = answer->leader;
  switch (answer->kind) {
  case wire::message_kind::ok:
    ++r.oks;
    if (!r.answered) {
      r.answered = stamp();
      r.answer = *answer;
    } else if (r.operation.index() != 0 &&
               (answer->applied != r.answer->applied || answer->value != r.answer->value))
      violate(fmt::format("applied exactly once: {} of {} was answered twice, and not alike: {}", r.mid,
                          to_string(r.client), bytes));
    return;
  case wire::message_kind::redirect:
    ++r.redirects;
    return attempt(n, answer->leader);
  case wire::message_kind::fail:
    ++r.fails;
    return repeat_later(n, after_fail);
  case wire::message_kind::hello:
  case wire::message_kind::other:
    return violate(fmt::format("{} says to a client: {}", to_string(from), bytes));
  }
}

std::optional<kv::result> cluster::ask_and_wait(kv::operation operation, duration limit) {
  const auto n = ask(std::move(operation));
  if (!run_until([&] { return requests_[n].answered.has_value(); }, now() + limit))
    return std::nullopt;
  return kv::result{requests_[n].answer->applied, requests_[n].answer->value.value_or("")};
}

std::optional<std::string> cluster::get(const std::string& key) {
  const auto result = ask_and_wait(kv::get{key});
  return result ? std::optional(result->value) : std::nullopt;
}

bool cluster::put(const std::string& key, const std::string& value) {
  return ask_and_wait(kv::put{key, value}).has_value();
}

// ---- judges

void cluster::count_request(replica_id at, std::string_view bytes) {
  std::string error;
  if (running(at))
    ++exchanges_[{at, lives(at), wire::parse_envelope(bytes, error)->mid.value_or("")}].arrived;
}

/// A replica may answer as often as it was asked, and once more for an entry that an earlier leader took in.
void cluster::judge_reply(replica_id from, const wire::envelope& reply) {
  const auto mid = reply.mid.value_or("");
  auto& e = exchanges_[{from, lives(from), mid}];
  if (++e.replies > e.arrived + 1)
    violate(
        fmt::format("one answer each time that a request arrives: {} reached {} {} times and was answered "
                    "{} times",
                    mid, to_string(from), e.arrived, e.replies));
  if (reply.kind == wire::message_kind::redirect && may_still_commit(from, {to_string(reply.dst), mid}))
    violate(fmt::format("a write that may still commit is not redirected: {} redirects {}", to_string(from),
                        mid));
}

history::operations cluster::history() const {
  history::operations all;
  all.reserve(requests_.size());
  for (const auto& r : requests_)
    all.push_back(describe(r));
  return all;
}

/// The requests whose entries were committed, in the order of the log. Of a repeated request the first
/// counts.
std::vector<std::size_t> cluster::writes_in_log() const {
  std::vector<std::size_t> order;
  std::vector<bool> listed(requests_.size());
  for (const auto& entry : committed()) {
    const auto* command = entry ? std::get_if<kv::command>(&entry->payload) : nullptr;
    const auto found = command ? by_mid_.find(command->id.mid) : by_mid_.end();
    if (found != by_mid_.end() && !listed[found->second]) {
      listed[found->second] = true;
      order.push_back(found->second);
    }
  }
  return order;
}

/// Plays the log once more, with a store that could not be simpler: each answer to a write has to be what
/// comes of it. Where that is so, only the order of what clients saw is left to judge.
std::vector<std::string> cluster::judge_answers() const {
  std::vector<std::string> wrong;
  std::map<std::string, std::string> values;
  std::vector<bool> applied(requests_.size());
  for (const auto n : writes_in_log()) {
    const auto& r = requests_[n];
    const auto expected = perform(r.operation, values);
    applied[n] = true;
    const bool value_may_miss = expected.value.size() > kv::state_machine::max_remembered_value_bytes;
    if (r.answered && (r.answer->applied != expected.applied ||
                       (!expected.applied && !(value_may_miss && !r.answer->value) &&
                        r.answer->value.value_or("") != expected.value)))
      wrong.push_back(
          fmt::format("an answer tells what the log did: {} was answered with \"{}\"{}, where the log "
                      "makes it \"{}\"{}",
                      r.mid, r.answer->value.value_or(""), r.answer->applied ? "" : " and not applied",
                      expected.value, expected.applied ? "" : " and not applied"));
  }
  for (std::size_t n = 0; n < requests_.size(); ++n)
    if (requests_[n].answered && requests_[n].operation.index() != 0 && !applied[n])
      wrong.push_back(fmt::format("what is answered is committed: {} is in no entry", requests_[n].mid));
  return wrong;
}

std::vector<std::string> cluster::verify() {
  compare();
  auto all = violations();
  if (const auto wrong = judge_answers(); !wrong.empty()) {
    all.insert(all.end(), wrong.begin(), wrong.end());
    return all;
  }
  const auto told = history();
  // The log's order nearly always explains it; where it does not, another one might.
  const auto misfit = history::find_misfit(told, writes_in_log());
  if (!misfit)
    return all;
  history::check_limits limits;
  limits.time = search_time;
  const auto checked = history::check(told, limits);
  if (checked.verdict == history::verdict::not_linearizable)
    all.push_back(fmt::format("linearizability: {}", checked.explanation->why));
  if (checked.verdict == history::verdict::unknown)
    all.push_back(fmt::format("linearizability: in the order of the log {}; no other order was found in time",
                              *misfit));
  return all;
}

} // namespace troupe
