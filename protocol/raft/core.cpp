#include "protocol/raft/core.hpp"

#include "protocol/invariant.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::raft {

namespace {

/// The next number of a well-mixed sequence (splitmix64): the same on every machine.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15U;
  auto z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

/// An election a millisecond for seven weeks. Without this bound one forged message would take a cluster to
/// the largest term of all, where nobody could be elected any more.
constexpr std::uint64_t most_terms_ahead = std::uint64_t{1} << 32;

duration random_between(duration low, duration high, std::uint64_t& state) {
  const auto span = static_cast<std::uint64_t>((high - low).count()) + 1;
  return low + duration(static_cast<duration::rep>(next_random(state) % span));
}

} // namespace

core::core(replica_id self, configuration initial, const options& o, instant now, stored_state found)
    : self_(self), options_(o), random_(o.seed ^ (std::uint64_t{self.value} << 32)), hard_(found.hard_state),
      snapshot_(std::move(found.snapshot)), now_(now) {
  if (const auto fault = find_fault(o))
    throw broken_invariant(*fault);
  if (snapshot_) {
    log_.reset(snapshot_->last_index, snapshot_->last_term);
    initial = snapshot_->configuration;
    out_.install = snapshot_;
  }
  require(!initial.voters.empty(), "a configuration without a voter");
  commit_ = log_.base_index();
  configurations_.emplace_back(log_.base_index(), std::move(initial));
  for (auto& e : found.entries) {
    // It could not be sent, nor could anything behind it be committed.
    require(e->wire_bytes <= options_.max_append_bytes,
            "entry {} takes {} bytes, of which a message carries {}: it came by another transport",
            e->index.value, e->wire_bytes, options_.max_append_bytes);
    append_to_log(std::move(e));
  }
  out_.write = {};
  require(log_.last_term() <= hard_.term, "the log ends in term {}, beyond the stored term {}",
          log_.last_term().value, hard_.term.value);
  found_commit_ = found.commit;
  require(found_commit_ <= log_.last_index(), "the log ends at {}, and is known to be committed up to {}",
          log_.last_index().value, found_commit_.value);
  stored_ = log_.last_index();
  // Before the restart this replica may have promised its loyalty to a leader; a first start has nothing to
  // keep.
  loyal_until_ = hard_.term > term_number{} ? now + o.election_timeout_min : now;
  election_deadline_ =
      now + o.start_quiet +
      random_between(duration::zero(), o.election_timeout_max - o.election_timeout_min, random_);
  if (hard_.term > term_number{})
    restart_election_timer();
}

effects core::step(instant now, input in) {
  require(now >= now_, "time went back by {} ns", (now_ - now).count());
  now_ = now;
  const auto before = standing();
  const auto hard_before = hard_;
  commit_up_to(std::exchange(found_commit_, {}), false); // whoever committed it answered for it
  std::visit([this](auto& i) { take(i); }, in);
  lead();
  if (hard_ != hard_before)
    out_.write.hard_state = hard_;
  out_.write.commit = commit_;
  if (standing() != before)
    out_.standing = standing();
  out_.next_deadline = next_deadline();
  return std::exchange(out_, {});
}

// ---- inputs that are not messages
// -------------------------------------------------------------------------------

void core::take(received& in) {
  if (in.from == self_)
    return refuse("a message from this replica to itself");
  const auto term = std::visit([](const auto& m) { return m.term.value; }, in.message);
  if (term > hard_.term.value + most_terms_ahead)
    return refuse(
        fmt::format("term {}, which no election can have reached since term {}", term, hard_.term.value));
  std::visit([&](auto& m) { on(in.from, m); }, in.message);
}

void core::take(stored& in) {
  // The entry may have been replaced since: then this says nothing about what stands there now.
  if (log_.term_at(in.index) == in.term)
    stored_ = std::max(stored_, in.index);
}

void core::take(deadline_passed&) {
  if (role() == role_kind::leader || !may_campaign())
    return;
  if (now_ >= election_deadline_)
    start_pre_vote();
  else if (const auto* c = std::get_if<candidate>(&role_); c && now_ >= c->ask_again_at)
    ask_for_votes();
  else if (const auto* p = std::get_if<pre_candidate>(&role_); p && now_ >= p->ask_again_at)
    ask_for_pre_votes();
}

// ---- terms and roles
// ----------------------------------------------------------------------------------------------

/// Every message with a higher term ends whatever this replica was (section 5.1). False for a message of a
/// term that is over.
bool core::observe_term(term_number term) {
  if (term > hard_.term)
    become_follower(term, nobody);
  return term == hard_.term;
}

void core::become_follower(term_number term, replica_id leader) {
  require(term >= hard_.term, "from term {} back to {}", hard_.term.value, term.value);
  const bool led = role() == role_kind::leader;
  if (led)
    refuse_reads(refusal::not_leader);
  // Only a new term takes back the vote; stepping down within a term does not.
  if (term > hard_.term)
    hard_ = {term, nobody};
  role_ = follower{leader, {}};
  if (led)
    restart_election_timer();
}

void core::restart_election_timer() {
  election_deadline_ =
      now_ + random_between(options_.election_timeout_min, options_.election_timeout_max, random_);
}

replica_id core::known_leader() const {
  if (const auto* f = std::get_if<follower>(&role_))
    return f->leader;
  return role() == role_kind::leader ? self_ : nobody;
}

/// Whoever votes in the newest configuration, or in an earlier one that may still be what counts: as long as
/// its removal is not committed, others may need a log that only it has (D 4.2.2). Its own vote does not
/// count then.
bool core::may_campaign() const {
  const auto uncommitted = std::find_if(configurations_.begin(), configurations_.end(),
                                        [this](const auto& c) { return c.first > commit_; });
  const auto last_committed = uncommitted == configurations_.begin() ? uncommitted : std::prev(uncommitted);
  return std::any_of(last_committed, configurations_.end(),
                     [this](const auto& c) { return c.second.is_voter(self_); });
}

std::size_t core::quorum() const { return active_configuration().voters.size() / 2 + 1; }

instant core::next_deadline() const {
  if (role() == role_kind::leader)
    return leader_deadline();
  if (!may_campaign())
    return never;
  if (const auto* c = std::get_if<candidate>(&role_))
    return std::min(election_deadline_, c->ask_again_at);
  if (const auto* p = std::get_if<pre_candidate>(&role_))
    return std::min(election_deadline_, p->ask_again_at);
  return election_deadline_;
}

// ---- the log
// ------------------------------------------------------------------------------------------------------

void core::append_to_log(entry_ptr e) {
  if (const auto* c = std::get_if<configuration>(&e->payload))
    configurations_.emplace_back(e->index, *c);
  out_.write.entries.push_back(e);
  log_.append(std::move(e));
}

void core::truncate_log_behind(log_index index) {
  require(index >= commit_, "committed entry {} would be removed (entries behind {} conflict)", commit_.value,
          index.value);
  log_.truncate_behind(index);
  stored_ = std::min(stored_, index);
  while (configurations_.back().first > index)
    configurations_.pop_back();
  out_.write.truncate_behind = index;
}

/// Commits and hands over what is committed. Commit never goes back.
void core::commit_up_to(log_index index, bool answer) {
  if (index <= commit_)
    return;
  require(index <= log_.last_index(), "commit {} is beyond the end of the log, {}", index.value,
          log_.last_index().value);
  require(out_.committed.empty() || out_.answer_committed == answer, "one step commits for two leaders");
  for (auto i = commit_ + 1; i <= index; ++i)
    out_.committed.push_back(log_.at(i));
  out_.answer_committed = answer;
  commit_ = index;
  if (arriving_ && arriving_->last_index <= commit_) // appends were faster
    arriving_.reset();
}

} // namespace troupe::raft
