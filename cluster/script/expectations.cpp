// What a script expects, and what there is instead.

#include "cluster/script/player.hpp"

#include <algorithm>
#include <array>
#include <fmt/ranges.h>

namespace troupe::script {

namespace {

std::string spell_leader(replica_id id) { return id == nobody ? "nobody" : std::to_string(number_of(id)); }

std::string spell_log(const raft::log& log) {
  std::string text = log.base_index().value ? fmt::format("[{}]", log.base_index().value) : "";
  for (auto i = log.first_index(); i <= log.last_index(); ++i)
    text += fmt::format("{}{}", text.empty() ? "" : " ", log.at(i)->term.value);
  return text;
}

std::string_view name_of(property p) {
  static constexpr std::array<std::string_view, 6> names{"role", "term", "vote", "leader", "log", "commit"};
  return names[static_cast<std::size_t>(p)];
}

std::string shown(const std::string& text) { return text.empty() ? "(empty)" : text; }

} // namespace

std::string describe(const failure& f, const std::string& origin) {
  return fmt::format("{}:{}: {}\n  expected: {}\n  actual:   {}\n{}", origin, f.line, f.statement, f.expected,
                     f.actual, f.state);
}

void player::fail(std::string expected, std::string actual) const {
  throw mismatch{std::move(expected), std::move(actual)};
}

failure player::make_failure(const statement& s, mismatch m) {
  return {s.line, s.text, std::move(m.expected), std::move(m.actual), state()};
}

/// All that a reader needs to see what went wrong.
std::string player::state() {
  std::string text;
  for (auto id : cluster_.ids()) {
    text += fmt::format("  {}: ", number_of(id));
    if (!cluster_.running(id)) {
      text += "does not run\n";
      continue;
    }
    text +=
        fmt::format("{} in term {}, vote {}, leader {}, commit {}, log {}{}\n", value_of(property::role, id),
                    value_of(property::term, id), value_of(property::vote, id),
                    value_of(property::follows, id), value_of(property::commit, id),
                    shown(value_of(property::log, id)), cluster_.paused(id) ? ", paused" : "");
  }
  return fmt::format("{}  on the way: {}\n", text, on_the_way());
}

std::string player::value_of(property p, replica_id id) const {
  static constexpr std::array roles{"follower", "pre_candidate", "candidate", "leader"};
  const auto& core = cluster_.core(id);
  switch (p) {
  case property::role:
    return roles[static_cast<std::size_t>(core.role())];
  case property::term:
    return std::to_string(core.term().value);
  case property::vote:
    return spell_leader(core.voted_for());
  case property::follows:
    return spell_leader(core.known_leader());
  case property::log:
    return spell_log(core.log());
  case property::commit:
    return std::to_string(core.commit_index().value);
  }
  return "";
}

// ---- expectations
// --------------------------------------------------------------------------------------------

void player::carry_out(const expect_leader& a) {
  const auto leader = cluster_.leader().value_or(nobody);
  if (leader != a.leader)
    fail(a.leader == nobody ? "no leader" : fmt::format("{} leads", number_of(a.leader)),
         fmt::format("{} leads", spell_leader(leader)));
}

void player::carry_out(const expect_property& a) {
  if (a.same_as)
    require_running(*a.same_as);
  const auto expected = a.same_as ? value_of(a.property, *a.same_as) : a.value;
  for (auto id : a.replicas) {
    require_running(id);
    if (const auto actual = value_of(a.property, id); actual != expected)
      fail(fmt::format("{} of {}: {}", name_of(a.property), number_of(id), shown(expected)),
           fmt::format("{} of {}: {}", name_of(a.property), number_of(id), shown(actual)));
  }
}

void player::carry_out(const expect_value& a) {
  for (auto id : a.replicas) {
    require_running(id);
    if (const auto actual = cluster_.state(id).get(a.key); actual != a.value)
      fail(fmt::format("{} = {} at {}", a.key, in_quotes(a.value), number_of(id)),
           fmt::format("{} = {} at {}", a.key, in_quotes(actual), number_of(id)));
  }
}

void player::carry_out(const expect_answer& a) {
  const auto& answers = answers_[cluster_.request(last_request_.at(a.client)).mid];
  const auto actual = answers.empty() ? "none" : answers.back();
  if (actual != a.answer)
    fail(fmt::format("answer to {}: {}", a.client, a.answer),
         fmt::format("answer to {}: {}", a.client, actual));
}

void player::carry_out(const expect_answers& a) {
  const auto& answers = answers_[cluster_.request(last_request_.at(a.client)).mid];
  if (answers.size() != a.count)
    fail(fmt::format("{} answers to {}", a.count, a.client),
         fmt::format("{} answers to {}{}{}", answers.size(), a.client, answers.empty() ? "" : ": ",
                     fmt::join(answers, ", ")));
}

void player::carry_out(const expect_messages& a) {
  if (!a.sent) {
    const auto found = find(a.messages, false).size();
    if (found != a.count)
      fail(fmt::format("{} such messages on the way", a.count),
           fmt::format("{} such messages; {}", found, on_the_way()));
    return;
  }
  const auto found = static_cast<std::uint64_t>(std::count_if(sent_.begin(), sent_.end(), [&](const auto& m) {
    return a.messages.matches(m.from, m.to, m.message);
  }));
  if (found != a.count)
    fail(fmt::format("{} such messages sent", a.count), fmt::format("{} such messages sent", found));
}

// ---- rules
// -----------------------------------------------------------------------------------------------------

void player::carry_out(const expect_violation& a) {
  const auto broken = cluster_.verify();
  const bool found = std::any_of(broken.begin(), broken.end(),
                                 [&](const std::string& what) { return what.find(a.text) != what.npos; });
  if (!found)
    fail(fmt::format("a broken rule: {}", a.text),
         broken.empty() ? "no rule was broken"
                        : in_numbers(fmt::format("{}", fmt::join(broken, "; ")), cluster_.ids().size()));
  expected_violations_.push_back(a.text);
}

/// Rules that are broken are reported where it happens, unless the script goes on to say so.
std::optional<failure> player::find_violation(const statement& after) {
  if (cluster_.violations().empty() || expects_violation_behind(after))
    return std::nullopt;
  return find_unexpected(cluster_.violations(), after);
}

bool player::expects_violation_behind(const statement& s) const {
  return std::any_of(story_.statements.begin(), story_.statements.end(), [&s](const statement& other) {
    return other.line > s.line && std::holds_alternative<expect_violation>(other.action);
  });
}

std::optional<failure> player::find_unexpected(const std::vector<std::string>& broken, const statement& s) {
  for (const auto& what : broken)
    if (std::none_of(expected_violations_.begin(), expected_violations_.end(),
                     [&](const std::string& text) { return what.find(text) != what.npos; }))
      return make_failure(s, {"no rule of Raft is broken", in_numbers(what, cluster_.ids().size())});
  return std::nullopt;
}

std::optional<failure> player::conclude() {
  static const statement end{0, "", heal{}};
  return find_unexpected(cluster_.verify(), story_.statements.empty() ? end : story_.statements.back());
}

// ---- the whole of it
// -----------------------------------------------------------------------------------------

std::optional<failure> play(const story& s, const teller& tell) { return player(s, tell).play(); }

} // namespace troupe::script
