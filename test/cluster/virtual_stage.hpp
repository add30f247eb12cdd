#pragma once
// A virtual cluster with a network that the test cuts, and a client that it plays.

#include "cluster/virtual_cluster.hpp"
#include "protocol/wire/simulator_codec.hpp"

#include <fmt/format.h>
#include <map>
#include <set>

namespace troupe::test {

using namespace std::chrono_literals;

struct virtual_stage {
  static constexpr duration delay = 50us;
  static constexpr replica_id client{0xC000};

  explicit virtual_stage(std::size_t replicas, std::uint64_t seed = 1, bool durable = false)
      : cluster({.replicas = replicas, .seed = seed, .durable = durable}) {
    cluster.on_send([this](replica_id from, std::string_view bytes) { route(from, bytes); });
    cluster.start_all();
  }

  /// Between replicas. The client reaches everybody.
  void cut(std::set<replica_id> inside) { inside_ = std::move(inside); }
  void heal() { inside_.clear(); }

  /// Runs until somebody leads whom a majority follows, and returns who.
  replica_id elect(duration limit = 5s) {
    const bool elected =
        cluster.run_until([this] { return settled_leader().has_value(); }, cluster.now() + limit);
    return elected ? *settled_leader() : nobody;
  }

  /// Sends a request now and returns its MID.
  std::string put(replica_id to, const std::string& key, const std::string& value) {
    const auto mid = fmt::format("M{}", ++requests_);
    cluster.deliver(to, wire::write_request({client, to, nobody, mid}, kv::put{key, value}),
                    cluster.now() + delay);
    return mid;
  }
  std::string get(replica_id to, const std::string& key) {
    const auto mid = fmt::format("M{}", ++requests_);
    cluster.deliver(to, wire::write_request({client, to, nobody, mid}, kv::get{key}), cluster.now() + delay);
    return mid;
  }
  bool answered(const std::string& mid, duration limit = 5s) {
    return cluster.run_until([&] { return answers.count(mid) > 0; }, cluster.now() + limit);
  }
  bool put_ok(replica_id to, const std::string& key, const std::string& value) {
    const auto mid = put(to, key, value);
    return answered(mid) && answers.find(mid)->second.kind == wire::message_kind::ok;
  }
  /// What a get returned; "?" if it was not answered ok.
  std::string value(replica_id from, const std::string& key) {
    const auto mid = get(from, key);
    if (!answered(mid) || answers.find(mid)->second.kind != wire::message_kind::ok)
      return "?";
    return answers.find(mid)->second.value.value_or("?");
  }

  virtual_cluster cluster;
  std::multimap<std::string, wire::envelope> answers; ///< by MID
  std::vector<std::string> sent;                      ///< with the time, whatever any replica sent

 private:
  bool together(replica_id a, replica_id b) const { return inside_.count(a) == inside_.count(b); }

  void route(replica_id from, std::string_view bytes) {
    sent.push_back(fmt::format("{} {}", cluster.now().since_start.count(), bytes));
    std::string error;
    const auto m = wire::parse_envelope(bytes, error);
    if (m->dst == client)
      answers.emplace(*m->mid, *m);
    else if (m->kind == wire::message_kind::other)
      for (auto id : cluster.ids())
        if (id != from && (m->dst == id || m->dst == nobody) && together(from, id))
          cluster.deliver(id, std::string(bytes), cluster.now() + delay);
  }

  std::optional<replica_id> settled_leader() const {
    const auto leader = cluster.leader();
    std::size_t followers = 0;
    for (auto id : cluster.ids())
      if (leader && cluster.running(id) && cluster.core(id).known_leader() == *leader)
        ++followers;
    return followers > cluster.ids().size() / 2 ? leader : std::nullopt;
  }

  std::set<replica_id> inside_;
  std::size_t requests_ = 0;
};

} // namespace troupe::test
