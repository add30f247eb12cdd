#include "protocol/raft/progress.hpp"

#include "protocol/raft/options.hpp"

#include <algorithm>

namespace troupe::raft {

void round_trip::add(duration sample) {
  if (smoothed_ < duration::zero()) {
    smoothed_ = sample;
    variation_ = sample / 2;
    return;
  }
  const auto deviation = smoothed_ > sample ? smoothed_ - sample : sample - smoothed_;
  variation_ = (3 * variation_ + deviation) / 4;
  smoothed_ = (7 * smoothed_ + sample) / 8;
}

duration round_trip::timeout(const options& o) const {
  if (smoothed_ < duration::zero())
    return std::clamp<duration>(o.heartbeat_interval / 8, o.retry_min, o.heartbeat_interval);
  // Where round trips are all alike the variation goes to zero, and the next one must not be late by an
  // instant.
  const auto margin = std::max<duration>(4 * variation_, o.retry_min);
  return std::min<duration>(smoothed_ + margin, o.heartbeat_interval);
}

instant progress::late_at(const options& o) const {
  return flights.empty() ? never : flights.front().sent_at + trip.timeout(o);
}

instant progress::retry_at(const options& o) const {
  const auto doublings = std::min(retries, 16U);
  return last_sent + std::min<duration>(trip.timeout(o) * (1 << doublings), o.heartbeat_interval);
}

bool progress::window_is_full(const options& o) const {
  return flights.size() >= o.window_messages || flight_bytes >= o.window_bytes;
}

void progress::sent(flight f, const options& o) {
  last_sequence = f.sequence;
  last_sent = f.sent_at;
  flight_bytes += f.bytes;
  flights.push_back(f);
  while (flights.size() > o.window_messages) { // heartbeats to one that never answers
    flight_bytes -= flights.front().bytes;
    flights.pop_front();
  }
}

std::optional<flight> progress::answer(sequence_number sequence, instant now) {
  std::optional<flight> found;
  // What was sent before a message that is answered now was lost, or its answer was.
  while (!flights.empty() && flights.front().sequence <= sequence) {
    if (flights.front().sequence == sequence)
      found = flights.front();
    flight_bytes -= flights.front().bytes;
    flights.pop_front();
  }
  if (found) {
    answered = std::max(answered, sequence);
    answered_sent_at = std::max(answered_sent_at, found->sent_at);
    trip.add(now - found->sent_at);
    retries = 0;
  }
  return found;
}

void progress::forget_flights() {
  flights.clear();
  flight_bytes = 0;
}

void progress::raise_match(log_index index) {
  match = std::max(match, index);
  next = std::max(next, match + 1);
}

} // namespace troupe::raft
