#include "protocol/raft/invariants.hpp"

#include <fmt/format.h>

namespace troupe::raft {

namespace {

std::string describe(const core& c) {
  static constexpr const char* names[] = {"follower", "pre-candidate", "candidate", "leader"};
  return fmt::format("{} ({}, term {}, log {}..{} of term {}, commit {})", to_string(c.self()),
                     names[static_cast<int>(c.role())], c.term().value, c.log().first_index().value,
                     c.log().last_index().value, c.log().last_term().value, c.commit_index().value);
}

} // namespace

std::optional<std::string> find_violation(const core& c) {
  const auto broken = [&](std::string_view rule) { return fmt::format("{}: {}", rule, describe(c)); };
  if (c.commit_index() > c.log().last_index())
    return broken("what is committed must be in the log");
  if (c.commit_index() < c.log().base_index())
    return broken("only what is committed may be compacted");
  if (c.stored_index() > c.log().last_index())
    return broken("what is stored must be in the log");
  if (c.log().last_term() > c.term())
    return broken("no entry may be of a later term than its replica");
  const auto* l = c.as_leader();
  if (!l)
    return std::nullopt;
  if (c.voted_for() != c.self())
    return broken("a leader has voted for itself");
  for (const auto& p : l->followers) {
    if (p.next <= p.match)
      return broken(
          fmt::format("next is above match: {} and {} of {}", p.next.value, p.match.value, to_string(p.id)));
    if (p.match > c.log().last_index())
      return broken(fmt::format("{} cannot hold more than its leader", to_string(p.id)));
    if (p.flights.size() > c.settings().window_messages)
      return broken(fmt::format("more than the window is on its way to {}", to_string(p.id)));
  }
  if (l->reads.size() > c.settings().max_waiting_reads)
    return broken("more reads wait than may");
  return std::nullopt;
}

std::optional<std::string> observer::observe(const core& c, const effects& e) {
  auto& before = seen_[c.self()];
  auto found = find_violation(c);
  if (!found)
    found = check_progress(c, e, before);
  if (!found)
    found = check_committed(c, e);
  if (!found)
    found = check_leader(c, before);
  if (!found)
    found = check_numbers(c, e.send_now);
  if (!found)
    found = check_numbers(c, e.send_once_stored);
  started(c);
  return found;
}

void observer::started(const core& c) {
  auto& known = seen_[c.self()];
  known = {c.term(), c.voted_for(), c.commit_index(), c.role(), c.log().last_index(), {}};
  if (const auto* l = c.as_leader())
    for (const auto& p : l->followers)
      known.match[p.id] = p.match;
}

std::optional<std::string> observer::check_progress(const core& c, const effects& e,
                                                    const seen& before) const {
  if (c.term() < before.term)
    return fmt::format("terms never go back: {} was in term {}", describe(c), before.term.value);
  if (c.commit_index() < before.commit)
    return fmt::format("commit never goes back: {} had committed {}", describe(c), before.commit.value);
  auto next = (e.install ? e.install->last_index : before.commit) + 1;
  for (const auto& entry : e.committed) {
    if (entry->index != next)
      return fmt::format("applied exactly once and in order: {} hands on entry {} where {} is next",
                         describe(c), entry->index.value, next.value);
    ++next;
  }
  if (c.term() == before.term && before.voted_for != nobody && c.voted_for() != before.voted_for)
    return fmt::format("a vote stands for its whole term: {} had voted for {} and now for {}", describe(c),
                       to_string(before.voted_for), to_string(c.voted_for()));
  if (before.role == role_kind::leader && c.role() == role_kind::leader && c.term() == before.term &&
      c.log().last_index() < before.last_index)
    return fmt::format("a leader only appends: the log of {} ended at {}", describe(c),
                       before.last_index.value);
  if (before.role == role_kind::leader && c.role() == role_kind::leader && c.term() == before.term)
    for (const auto& p : c.as_leader()->followers)
      if (const auto known = before.match.find(p.id); known != before.match.end() && p.match < known->second)
        return fmt::format("match only grows: {} knew {} to hold {} entries and now {}", describe(c),
                           to_string(p.id), known->second.value, p.match.value);
  return std::nullopt;
}

/// State machine safety: no two replicas apply different entries at an index (section 5.4.3).
std::optional<std::string> observer::check_committed(const core& c, const effects& e) {
  for (const auto& entry : e.committed) {
    const auto position = entry->index.value - 1;
    if (committed_.size() <= position) {
      committed_.resize(position + 1);
      committed_in_.resize(position + 1);
    }
    auto& first = committed_[position];
    if (!first) {
      first = entry;
      committed_in_[position] = c.term();
    } else if (first != entry && !(*first == *entry))
      return fmt::format(
          "state machine safety: {} commits an entry of term {} at index {}, where one of term {} was "
          "committed before",
          describe(c), entry->term.value, entry->index.value, first->term.value);
  }
  return std::nullopt;
}

std::optional<std::string> observer::check_leader(const core& c, const seen& before) {
  if (c.role() != role_kind::leader)
    return std::nullopt;
  // Whoever elects itself alone leads from when that is stored; before, it says nothing to anybody.
  if (c.active_configuration().voters.size() == 1 && c.stored_index() < c.as_leader()->term_start)
    return std::nullopt;
  const auto [known, is_new] = leaders_.emplace(c.term(), c.self());
  if (!is_new && known->second != c.self())
    return fmt::format("election safety: {} leads in the term of {}", describe(c), to_string(known->second));
  if (before.role == role_kind::leader && before.term == c.term())
    return std::nullopt;
  for (auto index = c.log().first_index(); index.value <= committed_.size(); ++index) {
    const auto& entry = committed_[index.value - 1];
    // The votes may have been on their way for so long that a later leader has committed more by now.
    if (entry && committed_in_[index.value - 1] < c.term() && c.log().term_at(index) != entry->term)
      return fmt::format("leader completeness: {} lacks the entry of term {} that was committed at index {}",
                         describe(c), entry->term.value, index.value);
  }
  return std::nullopt;
}

/// An answer confirms a message to its leader, for its lease, its reads and its quorum (D 6.2, D 6.4). So it
/// must not name one that this leader has not sent in this term.
std::optional<std::string> observer::check_numbers(const core& c, const std::vector<outgoing>& messages) {
  std::optional<std::string> found;
  for (const auto& [to, message] : messages)
    std::visit(
        [&, to = to](const auto& m) {
          using type = std::decay_t<decltype(m)>;
          if constexpr (std::is_same_v<type, append_request> || std::is_same_v<type, snapshot_piece>) {
            sent_[{c.self(), to}] = {m.term, m.sequence};
          } else if constexpr (std::is_same_v<type, append_accepted> ||
                               std::is_same_v<type, append_rejected> ||
                               std::is_same_v<type, snapshot_reply>) {
            if (m.sequence != sequence_number{} &&
                sent_[{to, c.self()}] < number_of_message{m.term, m.sequence})
              found =
                  fmt::format("an answer names a message of its term: {} answers {} in term {} as number {}",
                              describe(c), to_string(to), m.term.value, m.sequence.value);
          }
        },
        message);
  return found;
}

std::optional<std::string> observer::compare_logs(const core& a, const core& b) {
  const auto first = std::max(a.log().first_index(), b.log().first_index());
  bool matched = false;
  for (auto index = std::min(a.log().last_index(), b.log().last_index()); index >= first; index = index - 1) {
    const auto& in_a = a.log().at(index);
    const auto& in_b = b.log().at(index);
    if (in_a == in_b) {
      matched = true;
      continue;
    }
    if (in_a->term == in_b->term && !(*in_a == *in_b))
      return fmt::format("log matching: {} and {} hold different entries of term {} at index {}", describe(a),
                         describe(b), in_a->term.value, index.value);
    if (matched && in_a->term != in_b->term)
      return fmt::format("log matching: {} and {} agree behind index {} but not there", describe(a),
                         describe(b), index.value);
    matched = matched || in_a->term == in_b->term;
  }
  return std::nullopt;
}

} // namespace troupe::raft
