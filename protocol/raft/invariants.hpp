#pragma once
// The properties that Raft guarantees (figure 3), checked from outside on replicas that run side by side.

#include "protocol/raft/core.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::raft {

/// What must hold of a single core at any time. Returns the first broken rule with the state, or nothing.
std::optional<std::string> find_violation(const core& c);

/// Watches all replicas of one cluster. Feed it after every step of any of them; it costs as much as what
/// changed.
class observer {
 public:
  /// Takes in the state of a replica and what its last step did. Returns the first broken rule, in words,
  /// with the states of both sides; nothing if all is well.
  std::optional<std::string> observe(const core& c, const effects& e);
  /// A replica starts (again) with what its storage held: a term or vote that was not stored yet was not
  /// promised to anybody either, and its commit index begins anew.
  void started(const core& c);

  /// Compares the logs of two replicas entry by entry (log matching).
  static std::optional<std::string> compare_logs(const core& a, const core& b);

  const std::vector<entry_ptr>& committed() const { return committed_; }
  const std::map<term_number, replica_id>& leaders() const { return leaders_; }

 private:
  struct seen {
    term_number term;
    replica_id voted_for = nobody;
    log_index commit;
    role_kind role = role_kind::follower;
    log_index last_index;
    std::map<replica_id, log_index> match; ///< of a leader's followers
  };

  std::optional<std::string> check_progress(const core& c, const effects& e, const seen& before) const;
  std::optional<std::string> check_committed(const core& c, const effects& e);
  std::optional<std::string> check_leader(const core& c, const seen& before);
  std::optional<std::string> check_numbers(const core& c, const std::vector<outgoing>& messages);

  std::map<replica_id, seen> seen_;
  std::map<term_number, replica_id> leaders_;
  struct number_of_message {
    term_number term;
    sequence_number sequence;
    auto operator<=>(const number_of_message&) const = default;
  };
  /// The last one that a leader sent to a follower.
  std::map<std::pair<replica_id, replica_id>, number_of_message> sent_;
  /// committed_[i] is what the first replica to commit index i + 1 committed there; null where only a
  /// snapshot was seen.
  std::vector<entry_ptr> committed_;
  std::vector<term_number> committed_in_; ///< the term of the leader that did
};

} // namespace troupe::raft
