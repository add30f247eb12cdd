#include "app/sim/runner.hpp"

#include "app/sim/real_run.hpp"
#include "app/sim/terminal.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <fmt/format.h>
#include <mutex>
#include <optional>
#include <thread>

namespace troupe::sim {

namespace {

/// Shows one run on the terminal.
class run_view : public spectator {
 public:
  run_view(terminal& terminal, const options& options, const run_plan& plan, std::size_t number)
      : terminal_(terminal), number_(number), tells_(options.verbose || terminal.is_interactive()),
        prefix_(options.jobs > 1 ? plan.scenario.name + " " : ""), state_{plan.scenario.name,
                                                                          {},
                                                                          plan.scenario.start_wait +
                                                                              plan.scenario.lifetime +
                                                                              plan.scenario.end_wait,
                                                                          nobody} {
    terminal_.progress(number_, state_);
  }
  ~run_view() override { terminal_.finished(number_); }

  void replica_said(replica_id who, const std::string& line) override {
    terminal_.line(fmt::format("{}{}: {}", prefix_, to_string(who), line), true);
  }
  void happened(duration since_start, const std::string& text) override {
    if (tells_)
      terminal_.line(
          fmt::format("{}{:.3f} s: {}", prefix_, std::chrono::duration<double>(since_start).count(), text));
  }
  void progressed(duration since_start, replica_id leader) override {
    state_.elapsed = since_start;
    state_.leader = leader;
    terminal_.progress(number_, state_);
  }

 private:
  terminal& terminal_;
  std::size_t number_;
  bool tells_;
  std::string prefix_;
  run_progress state_;
};

/// Threads that take one plan after the other.
class crew {
 public:
  crew(const std::vector<run_plan>& plans, const options& options, const watchdog& guard, int stop)
      : plans_(plans), options_(options), setting_{options.replica, guard, stop}, terminal_(plans.size()),
        outcomes_(plans.size()) {}

  run_results play() {
    std::vector<std::thread> helpers;
    // This thread is one of them.
    for (std::size_t i = 1; i < std::min(options_.jobs, plans_.size()); ++i)
      helpers.emplace_back([this] { work(); });
    work();
    for (auto& helper : helpers)
      helper.join();
    if (failure_)
      std::rethrow_exception(failure_);
    run_results all;
    all.stopped = stopped_;
    for (auto& outcome : outcomes_)
      if (outcome)
        all.results.push_back(std::move(*outcome));
    return all;
  }

 private:
  void work() {
    for (auto next = next_++; next < plans_.size() && !stopped_; next = next_++)
      play_one(next);
  }

  void play_one(std::size_t number) {
    try {
      run_view view(terminal_, options_, plans_[number], number);
      outcomes_[number] = play_real(plans_[number], setting_, view);
      if (!outcomes_[number])
        stopped_ = true;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      stopped_ = true;
    }
  }

  const std::vector<run_plan>& plans_;
  const options& options_;
  real_setting setting_;
  terminal terminal_;
  std::vector<std::optional<run_result>> outcomes_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

} // namespace

run_results play_all(const std::vector<run_plan>& plans, const options& options, const watchdog& guard,
                     int stop) {
  return crew(plans, options, guard, stop).play();
}

} // namespace troupe::sim
