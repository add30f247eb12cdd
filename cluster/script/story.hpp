#pragma once
// A script, understood: the replicas that it starts with and the statements that are played, one after the
// other. docs/scripts.md describes the language.

#include "actors/router.hpp"
#include "cluster/script/selection.hpp"
#include "protocol/kv/command.hpp"
#include "protocol/raft/core.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::script {

/// In scripts replicas are numbered from 1, as in the paper's figures: S1 is 0000.
constexpr std::uint64_t number_of(replica_id id) { return id.value + std::uint64_t{1}; }
std::string names_of(const std::vector<replica_id>& ids);

// ---- time and faults --------------------------------------------------------------------------------------

/// The election timers of these run out; whether the others still trust their leader is up to them.
struct time_out {
  std::vector<replica_id> replicas;
};
/// The others have not heard of a leader for long enough not to be loyal any more, and this one's election
/// timer is the first to run out.
struct campaign {
  replica_id replica;
};
/// Campaigns, and exchanges requests for votes and votes with these until it leads.
struct elect {
  replica_id replica;
  std::vector<replica_id> voters;
};

enum class process_change { crash, restart, pause, resume, wipe };
struct change_process {
  process_change what = process_change::crash;
  std::vector<replica_id> replicas;
};
struct cut {
  std::vector<replica_id> from;
  std::vector<replica_id> to;
  bool both_ways = true;
};
struct heal {};
struct transfer {
  replica_id from;
  replica_id to;
};
/// Time passes, timers run out, and messages stay where they are.
struct wait {
  duration time;
};
/// Time passes, and messages travel by themselves.
struct run {
  duration time;
};
/// These replicas' clocks jump forward, nobody else's.
struct advance {
  std::vector<replica_id> replicas;
  duration time;
};

// ---- messages ---------------------------------------------------------------------------------------------

/// Until none of these is on its way, what follows from them included.
struct deliver {
  selection messages;
  bool backwards = false; ///< what was sent last arrives first
};
struct drop {
  selection messages;
};
/// Delivers copies; the messages themselves stay on their way.
struct repeat {
  selection messages;
};
/// Puts copies aside, to be replayed as often as wanted.
struct keep {
  selection messages;
  std::string name;
};
struct replay {
  std::string name;
};
/// From here on messages are counted anew.
struct count_anew {};

// ---- clients ----------------------------------------------------------------------------------------------

struct ask {
  std::string client;
  kv::operation operation;
  replica_id at;
};
/// The client's last request once more, under the same name.
struct ask_again {
  std::string client;
  replica_id at;
};
/// Writes of clients that nobody cares about.
struct propose {
  std::uint64_t count = 1;
  replica_id at;
};

// ---- expectations -----------------------------------------------------------------------------------------

/// `nobody`: that there is none.
struct expect_leader {
  replica_id leader;
};

/// A property of replicas that is compared as it is written: `expect term 1 2: 4`.
enum class property { role, term, vote, follows, log, commit };
struct expect_property {
  script::property property = property::role;
  std::vector<replica_id> replicas;
  std::string value;                 ///< as `value_of` writes it
  std::optional<replica_id> same_as; ///< its value, instead
};
/// The value of a key in the state machine.
struct expect_value {
  std::string key;
  std::vector<replica_id> replicas;
  std::string value;
};
/// What the client's last request was told last: `ok`, `redirect to 3`, ...; `none`.
struct expect_answer {
  std::string client;
  std::string answer;
};
/// How often the client's last request was answered.
struct expect_answers {
  std::string client;
  std::uint64_t count = 0;
};
struct expect_messages {
  std::uint64_t count = 0;
  selection messages;
  bool sent = false; ///< since they were last counted anew, instead of on their way now
};
/// That a rule was broken, in words that contain this.
struct expect_violation {
  std::string text;
};

using action = std::variant<time_out, campaign, elect, change_process, cut, heal, transfer, wait, run,
                            advance, deliver, drop, repeat, keep, replay, count_anew, ask, ask_again, propose,
                            expect_leader, expect_property, expect_value, expect_answer, expect_answers,
                            expect_messages, expect_violation>;

struct statement {
  std::size_t line = 0; ///< from 1
  std::string text;     ///< as it was written
  script::action action;
};

struct given_log {
  std::vector<std::uint64_t> terms;  ///< one for each entry
  std::optional<std::uint64_t> term; ///< the current one; else that of the last entry
  replica_id voted_for = nobody;     ///< in the current term
  std::size_t line = 0;              ///< where it was last spoken of
};

/// No lease, no notices of what is committed, and nothing is sent again before a heartbeat is due: so little
/// happens that a script does not tell.
raft::options quiet_options();

struct setup {
  std::size_t replicas = 0;
  std::uint64_t seed = 1;
  raft::options raft = quiet_options();
  actors::router_options router;
  std::vector<given_log> logs; ///< one for each replica
  /// Each given entry counts as so large that it travels alone.
  bool one_entry_per_append = false;
};

struct story {
  std::string origin; ///< where it was read
  std::string title;  ///< its first comment
  script::setup setup;
  std::vector<statement> statements;
};

/// Understands a script, or throws script_error.
story parse(std::string_view text, const std::string& origin);
/// Reads and understands a file, or throws script_error.
story load(const std::string& path);

} // namespace troupe::script
