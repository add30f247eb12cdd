#pragma once
// The course's eight clients: what they ask for, whom they ask, and what they make of the answers.

#include "cluster/course/random_source.hpp"
#include "cluster/course/record.hpp"
#include "cluster/history/history.hpp"
#include "protocol/wire/simulator_codec.hpp"

#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::course {

/// A request on its way to a replica.
struct outgoing_request {
  replica_id to;
  std::string bytes;
};

/// All eight together. Every client writes only keys of its own, remembers what its puts stored once they are
/// answered ok, and never repeats a request unless it is told to, by a redirect or a fail.
class clients {
 public:
  static constexpr std::size_t count = 8;
  /// After so many redirects and fails a request is reported to be going round in circles.
  static constexpr std::uint64_t storm_bounces = 100;

  /// `mix` is the probability that a request is a get, 0 to 1. The record must outlive the clients.
  clients(double mix, random_source random, record& log);

  /// A new request of a random client. A get of a client that has stored nothing yet is counted as not
  /// generated, and becomes a put. Nothing if nobody lives whom it could ask.
  std::optional<outgoing_request> generate(const std::vector<replica_id>& living, instant now);

  /// Takes what `from` sent to a client. Returns the same request again if the answer is a redirect or a
  /// fail.
  std::optional<outgoing_request> receive(const wire::envelope& message, replica_id from,
                                          const std::vector<replica_id>& living, instant now);

  void forget_leader();
  /// Counts and lists what was never answered.
  void finish(instant start);
  /// What all clients asked for and were told.
  history::operations history() const;

  static bool is_client(replica_id id);

 private:
  struct one_client {
    replica_id id;
    replica_id leader = nobody;
    std::vector<std::string> keys; ///< those with a record, in the order of their first
    std::unordered_map<std::string, std::string> records;
  };
  struct one_request {
    std::size_t client = 0;
    bool is_put = false;
    std::string key;
    std::string value; ///< of a put
    std::uint64_t bounces = 0;
    bool answered = false;             ///< with ok
    std::string mid;                   ///< of its last attempt
    instant asked;                     ///< for the first time
    instant told;                      ///< the answer ok
    std::optional<std::string> read{}; ///< by a get
  };
  enum class attempt_state { open, answered_ok, answered_no };
  /// A request under one of its MIDs.
  struct one_attempt {
    std::size_t request = 0;
    instant sent;
    replica_id asked = nobody;
    attempt_state state = attempt_state::open;
  };

  std::optional<outgoing_request> send(std::size_t request, const std::vector<replica_id>& living,
                                       instant now);
  std::optional<outgoing_request> settle(one_attempt& attempt, const wire::envelope& message, replica_id from,
                                         const std::vector<replica_id>& living, instant now);
  void accept_ok(one_request& request, const wire::envelope& message, replica_id from, instant now);
  void check_value(const one_request& request, const wire::envelope& message, replica_id from, instant now);
  void refuse(misdeed kind, const wire::envelope& message, replica_id from, instant now);
  std::string fresh_mid();

  double mix_;
  random_source random_;
  record& record_;
  std::array<one_client, count> clients_;
  std::vector<one_request> requests_;
  std::unordered_map<std::string, one_attempt> attempts_; ///< by MID
  std::optional<instant> last_ok_;                        ///< or when the first request was sent
};

} // namespace troupe::course
