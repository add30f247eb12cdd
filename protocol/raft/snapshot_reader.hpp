#pragma once
// What reads a snapshot while it arrives.

#include <optional>
#include <string>

namespace troupe::raft {

/// Of the state machine's kind; the core knows nothing of what is in a snapshot. Read as it arrives, none
/// holds up the replica when all of it is there.
class snapshot_reader {
 public:
  virtual ~snapshot_reader() = default;
  /// Goes on where it ended the last time.
  /// @param data    what has arrived so far, from the beginning on
  /// @param is_all  nothing follows
  /// Returns what is wrong with it, in one line; nothing if that is all right.
  virtual std::optional<std::string> read(const std::string& data, bool is_all) = 0;
};

} // namespace troupe::raft
