#pragma once
// One core whose neighbours, storage and clock are played by the test.

#include "test/support/pure_cluster.hpp"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::test {

/// The place of an entry: what a message's previous entry is.
struct place {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
};

// Messages as neighbours send them.
append_request append_of(std::uint64_t term, std::uint64_t sequence, place previous, std::uint64_t commit,
                         std::vector<raft::entry_ptr> entries = {});
append_accepted accepted_of(std::uint64_t term, std::uint64_t sequence, std::uint64_t match);
append_rejected rejected_of(std::uint64_t term, std::uint64_t sequence, std::uint64_t conflict_term,
                            std::uint64_t conflict_index);
vote_request vote_of(std::uint64_t term, place last, bool transfer = false);
/// One of a snapshot's pieces; its configuration is voters 0 to 2.
snapshot_piece piece_of(std::uint64_t term, std::uint64_t sequence, place last, std::uint64_t offset,
                        std::string data, bool done);

/// Entries 1, 2, ... of these terms.
std::vector<raft::entry_ptr> entries_of_terms(const std::vector<std::uint64_t>& terms);

/// What a storage holds: a term, a vote and entries of these terms.
raft::stored_state stored_of(std::uint64_t term, replica_id voted_for,
                             const std::vector<std::uint64_t>& entry_terms = {});

/// Replica 0 among voters. Its storage stores at once unless `stores` is false; what a step wanted is kept in
/// `last`, together with what storing then led to.
class lone_core {
 public:
  explicit lone_core(std::size_t size = 3, raft::options o = {}, raft::stored_state found = {});
  lone_core(raft::configuration initial, const raft::options& o, raft::stored_state found = {});

  raft::core* operator->() { return &core_; }
  raft::core& operator*() { return core_; }
  instant now() const { return now_; }

  const raft::effects& step(raft::input in);
  const raft::effects& hear(std::size_t from, peer_message m);
  /// Time passes and nothing happens, not even a deadline.
  void pass(duration d) { now_ = now_ + d; }
  /// The next deadline comes and passes.
  const raft::effects& time_out();
  const raft::effects& propose(const std::string& value, std::size_t wire_bytes = 100);

  /// Campaigns with everybody's pre-votes, and waits for votes.
  void campaign();
  /// Campaigns, and wins with the votes of everybody; commits the no-op of its term with the answers of all.
  void lead();
  /// Everybody in `from` accepts the append that was last sent to it; `last` is what all of that led to.
  void accept(const std::vector<std::size_t>& from);

  /// The messages of one kind that the last step sent to a replica, at once or once stored.
  template <class Message>
  std::vector<Message> sent(std::size_t to) const {
    std::vector<Message> result;
    for (const auto* list : {&last.send_now, &last.send_once_stored})
      for (const auto& m : *list)
        if (const auto* found = std::get_if<Message>(&m.message); found && m.to == id_of(to))
          result.push_back(*found);
    return result;
  }
  /// The only one of them. Fails the test if there are none or several.
  template <class Message>
  Message answer(std::size_t to) const {
    auto found = sent<Message>(to);
    REQUIRE(found.size() == 1);
    return found.front();
  }
  /// How many messages the last step sent.
  std::size_t sent() const { return last.send_now.size() + last.send_once_stored.size(); }
  /// What a leader knows of a follower.
  const raft::progress& progress_of(std::size_t number) const;

  raft::effects last;
  bool stores = true;

 private:
  instant now_{10s};
  raft::core core_;
  std::map<replica_id, append_request> last_append_;
};

} // namespace troupe::test
