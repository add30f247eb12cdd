#pragma once
// The log of one replica (section 5.3): consecutive entries, without those that were forgotten since a
// snapshot holds them.
//
// Invariants: indexes are consecutive; terms never fall; the last index that was forgotten (`base`) and
// its term are known, so that the entry before any entry in the log can always be named.

#include "protocol/raft/discarded_entries.hpp"

#include <deque>
#include <optional>
#include <vector>

namespace troupe::raft {

class log {
 public:
  /// An empty log, behind a snapshot that ends with the given entry (0, 0: no snapshot).
  explicit log(log_index base_index = {}, term_number base_term = {});

  log_index base_index() const { return base_index_; }
  log_index first_index() const { return base_index_ + 1; }
  log_index last_index() const { return base_index_ + entries_.size(); }
  term_number last_term() const { return entries_.empty() ? base_term_ : entries_.back()->term; }

  /// The term of an entry; nothing for an index behind the end or before the base.
  std::optional<term_number> term_at(log_index index) const;
  /// Precondition: first_index() <= index <= last_index().
  const entry_ptr& at(log_index index) const;

  /// Adds entries to the end. Precondition: the first one's index is last_index() + 1, and so on.
  void append(entry_ptr e);
  /// Removes all entries behind `index`. Precondition: base_index() <= index <= last_index().
  void truncate_behind(log_index index);
  /// Forgets the entries up to and including `index`, which a snapshot replaces.
  /// Precondition: base_index() <= index <= last_index().
  void compact(log_index index);
  /// Forgets everything: the log now starts behind the given entry.
  void reset(log_index base_index, term_number base_term);

  /// The entries from `first` on that fit into `max_bytes` by their `wire_bytes`. An entry that alone is
  /// larger does not fit: nothing is returned. Precondition: first >= first_index().
  std::vector<entry_ptr> slice(log_index first, std::size_t max_bytes) const;

  /// The first index of the term of the entry at `index`, as far as the log reaches back (section 5.3).
  /// Precondition: base_index() <= index <= last_index().
  log_index first_index_of_term_at(log_index index) const;
  /// The last index whose entry has exactly this term; nothing if there is none in the log.
  std::optional<log_index> last_index_of_term(term_number term) const;

  /// Whether a candidate with such a last entry has a log at least as complete as this one (section 5.4.1).
  bool is_up_to_date(log_index other_last_index, term_number other_last_term) const;

 private:
  std::deque<entry_ptr> entries_;
  discarded_entries discarded_;
  log_index base_index_;
  term_number base_term_;
};

} // namespace troupe::raft
