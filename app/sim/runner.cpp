#include "app/sim/runner.hpp"

#include "app/sim/real_run.hpp"
#include "app/sim/terminal.hpp"
#include "app/sim/virtual_run.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <fmt/format.h>
#include <mutex>
#include <optional>
#include <poll.h>
#include <thread>

namespace troupe::sim {

namespace {

/// Shows one of many short runs: only to those who ask.
class quiet_view : public spectator {
 public:
  quiet_view(terminal& terminal, const options& options, const run_plan& plan)
      : terminal_(terminal), tells_(options.verbose),
        prefix_(fmt::format("{} (seed {}) ", plan.scenario.name, plan.seed)) {}

  void replica_said(replica_id who, const std::string& line) override {
    if (tells_)
      terminal_.line(fmt::format("{}{}: {}", prefix_, to_string(who), line), true);
  }
  void happened(duration since_start, const std::string& text) override {
    if (tells_)
      terminal_.line(
          fmt::format("{}{:.6f} s: {}", prefix_, std::chrono::duration<double>(since_start).count(), text));
  }
  void progressed(duration, replica_id) override {}

 private:
  terminal& terminal_;
  bool tells_;
  std::string prefix_;
};

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
      auto& outcome = outcomes_[number];
      if (plans_[number].mode == run_mode::virtual_time) {
        quiet_view view(terminal_, options_, plans_[number]);
        outcome = play_virtual(plans_[number], view);
        terminal_.count(outcome->verdict.passed());
        stopped_ = stopped_ || told_to_stop();
      } else {
        run_view view(terminal_, options_, plans_[number], number);
        outcome = play_real(plans_[number], setting_, view);
        stopped_ = stopped_ || !outcome;
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      stopped_ = true;
    }
  }

  bool told_to_stop() const {
    pollfd file{setting_.stop, POLLIN, 0};
    return ::poll(&file, 1, 0) > 0;
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
