#pragma once
// A router alone on a stage, and short words for what it hears and says.

#include "actors/router.hpp"
#include "test/support/stage.hpp"

#include <fmt/format.h>

namespace troupe::test {

using namespace troupe::actors;

inline client_request put_of(const std::string& mid, const std::string& value = "v") {
  return {{"00F1", mid}, kv::put{"k", value}};
}
inline client_request get_of(const std::string& mid) { return {{"00F1", mid}, kv::get{"k"}}; }

inline raft::entry_ptr entry_of(const client_request& r, std::uint64_t index, std::uint64_t term) {
  return std::make_shared<raft::entry>(
      raft::entry{{term}, {index}, kv::command{r.id, std::get<kv::put>(r.operation)}, 100});
}

/// Answers in the order in which they left, in short: `ok m`, `ok m=value`, `redirect m to 0001`, `fail m`.
inline std::string in_short(const client_answer& a) {
  if (const auto* ok = std::get_if<client_ok>(&a.reply))
    return fmt::format("ok {}{}", ok->id.mid, ok->value ? "=" + *ok->value : "");
  if (const auto* redirect = std::get_if<client_redirect>(&a.reply))
    return fmt::format("redirect {} to {}", redirect->id.mid, to_string(redirect->leader));
  return fmt::format("fail {}", std::get<client_fail>(a.reply).id.mid);
}

using answers_in_short = std::vector<std::string>;

struct router_stage : stage {
  explicit router_stage(router_options o = {}) : actor(put<router>(&rooms::router, self, o, host())) {}

  router& actor;

  void asks(client_request r) { tell(rooms().router, std::move(r)); }
  void leads(replica_id leader, std::uint64_t term = 1) {
    const auto role = leader == self ? raft::role_kind::leader : raft::role_kind::follower;
    tell(rooms().router, standing_changed{{role, {term}, leader}});
  }
  void commits(std::vector<raft::entry_ptr> entries, bool answer = true) {
    tell(rooms().router, committed{std::move(entries), answer});
  }
  void outcome(const std::string& mid, std::uint64_t index, std::uint64_t term) {
    tell(rooms().router, outcomes{{{{"00F1", mid}, {index}, {term}, raft::refusal::none}}});
  }
  void refuses(const std::string& mid, raft::refusal why) {
    tell(rooms().router, outcomes{{{{"00F1", mid}, {}, {}, why}}});
  }
  void lives(replica_id leader) { tell(rooms().router, leader_heard{leader}); }
  void may_read(std::uint64_t id, instant until = never) { tell(rooms().router, reads_ready{{{id, until}}}); }
  /// Proposed, and at (index, term) of this leader's log.
  void has_in_log(const client_request& r, std::uint64_t index, std::uint64_t term) {
    asks(r);
    CHECK(only<propose>().proposals.at(0).command.id == r.id);
    outcome(r.id.mid, index, term);
  }

  answers_in_short answers() {
    answers_in_short list;
    for (const auto& a : heard<client_answer>())
      list.push_back(in_short(a));
    return list;
  }
  std::size_t nothing_waits() { return actor.parked() + actor.waiting() == 0; }
};

} // namespace troupe::test
