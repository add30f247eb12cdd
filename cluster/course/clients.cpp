#include "cluster/course/clients.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace troupe::course {

namespace {

constexpr std::uint16_t first_client = 0xC000;
constexpr std::size_t mid_digits = 16;
constexpr std::size_t key_digits = 32;
constexpr std::size_t value_digits = 32;
/// How often a client that has keys writes to a new one all the same.
constexpr double new_key_probability = 0.5;

/// What goes into a report, short enough for a line.
std::string in_quotes(const std::optional<std::string>& text) {
  if (!text)
    return "no string";
  return text->size() <= 40 ? fmt::format("\"{}\"", *text) : fmt::format("\"{}...\"", text->substr(0, 40));
}

} // namespace

clients::clients(double mix, random_source random, record& log)
    : mix_(mix), random_(std::move(random)), record_(log) {
  for (std::size_t i = 0; i < count; ++i)
    clients_[i].id = {static_cast<std::uint16_t>(first_client + i)};
}

bool clients::is_client(replica_id id) { return id.value >= first_client && id.value < first_client + count; }

std::optional<outgoing_request> clients::generate(const std::vector<replica_id>& living, instant now) {
  const auto index = random_.below(count);
  const auto& keys = clients_[index].keys;
  one_request next{.client = index,
                   .is_put = !random_.chance(mix_),
                   .key = {},
                   .value = {},
                   .mid = {},
                   .asked = now,
                   .told = {}};
  if (!next.is_put && keys.empty()) {
    ++record_.figures.gets_not_generated;
    next.is_put = true;
  }
  const bool new_key = next.is_put && (keys.empty() || random_.chance(new_key_probability));
  next.key = new_key ? random_.hexadecimal(key_digits) : random_.pick(keys);
  if (next.is_put)
    next.value = random_.hexadecimal(value_digits);
  ++(next.is_put ? record_.figures.puts : record_.figures.gets);
  requests_.push_back(std::move(next));
  return send(requests_.size() - 1, living, now);
}

std::optional<outgoing_request> clients::send(std::size_t request, const std::vector<replica_id>& living,
                                              instant now) {
  if (living.empty())
    return std::nullopt;
  auto& what = requests_[request];
  const auto& who = clients_[what.client];
  const bool leader_lives = std::find(living.begin(), living.end(), who.leader) != living.end();
  const wire::request_header header{who.id, leader_lives ? who.leader : random_.pick(living), who.leader,
                                    fresh_mid()};
  attempts_.emplace(header.mid, one_attempt{request, now, header.replica});
  what.mid = header.mid;
  if (!last_ok_)
    last_ok_ = now;
  return outgoing_request{
      header.replica, wire::write_request(header, what.is_put ? kv::operation(kv::put{what.key, what.value})
                                                              : kv::operation(kv::get{what.key}))};
}

std::string clients::fresh_mid() {
  auto mid = random_.hexadecimal(mid_digits);
  while (attempts_.count(mid) > 0)
    mid = random_.hexadecimal(mid_digits);
  return mid;
}

std::optional<outgoing_request> clients::receive(const wire::envelope& message, replica_id from,
                                                 const std::vector<replica_id>& living, instant now) {
  auto& who = clients_[static_cast<std::size_t>(message.dst.value - first_client)];
  who.leader = message.leader;
  const auto found = message.mid ? attempts_.find(*message.mid) : attempts_.end();
  if (found == attempts_.end() || clients_[requests_[found->second.request].client].id != message.dst) {
    refuse(misdeed::unknown_mid, message, from, now);
    return std::nullopt;
  }
  switch (found->second.state) {
  case attempt_state::open:
    return settle(found->second, message, from, living, now);
  case attempt_state::answered_ok:
    ++record_.figures.duplicates;
    record_.complain(from, misdeed::second_answer, fmt::format("MID {} once more", *message.mid), now);
    return std::nullopt;
  case attempt_state::answered_no:
    refuse(misdeed::answer_after_no, message, from, now);
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<outgoing_request> clients::settle(one_attempt& attempt, const wire::envelope& message,
                                                replica_id from, const std::vector<replica_id>& living,
                                                instant now) {
  auto& what = requests_[attempt.request];
  auto& figures = record_.figures;
  (what.is_put ? figures.latencies.puts : figures.latencies.gets).push_back(now - attempt.sent);
  if (message.kind == wire::message_kind::ok) {
    attempt.state = attempt_state::answered_ok;
    accept_ok(what, message, from, now);
    return std::nullopt;
  }
  attempt.state = attempt_state::answered_no;
  ++(message.kind == wire::message_kind::redirect ? figures.redirects : figures.fails);
  if (++what.bounces == storm_bounces)
    record_.complain(from, misdeed::redirect_storm,
                     fmt::format("a request was sent around {} times", what.bounces), now);
  auto again = send(attempt.request, living, now);
  figures.sent_again += again ? 1 : 0;
  return again;
}

void clients::accept_ok(one_request& request, const wire::envelope& message, replica_id from, instant now) {
  request.answered = true;
  request.told = now;
  if (!request.is_put)
    request.read = message.value;
  record_.figures.longest_silence = std::max(record_.figures.longest_silence, now - *last_ok_);
  last_ok_ = now;
  if (!request.is_put) {
    ++record_.figures.gets_ok;
    check_value(request, message, from, now);
    return;
  }
  ++record_.figures.puts_ok;
  auto& who = clients_[request.client];
  if (who.records.insert_or_assign(request.key, request.value).second)
    who.keys.push_back(request.key);
}

void clients::check_value(const one_request& request, const wire::envelope& message, replica_id from,
                          instant now) {
  const auto& who = clients_[request.client];
  const auto& expected = who.records.at(request.key);
  if (message.value == expected)
    return;
  const auto what = fmt::format("get of key {} by {} returned {} instead of {}", request.key,
                                to_string(who.id), in_quotes(message.value), in_quotes(expected));
  record_.complain(from, misdeed::wrong_value, what, now);
  record_.incorrect(fmt::format("{}: {}", to_string(from), what));
}

void clients::refuse(misdeed kind, const wire::envelope& message, replica_id from, instant now) {
  const auto what =
      fmt::format("{} to {} with MID {}", message.type, to_string(message.dst), in_quotes(message.mid));
  record_.complain(from, kind, what, now);
  record_.incorrect(fmt::format("{}: {}: {}", to_string(from), to_string(kind), what));
}

void clients::forget_leader() {
  for (auto& client : clients_)
    client.leader = nobody;
}

void clients::finish(instant start) {
  if (last_ok_ && !requests_.empty()) // nobody answered what came after that
    record_.figures.longest_silence =
        std::max(record_.figures.longest_silence, requests_.back().asked - *last_ok_);
  for (const auto& request : requests_) {
    if (request.answered)
      continue;
    ++(request.is_put ? record_.figures.puts_unanswered : record_.figures.gets_unanswered);
    if (request.mid.empty()) // nobody lived whom it could have asked
      continue;
    const auto& last = attempts_.at(request.mid);
    record_.figures.unanswered.push_back({clients_[request.client].id, request.mid, request.is_put,
                                          request.key, last.asked, last.sent - start, std::nullopt});
  }
}

history::operations clients::history() const {
  history::operations all;
  all.reserve(requests_.size());
  for (const auto& request : requests_)
    all.push_back({.client = to_string(clients_[request.client].id),
                   .id = request.mid,
                   .kind = request.is_put ? history::operation_kind::put : history::operation_kind::get,
                   .key = request.key,
                   .value = request.value,
                   .expected = {},
                   .call = request.asked.since_start.count(),
                   .done = request.told.since_start.count(),
                   .ending = request.answered ? history::ending::ok : history::ending::unknown,
                   .result = request.read});
  return all;
}

} // namespace troupe::course
