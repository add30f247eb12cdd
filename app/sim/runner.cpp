#include "app/sim/runner.hpp"

#include "actors/loop.hpp"
#include "app/sim/crew.hpp"
#include "app/sim/page_file.hpp"
#include "app/sim/real_run.hpp"
#include "app/sim/scratch_directory.hpp"
#include "app/sim/terminal.hpp"
#include "app/sim/virtual_run.hpp"
#include "app/version.hpp"
#include "protocol/wire/directory.hpp"

#include <atomic>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <optional>

namespace troupe::sim {

namespace {

/// Shows one of many short runs: only to those who ask.
class quiet_view : public spectator {
 public:
  quiet_view(terminal& terminal, const options& options, const run_plan& plan)
      : terminal_(terminal), tells_(options.verbose),
        prefix_(fmt::format("{} (seed {}) ", plan.scenario->name, plan.seed)) {}

  void replica_said(replica_id who, duration since_start, const std::string& line) override {
    if (tells_)
      terminal_.line(
          fmt::format("{}{:.6f} s: {}: {}", prefix_, in_seconds(since_start), to_string(who), line), true);
  }
  void happened(duration since_start, const std::string& text) override {
    if (tells_)
      terminal_.line(fmt::format("{}{:.6f} s: {}", prefix_, in_seconds(since_start), text));
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
                               tells_ ? fmt::format("{:.3f} s: ", in_seconds(since_start)) : "",
                               line.starts_with(id) ? "" : id, line),
                   true);
  }
  void happened(duration since_start, const std::string& text) override {
    if (tells_)
      terminal_.line(fmt::format("{}{:.3f} s: {}", prefix_, in_seconds(since_start), text));
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

/// Or is empty, as one whose disk was full.
bool begins_like_trace(const std::filesystem::path& path) {
  constexpr std::string_view beginning = R"({"event":"header")";
  std::string text(beginning.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text.empty() || text == beginning;
}

/// What replicas of an earlier run left beside this name: `run.jsonl*` has to be one run, whoever was in it.
void remove_traces_of_replicas(const std::string& trace) {
  namespace fs = std::filesystem;
  const fs::path path(trace);
  const auto prefix = path.filename().string() + ".";
  const auto folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  std::error_code error;
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(prefix) && wire::parse_replica_id(name.substr(prefix.size())) &&
        entry.symlink_status(error).type() == fs::file_type::regular && begins_like_trace(entry.path()))
      old.push_back(entry.path());
  }
  for (const auto& file : old)
    if (!fs::remove(file, error) && error)
      throw usage_error(
          fmt::format("{}: is of an earlier run, and cannot be removed: {}", file.string(), error.message()));
}

/// What is recorded of a run, or of the simulator's part in it.
class run_trace {
 public:
  run_trace(const options& o, const run_plan& plan)
      : head_(head(o, plan, o.scenarios.front())), page_(o.html), path_(o.trace) {
    require_writable(page_);
    if (path_.empty() && plan.mode == run_mode::real) // for the page: each process writes a file
      path_ = (scratch_.emplace().path() / "trace").string();
    if (path_.empty())
      return;
    file_.emplace(path_, head_);
    remove_traces_of_replicas(path_);
  }

  /// The file; empty if there is none. Those of replicas are beside it.
  const std::string& path() const { return path_; }

  /// When the run begins: a real one now.
  instant began() const { return head_.began; }

  /// @param scenario  as the command line names it
  static trace::header head(const options& o, const run_plan& plan, const std::string& scenario) {
    const bool is_real = plan.mode == run_mode::real;
    return {.program = std::string(app::version),
            .mode = std::string(to_string(plan.mode)),
            .scenario = plan.scenario->name,
            .seed = plan.seed,
            .command = fmt::format("troupe-sim {}{}{} --seed {}{}", plan.durable ? "--durable " : "",
                                   is_real ? "--real " : "", scenario, plan.seed,
                                   o.replica.empty() || o.ours ? "" : " --replica " + o.replica),
            .replica = "",
            .replicas = plan.scenario->replicas,
            .began = is_real ? instant{std::chrono::steady_clock::now().time_since_epoch()}
                             : actors::virtual_begin};
  }

  trace::recorder& recorder() { return recorder_; }

  void finish() {
    if (file_)
      sim::finish(*file_);
    if (page_.empty())
      return;
    if (head_.mode == to_string(run_mode::real))
      write_page(files(), page_);
    else
      write_page(format(head_) + trace::print(kept_.records()), path_.empty() ? head_.scenario : path_,
                 page_);
  }

 private:
  /// To all who want it.
  struct fork : trace::sink {
    explicit fork(run_trace& o) : owner(o) {}
    void take(std::string_view records) override {
      if (owner.file_)
        owner.file_->take(records);
      if (!owner.page_.empty() && owner.head_.mode != to_string(run_mode::real))
        owner.kept_.take(records);
    }
    void flush() override {
      if (owner.file_)
        owner.file_->flush();
    }
    run_trace& owner;
  };

  /// Of all processes that left one: a replica of somebody else does not.
  std::vector<std::string> files() const {
    std::vector<std::string> all{path_};
    for (std::size_t i = 0; i < head_.replicas; ++i)
      if (const auto one = fmt::format("{}.{}", path_, to_string(replica_id{static_cast<std::uint16_t>(i)}));
          std::filesystem::exists(one))
        all.push_back(one);
    return all;
  }

  trace::header head_;
  std::string page_;
  std::string path_;
  std::optional<scratch_directory> scratch_;
  std::optional<trace::file> file_;
  kept_records kept_;
  fork fork_{*this};
  trace::recorder recorder_{fork_};
};

/// Runs that failed tell the same mostly.
constexpr std::size_t most_unasked_traces = 10;

/// Plays a run on virtual time once more, for those who want to know why it failed. Returns words that say
/// where its trace is.
std::string record_again(const options& o, const run_plan& plan, const std::string& scenario) {
  struct : spectator {
    void replica_said(replica_id, duration, const std::string&) override {}
    void happened(duration, const std::string&) override {}
    void progressed(duration, replica_id) override {}
  } nobody_looks;
  trace::ring kept(unasked_bytes);
  trace::recorder recorder(kept);
  play_virtual(plan, nobody_looks, &recorder);
  try {
    return fmt::format("its trace: {}", write_unasked(kept, run_trace::head(o, plan, scenario)));
  } catch (const std::runtime_error& error) {
    return fmt::format("its trace could not be written: {}", error.what());
  }
}

} // namespace

run_results play_all(const std::vector<run_plan>& plans, const options& options, const watchdog& guard,
                     int stop) {
  real_setting setting{options.replica, guard, {}, nullptr, {}, stop};
  std::optional<run_trace> recorded;
  if (!options.trace.empty() || !options.html.empty()) // then there is only one
    recorded.emplace(options, plans.front());
  if (recorded) {
    setting.recorder = &recorded->recorder();
    setting.began = recorded->began();
    setting.trace = recorded->path();
  }
  terminal screen(plans.size());
  std::atomic<std::size_t> unasked = 0;
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
    if (!recorded && !outcome->verdict.passed() && ++unasked <= most_unasked_traces)
      screen.line(
          fmt::format("{} (seed {}) failed; {}", plans[number].scenario->name, plans[number].seed,
                      record_again(options, plans[number], options.scenarios[number / options.runs])));
    screen.count(outcome->verdict.passed());
    return !told_to_stop(stop);
  });
  run_results results;
  try {
    if (recorded)
      recorded->finish();
  } catch (const std::runtime_error& error) {
    results.unwritten = error.what();
  }
  results.planned = plans.size();
  results.stopped = !all;
  for (auto& outcome : outcomes)
    if (outcome)
      results.results.push_back(std::move(*outcome));
  return results;
}

} // namespace troupe::sim
