#include "actors/loop.hpp"

#include "actors/interfaces.hpp"
#include "trace/context.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <latch>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

namespace troupe::actors {

loop_clock::loop_clock(time_source source) : source_(source) {
  current_time = source == time_source::real ? clock_type::now() : time_point{virtual_begin.since_start};
}

loop_clock::time_point loop_clock::now() const noexcept {
  return source_ == time_source::real ? clock_type::now() : current_time;
}

void loop::run_jobs() {
  const trace::unbroken one_after_the_other;
  while (run_one()) {
  }
}

bool loop::run_one() {
  const bool ran = try_run_once();
  set_aside(); // what one actor sends to another does not come by `enqueue`
  return ran;
}

void loop::run_job(std::size_t which) {
  std::swap(jobs[which], jobs.front());
  run_one();
}

namespace {

caf::resumable* job_of(const caf::actor& a) {
  return dynamic_cast<caf::resumable*>(caf::actor_cast<caf::abstract_actor*>(a));
}

} // namespace

bool loop::is_job_of(std::size_t which, const std::vector<caf::actor>& actors) const {
  return std::any_of(actors.begin(), actors.end(),
                     [job = jobs[which]](const caf::actor& a) { return job_of(a) == job; });
}

void loop::hold(const std::vector<caf::actor>& actors) {
  for (const auto& a : actors)
    held_.insert(job_of(a));
  set_aside();
}

/// Takes those who are held out of the queue.
void loop::set_aside() {
  if (held_.empty())
    return;
  const auto waiting = std::stable_partition(jobs.begin(), jobs.end(),
                                             [this](caf::resumable* job) { return held_.count(job) == 0; });
  held_jobs_.insert(held_jobs_.end(), waiting, jobs.end());
  jobs.erase(waiting, jobs.end());
}

void loop::release(const std::vector<caf::actor>& actors) {
  for (const auto& a : actors)
    held_.erase(job_of(a));
  const auto free = std::stable_partition(held_jobs_.begin(), held_jobs_.end(),
                                          [this](caf::resumable* job) { return held_.count(job) > 0; });
  jobs.insert(jobs.end(), free, held_jobs_.end());
  held_jobs_.erase(free, held_jobs_.end());
}

void loop::enqueue(caf::resumable* job) {
  if (held_.count(job) > 0)
    held_jobs_.push_back(job);
  else
    test_coordinator::enqueue(job);
}

void loop::catch_up() {
  if (const auto passed = clock_.now() - clock_.current_time; passed > duration::zero())
    clock_.advance_time(passed);
}

instant loop::next_timer() {
  const auto& timers = clock_.schedule();
  return timers.empty() ? never : instant{timers.begin()->first.time_since_epoch()};
}

void loop::run_until(instant t) {
  run_jobs();
  while (next_timer() <= t) {
    const auto due = std::max(next_timer(), now());
    clock_.advance_time(due - now());
    run_jobs();
  }
  if (t > now())
    clock_.current_time = caf::actor_clock::time_point{t.since_start};
}

void loop::advance_to(instant t) {
  if (t >= now())
    clock_.advance_time(t - now());
}

void loop::forget_timers() { clock_.cancel_all(); }

namespace {

/// CAF wants an argument parser's worth of configuration; a replica needs none of it.
std::unique_ptr<caf::actor_system_config> make_config() {
  auto config = std::make_unique<caf::actor_system_config>();
  config->add_message_types<caf::id_block::troupe>();
  return config;
}

} // namespace

loop_system::loop_system(time_source source) : config_(make_config()) {
  config_->module_factories.emplace_back([this, source](caf::actor_system& s) -> caf::actor_system::module* {
    loop_ = new loop(s, source);
    return loop_;
  });
  system_ = std::make_unique<caf::actor_system>(*config_);
}

loop_system::~loop_system() {
  loop_->forget_timers();
  loop_->run_jobs();
  loop_->forget_timers();
  system_->await_actors_before_shutdown(false);
}

namespace {

/// CAF does not survive a thread that cannot be started, so it is found out before.
void require_threads(std::size_t count) {
  std::latch all_are_there(1);
  std::vector<std::jthread> tried;
  try {
    for (std::size_t i = 0; i < count; ++i)
      tried.emplace_back([&] { all_are_there.wait(); });
  } catch (const std::system_error& error) {
    all_are_there.count_down();
    throw std::runtime_error(fmt::format("cannot start {} threads: {}", count, error.code().message()));
  }
  all_are_there.count_down();
}

} // namespace

threaded_system::threaded_system(std::size_t threads) : config_(make_config()) {
  constexpr std::size_t of_caf_itself = 2; // its clock, and one for what prints
  require_threads(threads + of_caf_itself);
  config_->set("scheduler.policy", caf::atom("sharing"));
  config_->set("scheduler.max-threads", threads);
  system_ = std::make_unique<caf::actor_system>(*config_);
}

} // namespace troupe::actors
