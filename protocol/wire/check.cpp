#include "protocol/wire/check.hpp"

#include <algorithm>
#include <limits>

namespace troupe::wire {
namespace {

constexpr std::string_view no_term = "nobody says this in term 0";
constexpr std::string_view half_position = "an index and its term are 0 together or not at all";
constexpr std::string_view future_term = "a term in the log is beyond the message's term";
constexpr std::string_view no_log_is_so_long = "an index that no log can have reached";
constexpr std::string_view overflow = "what follows goes beyond the largest number";

/// No term and no index gets here in any lifetime, and sums of what is below do not overflow.
constexpr std::uint64_t out_of_reach = std::uint64_t{1} << 62;

/// An index of 0 stands for the place before the log, whose term is 0.
bool is_position(log_index index, term_number term) { return (index.value == 0) == (term.value == 0); }

bool overflows(std::uint64_t start, std::size_t length) {
  return length > std::numeric_limits<std::uint64_t>::max() - start;
}

/// Ascending, without repetition, all of them replicas.
bool is_set_of_replicas(const std::vector<replica_id>& ids) {
  return std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>{}) == ids.end() &&
         (ids.empty() || ids.back() != nobody);
}

/// What holds for every request for a vote.
template <class Request>
std::string_view contradiction_in_campaign(const Request& m) {
  if (m.term.value == 0) {
    return no_term;
  }
  if (!is_position(m.last_index, m.last_term)) {
    return half_position;
  }
  return m.last_term > m.term ? future_term : "";
}

struct contradiction_in {
  std::string_view operator()(const pre_vote_request& m) const { return contradiction_in_campaign(m); }
  std::string_view operator()(const vote_request& m) const { return contradiction_in_campaign(m); }
  // Its term may be 0: that of a replica that has seen no election yet.
  std::string_view operator()(const pre_vote_reply& m) const { return m.campaign.value == 0 ? no_term : ""; }
  std::string_view operator()(const vote_reply& m) const { return m.term.value == 0 ? no_term : ""; }
  std::string_view operator()(const append_accepted& m) const { return m.term.value == 0 ? no_term : ""; }
  std::string_view operator()(const commit_notice& m) const { return m.term.value == 0 ? no_term : ""; }
  std::string_view operator()(const timeout_now& m) const { return m.term.value == 0 ? no_term : ""; }
  std::string_view operator()(const snapshot_reply& m) const { return m.term.value == 0 ? no_term : ""; }

  std::string_view operator()(const append_rejected& m) const {
    if (m.term.value == 0) {
      return no_term;
    }
    // The leader goes on just before it.
    if (m.conflict_index.value == 0) {
      return "nothing conflicts before the log's start";
    }
    return m.conflict_term > m.term ? future_term : "";
  }

  // The entries were checked when they were read.
  std::string_view operator()(const append_request& m) const {
    if (m.term.value == 0) {
      return no_term;
    }
    if (!is_position(m.previous_index, m.previous_term)) {
      return half_position;
    }
    if (m.previous_index.value >= out_of_reach - m.entries.size()) {
      return no_log_is_so_long;
    }
    return m.previous_term > m.term ? future_term : "";
  }

  std::string_view operator()(const snapshot_piece& m) const {
    if (m.last_index.value == 0 || m.last_term.value == 0) {
      return "a snapshot of nothing";
    }
    if (m.last_term > m.term) {
      return future_term;
    }
    if (m.last_index.value >= out_of_reach) {
      return no_log_is_so_long;
    }
    if (overflows(m.offset, m.data.size())) {
      return overflow;
    }
    return contradiction(raft::configuration{m.voters, m.learners});
  }
};

} // namespace

std::string_view contradiction(const peer_message& message) {
  // Taking such a term over would leave no room for elections.
  if (std::visit([](const auto& m) { return m.term.value; }, message) >= out_of_reach) {
    return "a term that no election can have reached";
  }
  return std::visit(contradiction_in{}, message);
}

std::string_view contradiction(const raft::configuration& c) {
  if (c.voters.empty()) {
    return "a configuration without voters";
  }
  if (!is_set_of_replicas(c.voters) || !is_set_of_replicas(c.learners)) {
    return "a configuration's replicas are not in order";
  }
  const bool disjoint =
      std::none_of(c.learners.begin(), c.learners.end(), [&](replica_id id) { return c.is_voter(id); });
  return disjoint ? "" : "a replica both votes and learns";
}

} // namespace troupe::wire
