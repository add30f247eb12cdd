#pragma once
// The network between replicas, and between them and clients, in virtual time: each direction of each link
// loses, repeats, delays, reorders, throttles and cuts on its own.

#include "cluster/course/random_source.hpp"
#include "protocol/types.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// How messages fare on one direction of a link.
struct link_quality {
  double loss = 0;   ///< the probability that a message is lost, 0 to 1
  double repeat = 0; ///< the probability that it arrives twice
  /// How long a message is on its way: at least, and by chance up to so much more. What is sent later
  /// overtakes it by chance, too.
  duration delay = std::chrono::microseconds(20);
  duration jitter = std::chrono::microseconds(20);
  double late = 0;             ///< the probability that a message is held up
  duration late_by{0};         ///< for at most so long
  std::uint64_t bandwidth = 0; ///< bytes a second, one message after the other; 0: no bound
};

/// Where clients' ids begin.
inline constexpr replica_id first_client{0xC000};
constexpr bool is_client(replica_id id) { return id >= first_client && id != nobody; }

/// What becomes of a message.
enum class fate { sent, lost, repeated, cut, held };

/// `sent`, `lost` and so on.
std::string_view to_string(fate f);

/// Decides about messages; whoever owns it carries them.
class virtual_network {
 public:
  /// Called for each copy that arrives, when it is sent.
  using carry = std::function<void(replica_id from, replica_id to, std::string bytes, instant arrival)>;
  /// Told what becomes of each message.
  using watch = std::function<void(replica_id from, replica_id to, std::string_view bytes, fate)>;

  virtual_network(course::random_source random, carry c) : random_(std::move(random)), carry_(std::move(c)) {}
  void on_fate(watch w) { watch_ = std::move(w); }

  /// For all links between replicas that have no quality of their own, and for those from and to clients.
  void set_quality(link_quality q) { quality_ = q; }
  void set_client_quality(link_quality q) { client_quality_ = q; }
  /// For one link in one direction; nothing takes its own quality away.
  void set_quality(replica_id from, replica_id to, std::optional<link_quality> q) {
    links_[{from, to}].own = q;
  }
  const link_quality& quality(replica_id from, replica_id to) const;

  /// From now on nothing that `from` sends reaches `to`.
  void cut_one_way(replica_id from, replica_id to) { cuts_.emplace(from, to); }
  void cut(replica_id a, replica_id b);
  /// Nothing passes between one of `inside` and one of `outside`.
  void cut(const std::vector<replica_id>& inside, const std::vector<replica_id>& outside);
  void mend_one_way(replica_id from, replica_id to) { cuts_.erase({from, to}); }
  void mend(replica_id a, replica_id b);
  /// All cuts end.
  void heal() { cuts_.clear(); }
  bool is_cut(replica_id from, replica_id to) const { return cuts_.contains({from, to}); }

  void send(replica_id from, replica_id to, std::string_view bytes, instant now);

  // ---- by hand

  struct held_message {
    std::uint64_t number = 0; ///< counts what is sent, from 1
    replica_id from;
    replica_id to;
    std::string bytes;
  };
  /// While it holds, whatever gets on its way stays there until it is let go; what clients send and are sent
  /// goes on by itself if they are left out.
  void hold(bool on, bool clients_too = true) {
    holding_ = on;
    holding_clients_ = on && clients_too;
  }
  const std::vector<held_message>& held() const { return held_; }
  /// Takes a message off the way. Precondition: it is there.
  held_message take(std::uint64_t number);

 private:
  struct link {
    std::optional<link_quality> own;
    instant busy_until{}; ///< by what was sent before, where bandwidth is bounded
  };
  void tell(replica_id from, replica_id to, std::string_view bytes, fate f) {
    if (watch_)
      watch_(from, to, bytes, f);
  }
  instant arrival(link& l, const link_quality& q, std::size_t bytes, instant now);

  course::random_source random_;
  carry carry_;
  watch watch_;
  link_quality quality_;
  link_quality client_quality_;
  std::map<std::pair<replica_id, replica_id>, link> links_;
  std::set<std::pair<replica_id, replica_id>> cuts_;
  bool holding_ = false;
  bool holding_clients_ = false;
  std::uint64_t sent_ = 0;
  std::vector<held_message> held_;
};

} // namespace troupe
