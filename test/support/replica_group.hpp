#pragma once
// Whole replicas in one process, each with an actor system of its own in virtual time. What they send is
// carried by hand.

#include "actors/loop.hpp"
#include "actors/memory_storage.hpp"
#include "actors/replica.hpp"
#include "protocol/kv/command.hpp"

#include <fmt/format.h>

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::test {

/// The text of a field of a message, without its quotes.
inline std::string field_of(std::string_view message, std::string_view name) {
  const auto key = fmt::format("\"{}\":", name);
  auto start = message.find(key);
  if (start == message.npos)
    return "";
  start += key.size();
  const bool quoted = message[start] == '"';
  if (quoted)
    ++start;
  return std::string(message.substr(start, message.find_first_of(quoted ? "\"" : ",}]", start) - start));
}

inline std::string get_message(std::string_view to, std::string_view mid, std::string_view key) {
  return fmt::format(R"({{"src":"00F1","dst":"{}","leader":"FFFF","type":"get","MID":"{}","key":"{}"}})", to,
                     mid, key);
}

inline std::string put_message(std::string_view to, std::string_view mid, std::string_view key,
                               std::string_view value) {
  return fmt::format(
      R"({{"src":"00F1","dst":"{}","leader":"FFFF","type":"put","MID":"{}","key":"{}","value":"{}"}})", to,
      mid, key, value);
}

class replica_group {
 public:
  explicit replica_group(std::size_t size, actors::router_options router = {}) {
    for (std::size_t i = 0; i < size; ++i)
      ids_.push_back(fmt::format("{:04X}", i));
    for (std::size_t i = 0; i < size; ++i)
      members_.push_back(std::make_unique<member>(*this, i, router));
    settle();
  }

  /// Lets time pass, and carries what is said, until nothing is on its way.
  void advance(duration d) {
    using namespace std::chrono_literals;
    for (duration step = 1ms; d > duration::zero(); d -= step) {
      for (auto& m : members_)
        if (m->alive)
          m->system.scheduler().run_until(m->system.scheduler().now() + std::min(step, d));
      settle();
    }
  }

  /// From a client to the replica that it is for.
  void ask(const std::string& message) {
    on_the_way_.push_back(message);
    settle();
  }

  /// The same, but nothing that other replicas say reaches this one meanwhile.
  void ask_and_lose_answers(const std::string& message) {
    const auto asked = field_of(message, "dst");
    deaf_ = asked;
    on_the_way_.push_back(message);
    settle();
    deaf_.clear();
  }

  /// What clients were told since the last time.
  std::vector<std::string> answers() { return std::exchange(answers_, {}); }

  /// Its messages, and those to it, are lost from now on; its actors live on.
  void cut(const std::string& id) { cut_.insert(id); }
  void heal() { cut_.clear(); }
  /// Ends its actors in the middle of what they do.
  void kill(const std::string& id) {
    auto& m = of(id);
    m.alive = false;
    m.self.reset();
    m.system.scheduler().run_jobs();
  }

  /// Whom most of the living name as their leader; empty if nobody is named by more than half of all.
  std::string leader() const {
    for (const auto& id : ids_) {
      std::size_t count = 0;
      for (const auto& m : members_)
        count += m->alive && !cut_.contains(m->id) && m->named_leader == id ? 1 : 0;
      if (2 * count > ids_.size())
        return id;
    }
    return "";
  }
  std::string other_than(const std::string& id) const {
    for (const auto& m : members_)
      if (m->alive && m->id != id && !cut_.contains(m->id))
        return m->id;
    return "";
  }

  std::size_t between_replicas = 0;
  std::vector<std::string> stops;
  std::vector<std::string> hellos;

 private:
  struct member : actors::edge {
    member(replica_group& g, std::size_t index, const actors::router_options& router)
        : group(g), id(g.ids_[index]) {
      auto peers = g.ids_;
      peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(index));
      raft::options raft;
      raft.seed = index + 1;
      actors::host host{[](actors::log_level, const std::string&) {},
                        [&g](const std::string& why) { g.stops.push_back(why); }};
      self = std::make_unique<actors::replica>(
          system.system(),
          actors::replica_setup{wire::directory(id, peers), {}, raft, router, this, &disk, host, nullptr});
    }
    void send(std::string_view message) override {
      if (alive)
        group.on_the_way_.emplace_back(message);
    }

    replica_group& group;
    std::string id;
    bool alive = true;
    std::string named_leader;
    actors::memory_storage disk;
    actors::loop_system system{actors::time_source::virtual_time};
    std::unique_ptr<actors::replica> self;
  };

  member& of(const std::string& id) {
    return *members_[static_cast<std::size_t>(std::stoul(id, nullptr, 16))];
  }
  bool is_replica(const std::string& id) const {
    return std::find(ids_.begin(), ids_.end(), id) != ids_.end();
  }

  void settle() {
    for (auto& m : members_)
      if (m->alive)
        m->system.scheduler().run_jobs();
    while (!on_the_way_.empty()) {
      const auto message = std::move(on_the_way_.front());
      on_the_way_.pop_front();
      deliver(message);
    }
  }

  void deliver(const std::string& message) {
    const auto from = field_of(message, "src");
    const auto to = field_of(message, "dst");
    if (is_replica(from))
      of(from).named_leader = field_of(message, "leader");
    if (to == "FFFF")
      return hellos.push_back(message);
    if (!is_replica(to))
      return answers_.push_back(message);
    const bool lost = is_replica(from) && (cut_.contains(from) || cut_.contains(to) || to == deaf_);
    between_replicas += is_replica(from) ? 1 : 0;
    auto& m = of(to);
    if (lost || !m.alive)
      return;
    m.self->receive(message);
    m.system.scheduler().run_jobs();
  }

  std::vector<std::string> ids_;
  std::deque<std::string> on_the_way_;
  std::vector<std::string> answers_;
  std::set<std::string> cut_;
  std::string deaf_; ///< hears no replica
  std::vector<std::unique_ptr<member>> members_;
};

} // namespace troupe::test
