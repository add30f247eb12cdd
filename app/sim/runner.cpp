#include "app/sim/runner.hpp"

#include "actors/loop.hpp"
#include "app/sim/crew.hpp"
#include "app/sim/page_file.hpp"
#include "app/sim/real_run.hpp"
#include "app/sim/terminal.hpp"
#include "app/sim/virtual_run.hpp"
#include "app/version.hpp"

#include <fmt/format.h>
#include <optional>

namespace troupe::sim {

namespace {

double seconds(duration d) { return std::chrono::duration<double>(d).count(); }

/// Shows one of many short runs: only to those who ask.
class quiet_view : public spectator {
 public:
  quiet_view(terminal& terminal, const options& options, const run_plan& plan)
      : terminal_(terminal), tells_(options.verbose),
        prefix_(fmt::format("{} (seed {}) ", plan.scenario->name, plan.seed)) {}

  void replica_said(replica_id who, duration since_start, const std::string& line) override {
    if (tells_)
      terminal_.line(fmt::format("{}{:.6f} s: {}: {}", prefix_, seconds(since_start), to_string(who), line),
                     true);
  }
  void happened(duration since_start, const std::string& text) override {
    if (tells_)
      terminal_.line(fmt::format("{}{:.6f} s: {}", prefix_, seconds(since_start), text));
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
        prefix_(options.jobs > 1 ? plan.scenario->name + " " : ""), state_{plan.scenario->name,
                                                                           {},
                                                                           plan.scenario->start_wait +
                                                                               plan.scenario->lifetime +
                                                                               plan.scenario->end_wait,
                                                                           nobody} {
    terminal_.progress(number_, state_);
  }
  ~run_view() override { terminal_.finished(number_); }

  /// Ours say who they are; others may not.
  void replica_said(replica_id who, duration since_start, const std::string& line) override {
    const auto id = fmt::format("{}: ", to_string(who));
    terminal_.line(fmt::format("{}{}{}{}", prefix_,
                               tells_ ? fmt::format("{:.3f} s: ", seconds(since_start)) : "",
                               line.starts_with(id) ? "" : id, line),
                   true);
  }
  void happened(duration since_start, const std::string& text) override {
    if (tells_)
      terminal_.line(fmt::format("{}{:.3f} s: {}", prefix_, seconds(since_start), text));
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

/// What is recorded of a run, or of the simulator's part in it.
class run_trace {
 public:
  run_trace(const options& o, const run_plan& plan) : head_(head(o, plan)), page_(o.html) {
    if (!o.trace.empty())
      file_.emplace(o.trace, head_);
  }

  /// When the run begins: a real one now.
  instant began() const { return head_.began; }

  static trace::header head(const options& o, const run_plan& plan) {
    const bool is_real = plan.mode == run_mode::real;
    return {.program = std::string(app::version),
            .mode = std::string(to_string(plan.mode)),
            .scenario = plan.scenario->name,
            .seed = plan.seed,
            .command = fmt::format("troupe-sim {}{}{} --seed {}{}", plan.durable ? "--durable " : "",
                                   is_real ? "--real " : "", o.scenarios.front(), plan.seed,
                                   o.replica.empty() || o.ours ? "" : " --replica " + o.replica),
            .replica = "",
            .replicas = plan.scenario->replicas,
            .began = is_real ? instant{std::chrono::steady_clock::now().time_since_epoch()}
                             : actors::virtual_begin};
  }

  trace::recorder& recorder() { return recorder_; }

  void finish() {
    if (file_)
      file_->flush();
    if (file_ && !file_->error().empty())
      throw usage_error(file_->error());
    if (!page_.empty())
      write_page(format(head_) + trace::print(kept_.records()), head_.scenario, page_);
  }

 private:
  /// To all who want it.
  struct fork : trace::sink {
    explicit fork(run_trace& o) : owner(o) {}
    void take(std::string_view records) override {
      if (owner.file_)
        owner.file_->take(records);
      if (!owner.page_.empty())
        owner.kept_.take(records);
    }
    void flush() override {
      if (owner.file_)
        owner.file_->flush();
    }
    run_trace& owner;
  };

  trace::header head_;
  std::string page_;
  std::optional<trace::file> file_;
  kept_records kept_;
  fork fork_{*this};
  trace::recorder recorder_{fork_};
};

} // namespace

run_results play_all(const std::vector<run_plan>& plans, const options& options, const watchdog& guard,
                     int stop) {
  real_setting setting{options.replica, guard, options.trace, nullptr, {}, stop};
  std::optional<run_trace> recorded;
  if (!options.trace.empty() || !options.html.empty()) // then there is only one
    recorded.emplace(options, plans.front());
  if (recorded) {
    setting.recorder = &recorded->recorder();
    setting.began = recorded->began();
  }
  terminal screen(plans.size());
  std::vector<std::optional<run_result>> outcomes(plans.size());
  const bool all = side_by_side(plans.size(), options.jobs, [&](std::size_t number) {
    auto& outcome = outcomes[number];
    if (plans[number].mode == run_mode::real) {
      run_view view(screen, options, plans[number], number);
      outcome = play_real(plans[number], setting, view);
      return outcome.has_value();
    }
    quiet_view view(screen, options, plans[number]);
    outcome = play_virtual(plans[number], view, setting.recorder);
    screen.count(outcome->verdict.passed());
    return !told_to_stop(stop);
  });
  if (recorded)
    recorded->finish();
  run_results results;
  results.stopped = !all;
  for (auto& outcome : outcomes)
    if (outcome)
      results.results.push_back(std::move(*outcome));
  return results;
}

} // namespace troupe::sim
