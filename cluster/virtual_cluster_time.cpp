// Time jumps from one event to the next, and in each moment everybody runs until nobody has anything to do.

#include "cluster/virtual_cluster.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

/// So often may something happen in one moment that follows from something else in it.
constexpr std::size_t most_in_moment = 10'000;
/// More than any storm of messages takes that can arrive in one moment.
constexpr std::uint64_t most_jobs_in_a_moment = 5'000'000;

} // namespace

instant virtual_cluster::now() const { return system_->scheduler().now(); }

void virtual_cluster::at(instant when, std::function<void()> what) {
  plans_.push_back({std::max(when, now()), next_plan_++, std::move(what), trace::current});
  std::push_heap(plans_.begin(), plans_.end());
}

instant virtual_cluster::next_moment() const {
  if (stuck_)
    return never;
  const auto timer = system_->scheduler().next_timer();
  return plans_.empty() ? timer : std::min(timer, plans_.front().when);
}

void virtual_cluster::step() {
  const auto moment = next_moment();
  if (moment == never)
    return;
  steps_in_moment_ = moment > now() ? 0 : steps_in_moment_ + 1;
  if (steps_in_moment_ > most_in_moment) {
    stuck_ = true;
    return violate("time goes on: somebody wakes up again and again, for a moment that is over");
  }
  system_->scheduler().advance_to(std::max(moment, now()));
  while (!plans_.empty() && plans_.front().when <= now()) {
    std::pop_heap(plans_.begin(), plans_.end());
    const auto what = std::move(plans_.back().what);
    const trace::within why(plans_.back().why);
    plans_.pop_back();
    what();
  }
  settle();
  judge_requests();
}

/// Runs everybody until nobody has anything to do. Who is next is up to the seed: no order of actors, and
/// none of replicas, is one that anybody may rely on.
void virtual_cluster::settle() {
  auto& loop = system_->scheduler();
  if (moment_ != now())
    jobs_in_moment_ = 0;
  moment_ = now();
  while (const auto runnable = loop.runnable()) {
    const auto which = runnable == 1 ? 0 : order_.below(runnable);
    member* counts = nullptr;
    if (countdowns_ > 0)
      for (auto& m : members_)
        if (!m.countdowns.empty() && loop.is_job_of(which, find_replica(m)->actors()))
          counts = &m;
    loop.run_job(which);
    if (counts)
      count_step(*counts);
    if (++jobs_in_moment_ == most_jobs_in_a_moment)
      stop_all();
  }
}

void virtual_cluster::count_step(member& m) {
  std::vector<std::function<void()>> due;
  for (auto& c : m.countdowns)
    if (--c.steps == 0)
      due.push_back(std::move(c.what));
  countdowns_ -= std::erase_if(m.countdowns, [](const auto& c) { return c.steps == 0; });
  for (const auto& what : due)
    what();
}

void virtual_cluster::run_until(instant t) {
  while (next_moment() <= t)
    step();
  system_->scheduler().advance_to(t);
}

bool virtual_cluster::run_until(const std::function<bool()>& condition, instant limit) {
  while (!condition()) {
    if (next_moment() > limit) {
      run_until(limit);
      return condition();
    }
    step();
  }
  return true;
}

} // namespace troupe
