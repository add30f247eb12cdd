#pragma once
// What a leader knows of one follower, and what is on its way to it (figure 2: nextIndex, matchIndex).
//
// Invariants: match only grows; next > match; flights are in the order of their sequence numbers and bounded.

#include "protocol/raft/step.hpp"
#include "protocol/types.hpp"

#include <deque>
#include <optional>

namespace troupe::raft {

struct options;

/// How long a round trip takes, smoothed (the estimator of RFC 6298).
class round_trip {
 public:
  void add(duration sample);
  /// After how long an answer is late.
  duration timeout(const options& o) const;

 private:
  duration smoothed_{-1};
  duration variation_{0};
};

/// An append or piece of a snapshot that was not answered yet.
struct flight {
  sequence_number sequence;
  instant sent_at;
  log_index previous_index;
  std::size_t bytes = 0;
  bool sure = false; ///< the entry before it was known to be stored there
};

struct progress {
  replica_id id;
  log_index match; ///< the highest index known to be stored there
  log_index next;  ///< the first index that has not been sent, as far as is known
  std::deque<flight> flights;
  std::size_t flight_bytes = 0;

  sequence_number last_sequence; ///< of the last message sent to it
  instant last_sent;
  /// The last message that it answered in this term: its number, and when it was sent.
  sequence_number answered;
  instant answered_sent_at;
  /// The highest commit index that it was told.
  log_index told_commit;

  round_trip trip;
  std::uint32_t retries = 0; ///< since it last answered

  /// How far the log reached when less than all of it could be sent.
  log_index catch_up_to;

  /// A snapshot that is being sent instead of entries.
  snapshot_ptr installing;
  std::uint64_t installing_offset = 0;

  /// When its oldest unanswered message is late; never if none is unanswered.
  instant late_at(const options& o) const;
  bool is_late(instant now, const options& o) const { return now >= late_at(o); }
  /// Until when the last message to it may still be answered in time.
  instant hope_until(const options& o) const { return last_sent + trip.timeout(o); }
  /// Whether what it was sent counts: nothing is late, or it was tried again just now.
  bool is_hopeful(instant now, const options& o) const {
    return !is_late(now, o) || (retries > 0 && now < hope_until(o));
  }
  /// When a late one is tried again: later and later, up to the pace of heartbeats.
  instant retry_at(const options& o) const;
  bool is_catching_up() const { return match < catch_up_to; }
  bool window_is_full(const options& o) const;

  void sent(flight f, const options& o);
  /// Takes note of an answer. Returns the flight that it answers; nothing for an old or invented one.
  std::optional<flight> answer(sequence_number sequence, instant now);
  void raise_match(log_index index);
  /// From now on nothing is on its way.
  void forget_flights();
};

} // namespace troupe::raft
