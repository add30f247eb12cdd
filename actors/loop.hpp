#pragma once
// One thread that runs a replica's actors, its timers and its socket: measured faster than CAF's own
// schedulers for a request that passes through five actors, and without any work when idle.
//
// The same class runs on real or on virtual time. Virtual time stands still while an actor has work and then
// jumps to the next timer.

#include "actors/caf.hpp"
#include "protocol/types.hpp"

#include <functional>
#include <memory>

namespace troupe::actors {

/// What moves an actor's clock.
enum class time_source {
  real, ///< the machine's monotonic clock, read anew each time: a lease must not outlast a process that was
        ///< stopped
  virtual_time ///< whoever runs the loop; the clock starts at one second
};

/// CAF's timers on either kind of time. `current_time` is how far timers have been looked at.
class loop_clock : public caf::detail::test_actor_clock {
 public:
  explicit loop_clock(time_source source);
  time_point now() const noexcept override;

 private:
  time_source source_;
};

/// Replaces CAF's scheduler and clock. Everything happens in the thread that calls it.
class loop : public caf::scheduler::test_coordinator {
 public:
  loop(caf::actor_system& system, time_source source) : test_coordinator(system), clock_(source) {}

  loop_clock& clock() noexcept override { return clock_; }

  /// Runs every actor that has messages, until none has.
  void run_jobs();
  /// Like run_jobs, one message at a time; false if there was none.
  bool run_one() { return try_run_once(); }

  /// Real time: moves the clock to now and sends what has become due.
  void catch_up();
  /// When the next timer is due; never if there is none.
  instant next_timer();

  instant now() { return {clock().now().time_since_epoch()}; }
  /// Virtual time: moves the clock on and sends what becomes due on the way, running actors in between.
  void run_until(instant t);

  /// Ends all timers; before the actor system is destroyed, or it waits for them for ever.
  void forget_timers();

 private:
  loop_clock clock_;
};

/// An actor system of its own with a loop as its scheduler.
class loop_system {
 public:
  explicit loop_system(time_source source);
  ~loop_system();
  loop_system(const loop_system&) = delete;
  loop_system& operator=(const loop_system&) = delete;

  caf::actor_system& system() { return *system_; }
  loop& scheduler() { return *loop_; }

 private:
  std::unique_ptr<caf::actor_system_config> config_;
  loop* loop_ = nullptr; ///< owned by the system
  std::unique_ptr<caf::actor_system> system_;
};

/// An actor system with CAF's own threads, sharing one queue, so that nothing comes to depend on the loop.
class threaded_system {
 public:
  explicit threaded_system(std::size_t threads);
  caf::actor_system& system() { return *system_; }

 private:
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
};

} // namespace troupe::actors
