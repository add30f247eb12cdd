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
#include <set>
#include <vector>

namespace troupe::actors {

/// What moves an actor's clock.
enum class time_source {
  real, ///< the machine's monotonic clock, read anew each time: a lease must not outlast a process that was
        ///< stopped
  virtual_time ///< whoever runs the loop
};

/// Where virtual time begins: late enough for clocks that are behind, which must not be below 0.
inline constexpr instant virtual_begin{std::chrono::seconds(1)};

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

  /// Runs every actor that has messages, until none has. Timers are not looked at meanwhile.
  void run_jobs();
  /// Like run_jobs, one message at a time; false if there was none.
  bool run_one();

  /// How many actors have messages and may run.
  std::size_t runnable() const { return jobs.size(); }
  /// Runs one of them for one message: an order that is as good as any other, since an actor's own messages
  /// stay in order. Precondition: which < runnable().
  void run_job(std::size_t which);
  /// Whether that is one of these. Precondition: which < runnable().
  bool is_job_of(std::size_t which, const std::vector<caf::actor>& actors) const;

  /// From now on these actors get messages and timers but do not run, like those of a stopped process.
  void hold(const std::vector<caf::actor>& actors);
  /// Lets actors that were held run again, and take up what has come in the meantime.
  void release(const std::vector<caf::actor>& actors);

  /// Real time: moves the clock to now and sends what has become due.
  void catch_up();
  /// When the next timer is due; never if there is none.
  instant next_timer();

  instant now() { return {clock().now().time_since_epoch()}; }
  /// Virtual time: moves the clock on and sends what becomes due on the way, running actors in between.
  void run_until(instant t);
  /// Virtual time: moves the clock on and sends what becomes due on the way, but runs nobody.
  void advance_to(instant t);

  /// Ends all timers; before the actor system is destroyed, or it waits for them for ever.
  void forget_timers();

 protected:
  void enqueue(caf::resumable* job) override;

 private:
  void set_aside();

  loop_clock clock_;
  std::set<caf::resumable*> held_;
  std::vector<caf::resumable*> held_jobs_; ///< of those who are held
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
