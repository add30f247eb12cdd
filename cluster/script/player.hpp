#pragma once
// The cluster that a script is played on.

#include "cluster/cluster.hpp"
#include "cluster/script/play.hpp"
#include "protocol/wire/codec.hpp"

#include <map>

namespace troupe::script {

/// A text of replicas or judges with the numbers of scripts in it: `follower of 0000` becomes `follower of
/// 1`.
std::string in_numbers(const std::string& text, std::size_t replicas);

class player {
 public:
  player(const story& s, teller tell);
  std::optional<failure> play();

 private:
  struct mismatch {
    std::string expected;
    std::string actual;
  };
  struct sent_message {
    replica_id from;
    replica_id to;
    peer_message message;
  };
  using held_message = virtual_network::held_message;

  // player.cpp
  void carry_out(const time_out& a);
  void carry_out(const campaign& a);
  void carry_out(const elect& a);
  void carry_out(const change_process& a);
  void carry_out(const cut& a);
  void carry_out(const heal& a);
  void carry_out(const transfer& a);
  void carry_out(const wait& a);
  void carry_out(const run& a);
  void carry_out(const advance& a);
  void carry_out(const deliver& a);
  void carry_out(const drop& a);
  void carry_out(const repeat& a);
  void carry_out(const keep& a);
  void carry_out(const replay& a);
  void carry_out(const count_anew& a);
  void carry_out(const ask& a);
  void carry_out(const ask_again& a);
  void carry_out(const propose& a);

  // expectations.cpp
  void carry_out(const expect_leader& a);
  void carry_out(const expect_property& a);
  void carry_out(const expect_value& a);
  void carry_out(const expect_answer& a);
  void carry_out(const expect_answers& a);
  void carry_out(const expect_messages& a);
  void carry_out(const expect_violation& a);
  std::optional<failure> conclude();

  [[noreturn]] void fail(std::string expected, std::string actual) const;
  failure make_failure(const statement& s, mismatch m);
  void require_running(replica_id id) const;
  std::string value_of(property p, replica_id id) const;
  std::string state();
  std::optional<failure> find_violation(const statement& after);
  bool expects_violation_behind(const statement& s) const;
  std::optional<failure> find_unexpected(const std::vector<std::string>& broken, const statement& s);

  void tell(const std::string& text) const;
  void settle() { cluster_.run_until(cluster_.now()); }
  void let_time_run_out(replica_id id);
  void forget_leader(replica_id id);
  void note(replica_id from, replica_id to, std::string_view bytes, fate f);
  void note_answer(replica_id from, replica_id to, const wire::envelope& answer);
  std::optional<peer_message> try_decode(replica_id to, std::string_view bytes);
  peer_message decode(replica_id to, std::string_view bytes);
  bool is_reachable(const held_message& m);
  /// The numbers of those that match, in the order in which they were sent.
  std::vector<std::uint64_t> find(const selection& s, bool reachable_only);
  /// Fails if a type is named and there is none of it.
  std::vector<std::uint64_t> find_some(const selection& s, bool reachable_only);
  held_message take(std::uint64_t number);
  const held_message& look_at(std::uint64_t number);
  std::string on_the_way();
  void hand_over(const held_message& m);
  void deliver_until_none_is_left(const selection& s, bool backwards);

  const story& story_;
  teller tell_;
  cluster cluster_;
  std::vector<wire::codec> codecs_;               ///< one for each replica
  std::map<std::uint64_t, peer_message> decoded_; ///< what is held, by number
  std::vector<sent_message> sent_;                ///< since it was last counted anew
  std::map<std::string, std::vector<held_message>> kept_;
  std::map<std::string, replica_id> clients_;
  std::map<std::string, request_number> last_request_;      ///< by client
  std::map<std::string, std::vector<std::string>> answers_; ///< by MID
  std::vector<std::string> expected_violations_;
};

} // namespace troupe::script
