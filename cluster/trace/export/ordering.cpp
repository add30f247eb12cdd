#include "cluster/trace/export/ordering.hpp"

#include <algorithm>

namespace troupe::trace {

namespace {

/// A damaged file may hold a circle of causes.
constexpr int most_moves = 64;

/// And times with which nobody can reckon.
constexpr std::int64_t last_time = std::int64_t{1} << 61U;
std::int64_t within_reason(std::int64_t t) { return std::clamp(t, -last_time, last_time); }

} // namespace

void ordering::take(record r) {
  r.sent = within_reason(r.sent);
  r.begin = within_reason(r.begin);
  r.end = within_reason(r.end);
  const place where(r.begin, r.id);
  if (r.id != 0)
    places_[r.id] = where;
  waiting_.emplace(where, waiting{std::move(r)});
  if (waiting_.size() > wait_)
    release_first();
}

void ordering::finish() {
  while (!waiting_.empty())
    release_first();
}

void ordering::release_first() {
  for (;;) {
    auto first = waiting_.extract(waiting_.begin());
    auto& [r, moved] = first.mapped();
    const auto cause = r.cause == 0 || r.cause == r.id ? places_.end() : places_.find(r.cause);
    if (cause == places_.end() || ++moved > most_moves) {
      places_.erase(r.id);
      next_(r);
      return;
    }
    first.key() = {cause->second.first + 1, r.id};
    places_[r.id] = first.key();
    waiting_.insert(std::move(first));
  }
}

} // namespace troupe::trace
