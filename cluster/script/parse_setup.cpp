// What stands between `start` and the first statement.

#include "cluster/script/parser.hpp"

#include <algorithm>
#include <array>

namespace troupe::script {

namespace {

constexpr std::size_t most_entries = 10'000;
constexpr std::uint64_t highest_term = 1'000'000'000;
constexpr std::uint64_t most_bytes = 1 << 30;

void read_log(reader& r, setup& into) {
  const auto ids = r.replicas();
  r.require(":");
  std::vector<std::uint64_t> terms;
  while (!r.done()) {
    terms.push_back(r.number("an entry's term", 1, highest_term));
    if (terms.size() > 1 && terms.back() < terms[terms.size() - 2])
      r.complain(fmt::format("terms never fall along a log, but {} follows {}", terms.back(),
                             terms[terms.size() - 2]));
    if (terms.size() > most_entries)
      r.complain(fmt::format("a log of more than {} entries", most_entries));
  }
  for (auto id : ids) {
    into.logs[id.value].terms = terms;
    into.logs[id.value].line = r.where().line;
  }
}

void read_term(reader& r, setup& into) {
  const auto ids = r.replicas();
  r.require(":");
  const auto term = r.number("a term", 0, highest_term);
  for (auto id : ids) {
    into.logs[id.value].term = term;
    into.logs[id.value].line = r.where().line;
  }
}

void read_vote(reader& r, setup& into) {
  const auto ids = r.replicas();
  r.require(":");
  const auto candidate = r.replica();
  for (auto id : ids) {
    into.logs[id.value].voted_for = candidate;
    into.logs[id.value].line = r.where().line;
  }
}

bool read_yes_or_no(reader& r) {
  if (r.accept("yes"))
    return true;
  r.require("no");
  return false;
}

void read_option(reader& r, setup& into) {
  static constexpr std::array names{"election_timeout",    "heartbeat",   "lease",          "retry",
                                    "commit_notice",       "start_quiet", "leader_silence", "snapshot_after",
                                    "one_entry_per_append"};
  switch (r.one_of(names, "option")) {
  case 0:
    into.raft.election_timeout_min = r.time("the shortest election timeout");
    r.require("..");
    into.raft.election_timeout_max = r.time("the longest election timeout");
    break;
  case 1:
    into.raft.heartbeat_interval = r.time("the time between heartbeats");
    // Unless it is said otherwise, nothing is sent again before a heartbeat is due.
    into.raft.retry_min = into.raft.heartbeat_interval;
    break;
  case 2:
    into.raft.lease = r.time("the lease");
    break;
  case 3:
    into.raft.retry_min = r.time("the shortest retry");
    break;
  case 4:
    into.raft.commit_notice_delay = r.time("the delay of notices");
    break;
  case 5:
    into.raft.start_quiet = r.time("the quiet after a start");
    break;
  case 6:
    into.router.leader_silence = r.time("the silence");
    break;
  case 7:
    into.router.snapshot_after_bytes = r.number("how many bytes", 0, most_bytes);
    break;
  case 8:
    into.one_entry_per_append = read_yes_or_no(r);
    break;
  }
}

/// Where two logs have an entry of the same index and term, all before it is the same (log matching).
/// Returns the first index at which they differ although they must not; 0 if there is none.
std::size_t find_mismatch(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::size_t different = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] != b[i] && different == 0)
      different = i + 1;
    if (a[i] == b[i] && different != 0)
      return different;
  }
  return 0;
}

} // namespace

raft::options quiet_options() {
  raft::options o;
  o.lease = duration::zero();
  o.commit_notice_delay = duration::zero();
  o.retry_min = o.heartbeat_interval;
  return o;
}

bool read_setup_line(const std::string& keyword, reader& r, setup& into) {
  if (keyword == "log")
    read_log(r, into);
  else if (keyword == "term")
    read_term(r, into);
  else if (keyword == "vote")
    read_vote(r, into);
  else if (keyword == "set")
    read_option(r, into);
  else if (keyword == "seed")
    into.seed = r.number("a seed", 0, UINT64_MAX);
  else
    return false;
  return true;
}

void check_setup(const setup& s, const std::string& origin, std::size_t start_line) {
  if (const auto fault = raft::find_fault(s.raft))
    complain({origin, start_line}, fmt::format("nobody can start with these options: {}", *fault));
  for (std::size_t i = 0; i < s.logs.size(); ++i) {
    const auto& l = s.logs[i];
    const place where{origin, l.line};
    const auto last_term = l.terms.empty() ? 0 : l.terms.back();
    if (l.term.value_or(last_term) < last_term)
      complain(where, fmt::format("the log of {} ends in term {}, beyond its current term {}", i + 1,
                                  last_term, *l.term));
    if (l.voted_for != nobody && l.term.value_or(last_term) == 0)
      complain(where, fmt::format("{} has voted in term 0, in which there is no election", i + 1));
    for (std::size_t j = 0; j < i; ++j)
      if (const auto index = find_mismatch(s.logs[j].terms, l.terms))
        complain({origin, std::max(l.line, s.logs[j].line)},
                 fmt::format("no leaders write logs like those of {} and {}: they agree on an entry behind "
                             "entry {}, where they differ",
                             j + 1, i + 1, index));
  }
}

} // namespace troupe::script
