#include "cluster/trace/judge.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace troupe::trace {

namespace {

constexpr std::string_view nobody_text = "FFFF";

/// An entry as somebody's storage or state machine got it.
struct seen_entry {
  std::uint64_t term = 0;
  std::string payload;
  const record* where = nullptr;
};

/// What a change is compared with.
struct standing {
  std::optional<std::uint64_t> term;
  std::string role;
  std::uint64_t last_index = 0;
  const record* changed = nullptr;
};

/// One replica, from a start to the end of that process.
struct replica_state : standing {
  std::string voted_for;
  std::uint64_t commit = 0;
  std::int64_t lease_until = 0;
  const record* lease_from = nullptr;
  std::optional<std::uint64_t> applied;       ///< nothing is known before the first entry
  std::map<std::uint64_t, std::uint64_t> log; ///< index -> term, of what was written
  std::size_t committed_before = 0;           ///< when it began to lead
};

class judge {
 public:
  std::optional<finding> run(const story& s) {
    for (const auto& r : s.records()) {
      take(r);
      if (found_)
        return std::move(found_);
    }
    return std::nullopt;
  }

 private:
  void take(const record& r) {
    if (r.event == "violation")
      return find(fmt::format("the run itself has found: {}", r.text), {&r});
    if (r.event == "start")
      return begin_life(r.replica);
    if (r.event == "crash")
      states_[r.replica].lease_until = 0;
    if (r.kind != event_kind::message)
      return;
    if (!r.raft.empty())
      change(r, parse(r.raft));
    if (r.type == "write" && r.to == "log_store")
      write(r, parse(r.content)["what"]);
    if (r.type == "committed" && r.to == "router")
      commit(r, parse(r.content)["entries"]);
    if (r.type == "install_snapshot" && r.to == "router")
      states_[r.replica].applied = parse(r.content)["snapshot"]["last_index"].number();
  }

  void find(std::string what, std::vector<const record*> events) {
    if (!found_)
      found_ = finding{std::move(what), std::move(events)};
  }

  /// What is stored stays; what was only in memory begins anew.
  void begin_life(const std::string& replica) {
    auto& s = states_[replica];
    auto log = std::move(s.log);
    s = {};
    s.log = std::move(log);
  }

  // ---- raft's state

  void change(const record& r, const value& now) {
    auto& s = states_[r.replica];
    const standing before = s; // not its log, which may be long
    const auto term = now.has("term") ? now["term"].number() : s.term.value_or(0);
    if (s.term && term < *s.term)
      find(fmt::format("terms never go back: {} goes from term {} to {}", r.replica, *s.term, term),
           {s.changed, &r});
    if (now.has("voted_for")) {
      const auto& vote = now["voted_for"].text;
      if (s.term == term && !s.voted_for.empty() && s.voted_for != nobody_text && vote != s.voted_for)
        find(fmt::format("a vote stands for its whole term: in term {} {} votes for {} and then for {}", term,
                         r.replica, s.voted_for, vote),
             {s.changed, &r});
      s.voted_for = vote;
    }
    if (now.has("role"))
      s.role = now["role"].text;
    s.term = term;
    if (now.has("commit")) {
      const auto commit = now["commit"].number();
      if (commit < s.commit)
        find(fmt::format("commits never go back: {} goes from {} to {}", r.replica, s.commit, commit),
             {s.changed, &r});
      s.commit = commit;
    }
    if (now.has("last_index"))
      s.last_index = now["last_index"].number();
    if (s.role == "leader")
      lead(r, s, before);
    if (now.has("lease_until"))
      hold_lease(r, s, static_cast<std::int64_t>(now["lease_until"].number()));
    s.changed = &r;
  }

  void lead(const record& r, replica_state& s, const standing& before) {
    const auto [first, is_new] = leaders_.try_emplace(*s.term, &r);
    if (!is_new && first->second->replica != r.replica)
      find(fmt::format("election safety: {} and {} both lead term {}", first->second->replica, r.replica,
                       *s.term),
           {first->second, &r});
    if (before.role == "leader" && before.term == s.term && s.last_index < before.last_index)
      find(fmt::format("a leader only appends: {} leads term {}, and its log goes back from {} to {}",
                       r.replica, *s.term, before.last_index, s.last_index),
           {before.changed, &r});
    if (is_new)
      s.committed_before = order_.size();
  }

  void hold_lease(const record& r, replica_state& s, std::int64_t until) {
    s.lease_until = until;
    s.lease_from = &r;
    if (until <= r.begin)
      return;
    for (const auto& [id, other] : states_)
      if (id != r.replica && other.lease_until > r.begin)
        find(fmt::format("one lease holder at a time: {} holds a lease for {} us more, {} for {} us",
                         r.replica, (until - r.begin) / 1000, id, (other.lease_until - r.begin) / 1000),
             {other.lease_from, &r});
  }

  // ---- logs

  void write(const record& r, const value& what) {
    auto& s = states_[r.replica];
    if (what.has("snapshot")) {
      const auto last = what["snapshot"]["last_index"].number();
      s.log.erase(s.log.begin(), s.log.upper_bound(last));
      s.log[last] = what["snapshot"]["last_term"].number();
    }
    if (what.has("truncate_behind"))
      s.log.erase(s.log.upper_bound(what["truncate_behind"].number()), s.log.end());
    for (const auto& e : what["entries"].items) {
      const auto index = e["index"].number();
      const auto term = e["term"].number();
      match(r, s, e, index, term);
      s.log.erase(s.log.lower_bound(index), s.log.end());
      s.log[index] = term;
      if (e["payload"]["type"].text == "no_op" && s.role == "leader" && s.term == term)
        complete(r, s);
    }
  }

  /// Two logs that share an entry share all before it: so an entry always follows the same one.
  void match(const record& r, const replica_state& s, const value& e, std::uint64_t index,
             std::uint64_t term) {
    const auto before = s.log.find(index - 1);
    const auto payload = e["payload"].print();
    const auto [first, is_new] = entries_.try_emplace({index, term}, seen_entry{0, payload, &r});
    if (!is_new && first->second.payload != payload)
      find(fmt::format("log matching: entry {} of term {} is {} at {} and {} at {}", index, term,
                       first->second.payload, first->second.where->replica, payload, r.replica),
           {first->second.where, &r});
    if (before == s.log.end())
      return;
    const auto [known, is_first] = predecessors_.try_emplace({index, term}, std::pair(before->second, &r));
    if (!is_first && known->second.first != before->second)
      find(fmt::format(
               "log matching: entry {} of term {} follows one of term {} at {} and one of term {} at {}",
               index, term, known->second.first, known->second.second->replica, before->second, r.replica),
           {known->second.second, &r});
  }

  /// The first entry of a leader is stored: with it stands all that it began to lead with.
  void complete(const record& r, const replica_state& s) {
    for (std::size_t i = 0; i < s.committed_before; ++i) {
      const auto index = order_[i];
      const auto& entry = committed_[index];
      const auto mine = s.log.find(index);
      const bool in_snapshot = mine == s.log.end() && !s.log.empty() && index < s.log.begin()->first;
      if (committed_in_[index] < *s.term && !in_snapshot &&
          (mine == s.log.end() || mine->second != entry.term))
        find(fmt::format(
                 "leader completeness: {} leads term {} without entry {} of term {}, which was committed "
                 "in term {}",
                 r.replica, *s.term, index, entry.term, committed_in_[index]),
             {entry.where, &r});
    }
  }

  void commit(const record& r, const value& entries) {
    auto& s = states_[r.replica];
    for (const auto& e : entries.items) {
      const auto index = e["index"].number();
      const seen_entry entry{e["term"].number(), e["payload"].print(), &r};
      if (s.applied && index != *s.applied + 1)
        find(fmt::format("entries are applied once and in order: {} applies {} behind {}", r.replica, index,
                         *s.applied),
             {&r});
      s.applied = index;
      const auto [first, is_new] = committed_.try_emplace(index, entry);
      if (!is_new && (first->second.term != entry.term || first->second.payload != entry.payload))
        find(fmt::format("state machine safety: entry {} is {} of term {} at {} and {} of term {} at {}",
                         index, first->second.payload, first->second.term, first->second.where->replica,
                         entry.payload, entry.term, r.replica),
             {first->second.where, &r});
      if (is_new) {
        order_.push_back(index);
        committed_in_[index] = s.term.value_or(UINT64_MAX);
      }
    }
  }

  std::optional<finding> found_;
  std::map<std::string, replica_state> states_;
  std::map<std::uint64_t, const record*> leaders_;                        ///< by term
  std::map<std::pair<std::uint64_t, std::uint64_t>, seen_entry> entries_; ///< by index and term
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::pair<std::uint64_t, const record*>> predecessors_;
  std::map<std::uint64_t, seen_entry> committed_;
  std::map<std::uint64_t, std::uint64_t> committed_in_; ///< the term of who was the first to show it
  std::vector<std::uint64_t> order_;                    ///< of the commits
};

} // namespace

std::optional<finding> find_violation(const story& s) { return judge().run(s); }

} // namespace troupe::trace
