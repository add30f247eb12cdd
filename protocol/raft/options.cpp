#include "protocol/raft/options.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace troupe::raft {

namespace {

std::string in_ms(duration d) {
  return fmt::format("{} ms", std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

} // namespace

std::optional<std::string> find_fault(const options& o) {
  using namespace std::chrono_literals;
  if (o.election_timeout_min <= 0ms || o.election_timeout_max < o.election_timeout_min)
    return fmt::format(
        "the election timeout must be positive and its maximum ({}) not below its minimum ({})",
        in_ms(o.election_timeout_max), in_ms(o.election_timeout_min));
  if (o.heartbeat_interval <= 0ms || o.heartbeat_interval >= o.election_timeout_min)
    return fmt::format(
        "the heartbeat interval ({}) must be positive and below the smallest election timeout ({})",
        in_ms(o.heartbeat_interval), in_ms(o.election_timeout_min));
  if (o.lease < 0ms || o.lease >= o.election_timeout_min)
    return fmt::format("the lease ({}) must be below the smallest election timeout ({}), or followers could "
                       "elect another leader while it lasts",
                       in_ms(o.lease), in_ms(o.election_timeout_min));
  if (o.retry_min <= 0ms || o.retry_min > o.heartbeat_interval)
    return fmt::format("the shortest retry ({}) must be positive and at most the heartbeat interval ({})",
                       in_ms(o.retry_min), in_ms(o.heartbeat_interval));
  if (o.start_quiet < 0ms || o.commit_notice_delay < 0ms)
    return "a delay cannot be negative";
  if (o.max_append_bytes < 1024)
    return fmt::format("{} bytes are too few for an append: 1024 are needed", o.max_append_bytes);
  if (o.window_messages == 0 || o.window_bytes < o.max_append_bytes)
    return fmt::format("the window ({} messages, {} bytes) must hold at least one append of {} bytes",
                       o.window_messages, o.window_bytes, o.max_append_bytes);
  if (o.max_uncommitted_entries == 0 || o.max_uncommitted_bytes < o.max_append_bytes ||
      o.max_waiting_reads == 0)
    return "the bounds of what may wait must leave room for one request";
  return std::nullopt;
}

} // namespace troupe::raft
