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

/// Replaces CAF's scheduler and clock. Everything happens in the thread that calls it.
class loop : public caf::scheduler::test_coordinator {
 public:
  using test_coordinator::test_coordinator;

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

 protected:
  void start() override;
};

/// An actor system of its own with a loop as its scheduler.
class loop_system {
 public:
  /// @param on_real_time  false: the clock starts at one second and moves only when told to
  explicit loop_system(bool on_real_time);
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

/// Now, on the clock that real time is measured by.
instant steady_now();

} // namespace troupe::actors
