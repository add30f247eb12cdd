#pragma once
// The course's world with replicas that a test plays, and a clock that it moves.

#include "cluster/course/world.hpp"
#include "test/cluster/message_support.hpp"

namespace troupe::test {

using namespace troupe::course;
using namespace std::chrono_literals;

inline scenario example() {
  scenario s;
  s.lifetime = 10s;
  s.start_wait = 5s;
  s.end_wait = 2s;
  s.replicas = 5;
  s.requests = 100;
  s.mix = 0.2;
  return s;
}

inline constexpr instant start{100s};

/// Five replicas that say and do what the test says. Replica n is reached at endpoint 1000 + n.
struct stage {
  explicit stage(const scenario& s, std::uint64_t seed = 1) : w(s, seed, start) {}

  void hello(std::uint16_t id) { say(id, message({id}, "FFFF", nobody, "hello")); }
  void hello_all() {
    for (std::uint16_t id = 0; id < 5; ++id)
      hello(id);
  }
  void say(std::uint16_t from, const std::string& bytes) { w.receive(1000u + from, bytes, now, out); }
  /// A message from one replica to another, or to all as FFFF.
  void tell(std::uint16_t from, const std::string& to, replica_id leader = nobody) {
    say(from, message({from}, to, leader, "append"));
  }
  /// Does everything that is due at that time since the start.
  void until(duration since_start) {
    now = start + since_start;
    while (w.advance(now, out)) {
    }
  }
  std::vector<deliver> taken() {
    std::vector<deliver> result;
    for (const auto& a : out)
      if (const auto* d = std::get_if<deliver>(&a))
        result.push_back(*d);
    out.clear();
    return result;
  }
  std::vector<replica_id> receivers() {
    std::vector<replica_id> ids;
    for (const auto& d : taken())
      ids.push_back(d.to);
    return ids;
  }
  std::vector<replica_id> victims() const {
    std::vector<replica_id> ids;
    for (const auto& a : out)
      if (const auto* k = std::get_if<kill>(&a))
        ids.push_back(k->victim);
    return ids;
  }
  bool complained(replica_id who, misdeed kind) const { return w.complaints().count({who, kind}) > 0; }

  world w;
  instant now = start;
  action_list out;
};

inline scenario with_events(std::vector<event> events) {
  auto s = example();
  s.events = std::move(events);
  return s;
}

} // namespace troupe::test
