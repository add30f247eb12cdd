#include "cluster/chaos/fair_weather.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace troupe::chaos {

namespace {

using namespace std::chrono_literals;

/// Of those who lose nothing else by asking once.
constexpr manners once{.repeat_after = 0ms};
constexpr replica_id client{0xCFFE};
constexpr std::size_t how_many = 10;

/// A replica's clock may be slower than true time by a tenth; and a nanosecond is lost here and there.
duration at_most(duration d) { return d * 6 / 5 + 1ms; }

} // namespace

fair_weather::fair_weather(cluster& c, const schedule& s)
    : cluster_(c), options_(s.setup.raft), hop_(s.setup.network.delay) {}

void fair_weather::note(replica_id from, replica_id to, std::string_view bytes) {
  if (is_client(from) || is_client(to))
    return;
  constexpr std::size_t header_bytes = 80;
  const auto header = bytes.substr(0, header_bytes);
  // A leader that compacts its log sends its whole state to whom it has passed over: no matter of writes.
  messages_ += header.find("\"snapshot_") == header.npos ? 1 : 0;
  constexpr std::string_view term = "\"term\":";
  const auto found = bytes.find(term);
  if (header.find("\"vote_reply\"") == header.npos || found == bytes.npos)
    return;
  std::uint64_t number = 0;
  std::from_chars(bytes.data() + found + term.size(), bytes.data() + bytes.size(), number);
  votes_.try_emplace({from, to, number}, cluster_.now());
}

std::vector<std::string> fair_weather::judge() {
  const link_quality even{.delay = hop_, .jitter = 0us};
  cluster_.network().set_quality(even);
  cluster_.network().set_client_quality(even);
  for (auto id : cluster_.ids())
    cluster_.set_storage_delay(id, 0ms);
  // Until what was held up has come and the leader has forgotten how long answers took in the storm.
  constexpr int measured = 80;
  cluster_.run_for(measured * options_.heartbeat_interval);
  leader_ = cluster_.elect();
  if (leader_ == nobody)
    broken(fmt::format("a leader stays while all is well: {} leads", to_string(nobody)));
  for (const auto part : {&fair_weather::judge_writes, &fair_weather::judge_reads,
                          &fair_weather::judge_without_follower, &fair_weather::judge_end_of_leader})
    if (violations_.empty() && cluster_.violations().empty())
      (this->*part)();
  return std::move(violations_);
}

bool fair_weather::await(request_number n) {
  const auto answered = [&] { return cluster_.request(n).answered.has_value(); };
  if (cluster_.run_until(answered, cluster_.now() + options_.election_timeout_max))
    return true;
  broken(fmt::format("a leader stays while all is well: {} has not answered {} in time", to_string(leader_),
                     cluster_.request(n).mid));
  return false;
}

bool fair_weather::write(duration* took) {
  const auto begun = cluster_.now();
  const auto done =
      await(cluster_.ask(kv::put{"k0", fmt::format("fair {}", ++writes_)}, client, leader_, once));
  if (took)
    *took = cluster_.now() - begun;
  return done;
}

/// How many have gone to each follower by now, at most.
std::size_t fair_weather::heartbeats_since(instant t) const {
  return 1 + static_cast<std::size_t>(at_most(cluster_.now() - t) / options_.heartbeat_interval);
}

/// A write goes to just enough followers, and each of them answers.
void fair_weather::judge_writes() {
  const auto replicas = cluster_.ids().size();
  const auto begun = cluster_.now();
  const auto before = messages_;
  for (std::size_t i = 0; i < how_many; ++i)
    if (!write())
      return;
  const auto sent = messages_ - before;
  const auto needed = how_many * 2 * (replicas / 2);
  // The commit index of a write travels with the next one, if that comes soon enough.
  const bool told_apart =
      options_.commit_notice_delay > 0ms && at_most(4 * hop_) >= options_.commit_notice_delay;
  const auto allowed =
      needed * 6 / 5 + (told_apart ? how_many : 1) + heartbeats_since(begun) * 2 * (replicas - 1);
  if (sent > allowed)
    broken(fmt::format(
        "no more messages than it takes: {} writes took {} of them between {} replicas, where {} are enough",
        how_many, sent, replicas, allowed));
}

/// Reads cost nothing while the lease lasts.
void fair_weather::judge_reads() {
  const bool lasts = options_.lease > at_most(options_.heartbeat_interval + 4 * hop_) &&
                     !cluster_.core(leader_).as_leader()->lease_void;
  if (!lasts)
    return;
  const auto begun = cluster_.now();
  const auto before = messages_;
  for (std::size_t i = 0; i < how_many; ++i)
    if (!await(cluster_.ask(kv::get{"k0"}, client, leader_, once)))
      return;
  const auto sent = messages_ - before;
  const auto allowed = 4 + heartbeats_since(begun) * 2 * (cluster_.ids().size() - 1);
  if (sent > allowed)
    broken(fmt::format("no more messages than it takes: {} reads took {} of them though the lease lasts, "
                       "where {} are enough",
                       how_many, sent, allowed));
}

/// Whether anybody but this one takes no entries for now, since it is being sent a state.
bool fair_weather::is_sending_state(replica_id except) const {
  const auto* l = cluster_.core(leader_).as_leader();
  return l && std::any_of(l->followers.begin(), l->followers.end(), [except](const raft::progress& p) {
           return p.id != except && p.installing != nullptr;
         });
}

/// Another follower takes the place of one that does not answer, without waiting for a heartbeat.
void fair_weather::judge_without_follower() {
  const auto round_trip = 2 * hop_;
  const auto longest = at_most(3 * round_trip + options_.retry_min);
  if (2 * longest > options_.heartbeat_interval)
    return; // a heartbeat comes as soon
  const auto& ids = cluster_.ids();
  const auto lost = *std::find_if(ids.begin(), ids.end(), [this](replica_id id) { return id != leader_; });
  cluster_.crash(lost);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    duration took{};
    // Whoever is being sent a state cannot take anybody's place.
    if (!cluster_.run_until([&] { return !is_sending_state(lost); },
                            cluster_.now() + options_.election_timeout_max))
      break;
    if (!write(&took))
      return;
    if (took > longest && !is_sending_state(lost))
      broken(fmt::format(
          "who does not answer is replaced: a write took {} us while {} was down, where {} us are enough",
          took.count() / 1000, to_string(lost), longest.count() / 1000));
  }
  cluster_.start(lost);
  cluster_.run_for(3 * options_.heartbeat_interval);
}

/// The next leader knows what this one has answered.
void fair_weather::judge_end_of_leader() {
  const auto last = cluster_.requests().size();
  if (!write())
    return;
  const auto index = cluster_.core(leader_).commit_index();
  // The first leader of all may leave one entry to be told of with the next.
  const auto told = index - (cluster_.core(leader_).as_leader()->term_start == log_index{1} ? 1 : 0);
  cluster_.run_for(at_most(options_.commit_notice_delay + hop_));
  const auto who_knows = [this](log_index of) {
    std::vector<replica_id> knowing;
    for (auto id : cluster_.ids())
      if (id != leader_ && cluster_.core(id).commit_index() >= of)
        knowing.push_back(id);
    return knowing;
  };
  const auto knowing = who_knows(index);
  if (who_knows(told).empty() && options_.commit_notice_delay > 0ms)
    return broken(fmt::format("somebody else knows what was answered: entry {} of {} was, and nobody does",
                              told.value, to_string(leader_)));
  cluster_.crash(leader_);
  const auto waiting = ask_follower_of_the_dead();
  const auto elected = [this] { return cluster_.leader().has_value(); };
  if (!cluster_.run_until(elected, cluster_.now() + 20 * options_.election_timeout_max))
    return broken(fmt::format("a leader is elected while all is well: {} ended and nobody took over",
                              to_string(leader_)));
  const auto winner = *cluster_.leader();
  const bool has_been_told = voter_has_told(knowing, winner, cluster_.now());
  cluster_.run_for(8 * hop_);
  if (waiting)
    judge_redirect(*waiting);
  if (has_been_told && cluster_.request(last).oks > 1)
    broken(fmt::format("no write is answered by two leaders: {} has answered {} again, though a voter has "
                       "told it that entry {} was committed",
                       to_string(winner), cluster_.request(last).mid, index.value));
  cluster_.start(leader_);
}

bool fair_weather::voter_has_told(const std::vector<replica_id>& knowing, replica_id winner,
                                  instant won) const {
  const auto term = cluster_.core(winner).term().value;
  return std::any_of(knowing.begin(), knowing.end(), [&](replica_id id) {
    const auto told = votes_.find({id, winner, term});
    return id == winner || (told != votes_.end() && told->second <= won);
  });
}

/// The leader has just ended, and its followers do not know yet.
std::optional<request_number> fair_weather::ask_follower_of_the_dead() {
  cluster_.run_for(at_most(options_.heartbeat_interval) + hop_);
  for (auto id : cluster_.ids())
    if (cluster_.running(id) && cluster_.core(id).known_leader() == leader_)
      return cluster_.ask(kv::get{"k0"}, client, id, once);
  return std::nullopt;
}

/// Not at once, and not while others that have heard from it later still believe in it.
void fair_weather::judge_redirect(request_number n) {
  const auto& r = cluster_.request(n);
  if (r.at == leader_)
    broken(
        fmt::format("nobody is sent to a leader that is gone: {} is sent to {}", r.mid, to_string(leader_)));
}

} // namespace troupe::chaos
