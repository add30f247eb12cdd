#include "actors/loop.hpp"

#include "actors/interfaces.hpp"

#include <chrono>

namespace troupe::actors {

void loop::start() {
  clock().current_time = caf::actor_clock::clock_type::now();
  test_coordinator::start();
}

void loop::run_jobs() {
  while (try_run_once()) {
  }
}

void loop::catch_up() {
  const auto now = caf::actor_clock::clock_type::now();
  if (now > clock().current_time)
    clock().advance_time(now - clock().current_time);
}

instant loop::next_timer() {
  const auto& timers = clock().schedule();
  return timers.empty() ? never : instant{timers.begin()->first.time_since_epoch()};
}

void loop::run_until(instant t) {
  run_jobs();
  while (next_timer() <= t) {
    const auto due = std::max(next_timer(), now());
    clock().advance_time(due - now());
    run_jobs();
  }
  if (t > now())
    clock().current_time = caf::actor_clock::time_point{t.since_start};
}

void loop::forget_timers() { clock().cancel_all(); }

namespace {

/// CAF wants an argument parser's worth of configuration; a replica needs none of it.
std::unique_ptr<caf::actor_system_config> make_config() {
  auto config = std::make_unique<caf::actor_system_config>();
  config->add_message_types<caf::id_block::troupe>();
  return config;
}

} // namespace

loop_system::loop_system(bool on_real_time) : config_(make_config()) {
  config_->module_factories.emplace_back([this](caf::actor_system& s) -> caf::actor_system::module* {
    loop_ = new loop(s);
    return loop_;
  });
  system_ = std::make_unique<caf::actor_system>(*config_);
  if (!on_real_time)
    loop_->clock().current_time = caf::actor_clock::time_point{std::chrono::seconds(1)};
}

loop_system::~loop_system() {
  loop_->forget_timers();
  loop_->run_jobs();
  loop_->forget_timers();
  system_->await_actors_before_shutdown(false);
}

threaded_system::threaded_system(std::size_t threads) : config_(make_config()) {
  config_->set("scheduler.policy", caf::atom("sharing"));
  config_->set("scheduler.max-threads", threads);
  system_ = std::make_unique<caf::actor_system>(*config_);
}

instant steady_now() { return {caf::actor_clock::clock_type::now().time_since_epoch()}; }

} // namespace troupe::actors
