#pragma once
// What is counted and noted while a run goes on, and what comes of it.

#include "cluster/scenario.hpp"
#include "protocol/types.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::course {

/// What a replica can do wrong.
enum class misdeed {
  exited,              ///< ended by itself
  no_hello,            ///< had not said hello when something had to be delivered
  garbage,             ///< a datagram that is no message
  wrong_source,        ///< a message in another replica's name, or before hello
  unknown_destination, ///< a message to nobody there is
  unknown_leader,      ///< names a leader that is no replica
  unknown_mid,         ///< an answer to a request that the client never made
  second_answer,       ///< an answer to a request that was already answered ok: a duplicate
  answer_after_no,     ///< an answer to a request that was already redirected or failed
  wrong_value,         ///< a get returned something else than the client's record
  message_storm,       ///< the run reached max_packets; charged to whoever sent most
  redirect_storm,      ///< one request was sent around again and again
  silence,             ///< said hello and then nothing
};

/// As in reports: "wrong value".
std::string_view to_string(misdeed kind);

/// How often somebody did something wrong, and what it was the first time.
struct complaint {
  std::uint64_t count = 0;
  std::string first;
};
/// `nobody` stands for a sender that no replica's hello came from.
using complaints = std::map<std::pair<replica_id, misdeed>, complaint>;

/// An event as it took place.
struct event_outcome {
  event_type type = event_type::kill_leader;
  duration time{0};             ///< since the start of the run
  std::vector<replica_id> hits; ///< the victim, or who is inside the majority; empty if skipped
};

/// A request that had no answer when the run ended.
struct unanswered_request {
  replica_id client;
  std::string mid; ///< the last one it was sent under
  bool is_put = false;
  std::string key;
  replica_id asked;
  duration sent{0}; ///< since the start of the run
  /// How long after it was sent the replica was killed; nothing if it was not. A few microseconds: no replica
  /// could have answered.
  std::optional<duration> killed_after;
};

/// A thing worth telling while the run goes on.
struct news {
  instant at;
  std::string text;
};

/// How long answers took, from sending a request to its answer.
struct latencies {
  std::vector<duration> gets;
  std::vector<duration> puts;
  /// Gets and puts together.
  std::vector<duration> all() const;
};

/// The middle one, or the mean of the two in the middle, in seconds; nothing if there are none.
std::optional<double> median_seconds(std::vector<duration> values);
/// The smallest value that 99 of 100 do not exceed, in seconds; nothing if there are none.
std::optional<double> p99_seconds(std::vector<duration> values);

/// Everything that is counted in a run.
struct figures {
  // Messages between replicas; a broadcast counts once for each receiver, lost ones count, hello does not.
  std::uint64_t total_msgs = 0;
  std::uint64_t lost_by_drops = 0;
  std::uint64_t lost_by_partition = 0;
  std::uint64_t to_the_dead = 0; ///< delivered to nobody, since the receiver was gone
  std::map<std::string, std::uint64_t> msgs_by_type;

  // Requests. One that is sent again after a redirect or fail is still the same request.
  std::uint64_t gets = 0;
  std::uint64_t puts = 0;
  std::uint64_t gets_not_generated = 0;
  std::uint64_t gets_ok = 0;
  std::uint64_t puts_ok = 0;
  std::uint64_t gets_unanswered = 0; ///< known at the end
  std::uint64_t puts_unanswered = 0;
  std::vector<unanswered_request> unanswered;
  std::uint64_t sent_again = 0;
  /// The longest time without any answer `ok`, from the first request to the last answer.
  duration longest_silence{0};

  // Answers.
  std::uint64_t redirects = 0;
  std::uint64_t fails = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t incorrect = 0;
  std::vector<std::string> incorrect_reasons; ///< the first hundred
  course::latencies latencies;

  std::uint64_t leader_changes = 0; ///< from one replica to another, as the simulator believes
  std::vector<std::string> deaths;  ///< who died without being killed, and how
  std::vector<event_outcome> events;
  bool stopped_at_max_packets = false;
  duration took{0};
  /// Rules of Raft that were broken, in words, where somebody looks at the replicas' insides.
  std::vector<std::string> violations;

  /// What the second benchmark limits.
  std::uint64_t failures() const { return fails + gets_unanswered + puts_unanswered; }
  /// What the fourth benchmark limits; nothing if nothing was answered.
  std::optional<double> median_latency() const { return median_seconds(latencies.all()); }
};

/// Collects all of this for the parts of the world.
class record {
 public:
  course::figures figures;

  void complain(replica_id who, misdeed kind, const std::string& what, instant now);
  void tell(instant at, std::string text) { news_.push_back({at, std::move(text)}); }
  void incorrect(const std::string& reason);

  const course::complaints& complaints() const { return complaints_; }
  /// The news since the last call.
  std::vector<news> take_news() { return std::exchange(news_, {}); }

 private:
  course::complaints complaints_;
  std::vector<news> news_;
};

} // namespace troupe::course
