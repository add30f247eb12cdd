#pragma once
// What can be tuned. The defaults suit replicas on one machine or in one building.

#include "protocol/raft/snapshot_reader.hpp"
#include "protocol/types.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace troupe::raft {

struct options {
  /// A follower that hears nothing for a random time between these starts an election (section 5.2).
  duration election_timeout_min = std::chrono::milliseconds(1000);
  duration election_timeout_max = std::chrono::milliseconds(1600);
  /// A follower hears from its leader at least this often.
  duration heartbeat_interval = std::chrono::milliseconds(400);
  /// Nobody campaigns before this has passed since the start: the others may not be there yet.
  duration start_quiet = std::chrono::milliseconds(1000);
  /// How long a leader may serve reads after a majority confirmed it, counted from when the confirmed message
  /// was sent (D 6.4.1). Shorter than election_timeout_min by what clocks may drift apart; 0: no lease, each
  /// batch of reads takes a round.
  duration lease = std::chrono::milliseconds(900);
  /// How much longer than the round trips seen an answer may take at least before it counts as late.
  duration retry_min = std::chrono::milliseconds(2);
  /// When a commit index that nothing else carried is told to a follower that holds the entries, so that the
  /// next leader does not answer clients a second time; 0: never. A little less than the longest pause of
  /// whoever waits for messages before it sends more (the course's simulators: 100 ms), so that it does not
  /// wake them early.
  duration commit_notice_delay = std::chrono::milliseconds(95);

  /// What entries may take in one append, in bytes: the transport's limit less the message around them.
  std::size_t max_append_bytes = 65'507 - 512;
  /// How many messages may be on their way to one follower, and how many bytes of entries.
  std::size_t window_messages = 64;
  std::size_t window_bytes = 1 << 20;
  /// How much a leader takes on that is not committed yet.
  std::size_t max_uncommitted_entries = 16'384;
  std::size_t max_uncommitted_bytes = 16 << 20;
  /// How many reads may wait for a round.
  std::size_t max_waiting_reads = 16'384;
  /// How large a snapshot a follower takes from its leader.
  std::size_t max_snapshot_bytes = std::size_t{1} << 30;
  /// Makes what reads a snapshot from another replica for the state machine, while its pieces arrive. One
  /// that it cannot read is refused before it replaces anything. Null: all are taken, unread.
  std::shared_ptr<snapshot_reader> (*make_snapshot_reader)() = nullptr;

  /// Where this replica's random choices start; replicas need different seeds.
  std::uint64_t seed = 1;
};

/// What is wrong with the options, in one line; nothing if they can be used.
std::optional<std::string> find_fault(const options& o);

} // namespace troupe::raft
