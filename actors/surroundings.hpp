#pragma once
// What the world puts around a replica. An actor never asks which world it is in.

#include "protocol/messages.hpp"
#include "protocol/raft/core.hpp"
#include "trace/recorder.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::actors {

/// Where messages leave the replica.
class edge {
 public:
  virtual ~edge() = default;
  /// Sends one whole message, or drops it and counts that: peers' messages may be lost, and clients are at
  /// the same place as the peers' network. Never blocks.
  virtual void send(std::string_view message) = 0;
};

/// Where messages leave a replica whose peers and clients are in its process: as they are, so that nobody has
/// to write and read text.
class direct_edge {
 public:
  virtual ~direct_edge() = default;
  /// Hands a message to another replica, or to all others (`nobody`), or drops it. Never blocks.
  virtual void send(replica_id to, peer_message m) = 0;
  /// Hands an answer to the client that it names.
  virtual void answer(client_reply r) = 0;
};

/// How a sync ended.
struct sync_end {
  std::string error; ///< one line, after which the replica must stop; empty: all is durable
};

/// Where the log store stores.
class storage {
 public:
  using sync_hook = std::function<void(const sync_end&)>;

  virtual ~storage() = default;
  /// What an earlier run left.
  virtual raft::stored_state load() = 0;
  /// Takes over a write, which the next sync makes durable.
  virtual void apply(const raft::storage_write& w) = 0;
  /// Makes durable what was applied before: at once, and says how that ended; or later, and says nothing yet
  /// but calls `when_done`, in the thread of whoever waits for it. One at a time: writes may be applied
  /// meanwhile, and wait for the next. A snapshot of the log itself need not be durable then, since the log
  /// is. What fails when a sync has long ended is told to the last `when_done`.
  virtual std::optional<sync_end> sync(sync_hook when_done) = 0;
};

/// A replica's clock, where it is not the system's: it may be ahead, and run fast or slow.
class timepiece {
 public:
  virtual ~timepiece() = default;
  /// What it shows at a moment of the system's clock; never goes back.
  virtual instant shown_at(instant t) const = 0;
  /// The system's moment from which on it shows `shown`, to the best of what is known now.
  virtual instant when_shown(instant shown) const = 0;
};

enum class log_level { error, warning, info, debug };

/// How a replica speaks to people, and what it does when it cannot go on. Called by any of its actors.
struct host {
  std::function<void(log_level, const std::string&)> log;
  /// A broken invariant or a failed storage: called once, with a message that names it; the replica must not
  /// go on.
  std::function<void(const std::string&)> stop;
  const timepiece* clock = nullptr; ///< null: the system's
  /// Takes down every message that an actor handles; null: nobody does, which costs nothing.
  trace::recorder* recorder = nullptr;
  replica_id self{}; ///< whose actors they are, for the recorder; the replica fills it in
};

/// A judge's view of a step of Raft. What it thinks of it must not come back as an exception.
using watch_step = std::function<void(const raft::core&, const raft::effects&)>;

} // namespace troupe::actors
