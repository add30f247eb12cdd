#include "protocol/raft/log.hpp"

#include "protocol/invariant.hpp"

namespace troupe::raft {

log::log(log_index base_index, term_number base_term) : base_index_(base_index), base_term_(base_term) {}

std::optional<term_number> log::term_at(log_index index) const {
  if (index < base_index_ || index > last_index())
    return std::nullopt;
  if (index == base_index_)
    return base_term_;
  return at(index)->term;
}

const entry_ptr& log::at(log_index index) const {
  require(index > base_index_ && index <= last_index(), "no entry {} in a log of entries {} to {}",
          index.value, first_index().value, last_index().value);
  return entries_[index - first_index()];
}

void log::append(entry_ptr e) {
  require(e->index == last_index() + 1, "entry {} does not follow the last entry {}", e->index.value,
          last_index().value);
  require(e->term >= last_term(), "entry {} of term {} follows one of term {}", e->index.value, e->term.value,
          last_term().value);
  entries_.push_back(std::move(e));
  discarded_.free_some();
}

void log::truncate_behind(log_index index) {
  require(index >= base_index_ && index <= last_index(),
          "cannot truncate a log of entries {} to {} behind {}", first_index().value, last_index().value,
          index.value);
  entries_.resize(index - base_index_);
}

void log::compact(log_index index) {
  const auto term = term_at(index);
  require(term.has_value(), "cannot compact a log of entries {} to {} up to {}", first_index().value,
          last_index().value, index.value);
  discarded_.take_front(entries_, index - base_index_);
  base_index_ = index;
  base_term_ = *term;
}

void log::reset(log_index base_index, term_number base_term) {
  entries_.clear();
  base_index_ = base_index;
  base_term_ = base_term;
}

std::vector<entry_ptr> log::slice(log_index first, std::size_t max_bytes) const {
  std::vector<entry_ptr> result;
  std::size_t bytes = 0;
  for (auto index = first; index <= last_index(); ++index) {
    const auto& e = at(index);
    bytes += e->wire_bytes;
    if (bytes > max_bytes)
      break;
    result.push_back(e);
  }
  return result;
}

log_index log::first_index_of_term_at(log_index index) const {
  const auto term = term_at(index);
  require(term.has_value(), "no entry {} to find the start of its term", index.value);
  if (*term == base_term_)
    return base_index_;
  const auto first = std::lower_bound(entries_.begin(), entries_.end(), *term,
                                      [](const entry_ptr& e, term_number t) { return e->term < t; });
  return (*first)->index;
}

std::optional<log_index> log::last_index_of_term(term_number term) const {
  const auto behind = std::upper_bound(entries_.begin(), entries_.end(), term,
                                       [](term_number t, const entry_ptr& e) { return t < e->term; });
  if (behind != entries_.begin() && (*std::prev(behind))->term == term)
    return (*std::prev(behind))->index;
  if (term == base_term_)
    return base_index_;
  return std::nullopt;
}

bool log::is_up_to_date(log_index other_last_index, term_number other_last_term) const {
  if (other_last_term != last_term())
    return other_last_term > last_term();
  return other_last_index >= last_index();
}

} // namespace troupe::raft
