#pragma once
// What a cluster owes its users when nothing goes wrong any more: no more messages, waiting and answers than
// it takes. In a storm nobody could say how many that is.

#include "cluster/chaos/schedule.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe::chaos {

/// Looks at a cluster of at least three replicas that all run and agree, and has it lose a follower and its
/// leader on the way. The network takes the same time for every message and storages none.
class fair_weather {
 public:
  fair_weather(cluster& c, const schedule& s);

  /// Has to be told of every message that is sent.
  void note(replica_id from, replica_id to, std::string_view bytes);
  /// Which rules are broken, in words.
  std::vector<std::string> judge();

 private:
  void judge_writes();
  void judge_reads();
  bool is_sending_state(replica_id except) const;
  void judge_without_follower();
  void judge_end_of_leader();
  std::optional<request_number> ask_follower_of_the_dead();
  void judge_redirect(request_number n);

  bool await(request_number n);
  bool write(duration* took = nullptr);
  std::size_t heartbeats_since(instant t) const;
  bool voter_has_told(const std::vector<replica_id>& knowing, replica_id winner, instant won) const;
  void broken(std::string rule_and_what) { violations_.push_back(std::move(rule_and_what)); }

  cluster& cluster_;
  raft::options options_;
  duration hop_; ///< what a message takes
  replica_id leader_ = nobody;
  std::uint64_t writes_ = 0;
  std::size_t messages_ = 0; ///< between replicas, without those that carry snapshots
  /// When a replica first answered a candidate's request for a vote, by term.
  std::map<std::tuple<replica_id, replica_id, std::uint64_t>, instant> votes_;
  std::vector<std::string> violations_;
};

} // namespace troupe::chaos
