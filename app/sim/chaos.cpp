#include "app/sim/chaos.hpp"

#include "actors/loop.hpp"
#include "app/sim/chaos_report.hpp"
#include "app/sim/crew.hpp"
#include "app/sim/options.hpp"
#include "app/sim/page_file.hpp"
#include "app/sim/stop_signal.hpp"
#include "app/sim/terminal.hpp"
#include "app/version.hpp"
#include "cluster/chaos/shrink.hpp"
#include "cluster/history/write.hpp"

#include <cerrno>
#include <cstring>
#include <deque>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <random>

namespace troupe::sim {

namespace {

/// How many lines before the broken rule are shown.
constexpr std::size_t last_moments = 30;

struct chaos_options {
  std::optional<std::uint64_t> seed;
  std::size_t runs = 100;
  std::size_t jobs = 1;
  double storm = 0; ///< seconds
  std::vector<std::string> faults;
  std::string keep;
  std::string trace;             ///< where to write what happened
  std::string html;              ///< where to write the page that shows the only run
  std::string history;           ///< where to write the clients' history
  std::size_t max_failures = 10; ///< after so many the others have nothing new to tell
  bool shrink = false;
  bool durable = false;
  std::size_t shrink_trials = 2'000;
  bool verbose = false;
};

/// What all runs together have seen.
struct totals {
  std::size_t runs = 0;
  std::size_t answered = 0;
  std::size_t given_up = 0;
  std::uint64_t steps = 0;
  std::uint64_t messages = 0;
  std::uint64_t terms = 0;
  std::uint64_t committed = 0;
  std::map<std::string, std::size_t> faults;
  duration took{0};
  duration longest_recovery{0};

  void add(const chaos::schedule& s, const chaos::outcome& o) {
    ++runs;
    answered += o.answered;
    given_up += o.given_up;
    steps += o.steps;
    messages += o.messages;
    terms += o.terms;
    committed += o.committed;
    took += o.took;
    longest_recovery = std::max(longest_recovery, o.recovery);
    for (const auto& f : s.faults)
      ++faults[std::string(to_string(f.kind))];
  }
};

/// Since the run began, and with it the storm: as in schedules, traces and pages.
double since_begin(instant t) { return in_seconds(t - actors::virtual_begin); }

std::optional<chaos_options> parse(int argc, char** argv) {
  chaos_options o;
  CLI::App app("Plays random clusters, workloads and faults on virtual time, and judges every run.",
               "troupe-sim chaos");
  app.footer(
      "Exit status: 0 if no rule was broken, 1 if one was, 2 for bad input or a file that could not be "
      "written, 130 if interrupted.");
  app.add_option("--seed", o.seed, "Seed of the first run; the next run takes the next number")
      ->check(app::whole_number_check());
  app.add_option("--runs", o.runs, "How many runs")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}))
      ->capture_default_str();
  app.add_option("--jobs", o.jobs, "How many runs go on side by side")
      ->check(CLI::Range(std::size_t{1}, std::size_t{256}))
      ->capture_default_str();
  app.add_option("--for", o.storm,
                 "How long the faults go on, in seconds of virtual time; 2 to 20 unless given")
      ->check(app::seconds_check(0.001, 86'400.0));
  app.add_option("--faults", o.faults,
                 "Only these kinds: crash, pause, cut, one-way, loss, repeat, late, slow, transfer, disk, "
                 "and with --durable broken-disk")
      ->delimiter(',');
  app.add_flag("--durable", o.durable,
               "Logs are files on disks that lose what was not synced, and crashes come in the middle of "
               "writing to them, too");
  app.add_option("--max-failures", o.max_failures, "Stop after so many runs that failed")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}))
      ->capture_default_str();
  app.add_flag("--shrink", o.shrink, "Cut the schedule of the first run that fails down to a smallest one");
  app.add_option("--shrink-trials", o.shrink_trials, "How often to play for that at most")
      ->capture_default_str();
  app.add_option("--keep", o.keep,
                 "Play only these items of the schedule, as --shrink prints them: f0,f3-7,r12; or none");
  app.add_option("--history", o.history,
                 "Write what the clients of the only run did and were told, for troupe-check history");
  app.add_option(
      "--trace", o.trace,
      "Write every message of the only run, or of each run that fails, for troupe-trace; of several "
      "runs, and of one that was cut down, the seed is put into the name. A run that fails gets a page "
      "beside its trace; without this "
      "option its trace is left in the folder for temporary files");
  app.add_option("--html", o.html, "Write a page that shows the only run, for a browser");
  app.add_flag("--verbose", o.verbose, "Tell everything that happens");
  if (!app::read_arguments(app, argc, argv))
    return std::nullopt;
  if (!o.history.empty() && o.runs != 1)
    throw usage_error("--history wants --runs 1");
  if (!o.html.empty() && o.runs != 1)
    throw usage_error("--html wants --runs 1");
  app::refuse_to_mix({o.history, o.trace, o.html});
  refuse_dash(o.html, "page");
  refuse_dash(o.history, "history");
  refuse_dash(o.trace, "trace");
  require_folder_of(o.trace);
  require_writable(o.html);
  require_writable(o.history);
  return o;
}

class chaos_session {
 public:
  chaos_session(chaos_options o, const player& play)
      : options_(std::move(o)), play_(play), screen_(options_.runs) {
    for (const auto& word : options_.faults)
      wishes_.faults.insert(chaos::fault_kind_of(word));
    if (wishes_.faults.contains(chaos::fault_kind::broken_disk) && !options_.durable)
      throw usage_error("--faults broken-disk wants --durable");
    wishes_.storm = std::chrono::duration_cast<duration>(std::chrono::duration<double>(options_.storm));
    wishes_.durable = options_.durable;
    first_seed_ = options_.seed.value_or(std::random_device{}());
  }

  int run() {
    const stop_signal stop(stop_signal::second::ends_at_once);
    const auto begun = std::chrono::steady_clock::now();
    side_by_side(options_.runs, options_.jobs, [&](std::size_t number) {
      play_one(first_seed_ + number);
      const std::lock_guard lock(mutex_);
      return failed_.size() < options_.max_failures && !told_to_stop(stop.descriptor());
    });
    const bool interrupted = told_to_stop(stop.descriptor());
    const auto real = std::chrono::steady_clock::now() - begun;
    if (options_.shrink && failed_.empty())
      screen_.line("no run failed: there is nothing to cut down");
    else if (options_.shrink)
      shrink(failed_.begin()->first);
    print_totals(real);
    if (interrupted)
      fmt::print("interrupted after {} of {}\n", totals_.runs, app::counted(options_.runs, "run"));
    else if (totals_.runs < options_.runs)
      fmt::print("stopped after {} (--max-failures)\n", app::counted(failed_.size(), "failure"));
    std::fflush(stdout);
    for (const auto& why : unwritten_)
      screen_.line(fmt::format("troupe-sim: {}", why));
    if (!failed_.empty())
      return 1;
    if (!unwritten_.empty())
      return 2;
    return interrupted ? 130 : 0;
  }

 private:
  chaos::schedule schedule_of(std::uint64_t seed) const {
    auto s = chaos::draw(seed, wishes_);
    if (!options_.keep.empty())
      chaos::keep(s, options_.keep);
    return s;
  }

  void play_one(std::uint64_t seed) {
    const auto s = schedule_of(seed);
    chaos::teller tell;
    if (options_.verbose)
      tell = [&](instant t, const std::string& text) {
        screen_.line(fmt::format("{:.6f} {}", since_begin(t), text));
      };
    auto outcome = play_as_wished(s, tell);
    {
      const std::lock_guard lock(mutex_);
      totals_.add(s, outcome);
      if (!outcome.passed())
        failed_.emplace(seed, outcome.rule());
    }
    if (!options_.history.empty())
      attempt(unwritten_, [&] { write_history(outcome.history); });
    if (options_.verbose)
      screen_.line(fmt::format("seed {}: hash {:016x}, {} steps of Raft", seed, outcome.hash, outcome.steps));
    if (!outcome.passed())
      report(s, outcome, "");
    screen_.count(outcome.passed());
  }

  trace::header header_of(const chaos::schedule& s, const std::string& selection) const {
    return {.program = std::string(app::version),
            .mode = "virtual",
            .scenario = "chaos",
            .seed = s.seed,
            .command = replay_command(s.seed, selection),
            .replica = "",
            .replicas = s.setup.replicas,
            .began = actors::virtual_begin};
  }

  chaos::outcome play_as_wished(const chaos::schedule& s, const chaos::teller& tell) {
    if (!options_.html.empty())
      return play_for_page(s, tell);
    if (options_.trace.empty() || options_.runs != 1)
      return play_(s, tell, nullptr);
    auto outcome = play_traced(s, tell, options_.trace, "", unwritten_);
    lacks_trace_ = !unwritten_.empty();
    return outcome;
  }

  /// Writes something. Why that was not possible is told behind what came of the run.
  template <class Write>
  static void attempt(std::vector<std::string>& unwritten, Write&& write) {
    try {
      write();
    } catch (const std::runtime_error& error) {
      unwritten.emplace_back(error.what());
    }
  }

  chaos::outcome play_for_page(const chaos::schedule& s, const chaos::teller& tell) {
    kept_records kept;
    trace::recorder recorder(kept);
    auto outcome = play_(s, tell, &recorder);
    recorder.flush();
    const auto head = header_of(s, "");
    if (!options_.trace.empty())
      attempt(unwritten_, [&] {
        trace::file file(options_.trace, head);
        file.take(kept.records());
        finish(file);
      });
    lacks_trace_ = !unwritten_.empty();
    attempt(unwritten_, [&] {
      write_page(format(head) + trace::print(kept.records()),
                 options_.trace.empty() ? head.scenario : options_.trace, options_.html);
    });
    return outcome;
  }

  /// Also if the trace cannot be written.
  chaos::outcome play_traced(const chaos::schedule& s, const chaos::teller& tell, const std::string& path,
                             const std::string& selection, std::vector<std::string>& unwritten) {
    std::optional<trace::file> file;
    attempt(unwritten, [&] { file.emplace(path, header_of(s, selection)); });
    if (!file)
      return play_(s, tell, nullptr);
    trace::recorder recorder(*file);
    auto outcome = play_(s, tell, &recorder);
    recorder.flush();
    attempt(unwritten, [&] { finish(*file); });
    return outcome;
  }

  void write_history(const history::operations& told) {
    std::ofstream file(options_.history);
    history::write(told, file);
    if (!file.flush())
      throw usage_error(fmt::format("{}: {}", options_.history, std::strerror(errno)));
  }

  /// Plays it once more and listens: nobody pays for the words of a run that passes.
  void report(const chaos::schedule& s, const chaos::outcome& o, const std::string& selection) {
    std::deque<std::string> lines;
    const auto keep_last = [&](instant t, const std::string& text) {
      lines.push_back(fmt::format("  {:.6f} {}", since_begin(t), text));
      if (lines.size() > last_moments)
        lines.pop_front();
    };
    const bool is_wanted = !options_.trace.empty();
    failure_traces left;
    std::vector<std::string> unwritten;
    if (is_wanted && options_.runs == 1 && selection.empty()) {
      left.trace = lacks_trace_ ? "" : options_.trace;
      play_(s, keep_last, nullptr); // it was recorded the first time
    } else if (is_wanted) {
      left.trace = trace_of_one(options_.trace, s.seed);
      play_traced(s, keep_last, left.trace, selection, unwritten);
    } else {
      trace::ring kept(unasked_bytes);
      trace::recorder recorder(kept);
      play_(s, keep_last, &recorder);
      attempt(unwritten, [&] {
        left.trace = write_unasked(kept, header_of(s, selection), selection.empty() ? "" : "-small");
      });
    }
    if (!unwritten.empty())
      left.trace.clear();
    else if (is_wanted && !left.trace.empty())
      attempt(unwritten, [&] { left.page = write_page_beside(left.trace); });
    left.replay = replay_command(s.seed, selection);
    left.last_moments = fmt::format("{}", fmt::join(lines, "\n"));
    left.unwritten = fmt::format("{}", fmt::join(unwritten, "; "));
    screen_.line(describe_failure(s, o, left));
  }

  std::string replay_command(std::uint64_t seed, const std::string& selection) const {
    auto text = fmt::format("troupe-sim chaos --seed {} --runs 1", seed);
    if (options_.storm > 0)
      text += fmt::format(" --for {}", options_.storm);
    if (options_.durable)
      text += " --durable";
    if (!options_.faults.empty())
      text += fmt::format(" --faults {}", fmt::join(options_.faults, ","));
    const auto& keep = selection.empty() ? options_.keep : selection;
    return keep.empty() ? text : fmt::format("{} --keep {}", text, keep);
  }

  void shrink(std::uint64_t seed) {
    const auto& rule = failed_.at(seed);
    const auto result = chaos::shrink(
        schedule_of(seed), rule,
        [this](const chaos::schedule& s) { return play_(s, nullptr, nullptr).rule(); },
        options_.shrink_trials);
    const auto& s = result.schedule;
    std::string text = fmt::format("seed {} cut down in {} trials{}; faults: {}, requests: {}\n", seed,
                                   result.trials, result.smallest ? "" : " (there may be a smaller one)",
                                   s.faults.size(), s.requests.size());
    for (const auto& f : s.faults)
      text += fmt::format("  {}\n", chaos::describe(f));
    for (const auto& r : s.requests)
      text += fmt::format("  {}\n", chaos::describe(r));
    text.pop_back();
    screen_.line(text);
    report(s, play_(s, nullptr, nullptr), chaos::selection_of(s));
  }

  void print_totals(std::chrono::steady_clock::duration real) {
    std::string faults;
    for (const auto& [kind, count] : totals_.faults)
      faults += fmt::format("{}{} {}", faults.empty() ? "" : ", ", count, kind);
    const auto real_seconds = std::chrono::duration<double>(real).count();
    fmt::print("{} from seed {}: {} failed\n"
               "{} requests answered, {} given up by clients that ask once; {} entries committed\n"
               "{} messages, {} steps of Raft, {} terms; faults: {}\n"
               "back at work after at most {:.3f} s; {:.0f} s of virtual time in {:.1f} s ({:.0f} times real "
               "time)\n",
               app::counted(totals_.runs, "run"), first_seed_, failed_.size(), totals_.answered,
               totals_.given_up, totals_.committed, totals_.messages, totals_.steps, totals_.terms,
               faults.empty() ? "none" : faults, in_seconds(totals_.longest_recovery),
               in_seconds(totals_.took), real_seconds,
               in_seconds(totals_.took) / std::max(real_seconds, 1e-9));
  }

  chaos_options options_;
  const player& play_;
  terminal screen_;
  chaos::wishes wishes_;
  std::uint64_t first_seed_ = 0;
  std::vector<std::string> unwritten_; ///< why files of the only run are missing
  bool lacks_trace_ = false;           ///< its trace is one of them
  std::mutex mutex_;                   ///< guards what follows
  totals totals_;
  std::map<std::uint64_t, std::string> failed_; ///< the rule, by seed
};

} // namespace

int chaos_command(int argc, char** argv, const player& play) {
  const auto options = parse(argc, argv);
  if (!options)
    return 0;
  try {
    return chaos_session(*options, play).run();
  } catch (const std::invalid_argument& error) {
    throw usage_error(error.what());
  }
}

} // namespace troupe::sim
