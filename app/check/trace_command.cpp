// troupe-check trace: does a trace keep the rules?

#include "app/check/command.hpp"
#include "cluster/history/linearizable.hpp"
#include "cluster/history/witness.hpp"
#include "cluster/trace/history_of.hpp"
#include "cluster/trace/judge.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace troupe::check {

namespace {

struct trace_options {
  std::vector<std::string> files;
  double time_limit_s = 10;
};

trace::recording read_recording(const std::string& path) {
  try {
    return trace::read(app::read_file(path), path);
  } catch (const trace::read_error& error) {
    throw usage_error(fmt::format("{}: {}", path, error.what()));
  }
}

/// Times count from `began`, as in all tools.
std::string describe(const trace::record& r, std::int64_t began) {
  const auto place = r.kind == trace::event_kind::message ? fmt::format("{}/{}", r.replica, r.to) : r.replica;
  auto text = fmt::format("{:.6f} #{} {} {}", static_cast<double>(r.begin - began) / 1e9, r.id, place,
                          r.kind == trace::event_kind::message ? r.type : r.event);
  if (!r.content.empty())
    text += " " + trace::parse(r.content).print();
  if (!r.raft.empty())
    text += fmt::format("  => {}", trace::parse(r.raft).print());
  return text;
}

exit_status judge_history(const trace::story& s, double limit_s) {
  const auto told = trace::history_of(s);
  if (told.operations.empty()) {
    fmt::print("no client's operations are in it\n");
    return all_right;
  }
  if (told.is_cut) {
    fmt::print("linearizability: unknown: long values are cut in a trace, and appends need whole ones\n");
    return undecided;
  }
  if (const auto* late = trace::find_late_beginning(s)) {
    fmt::print("linearizability: unknown: {} does not begin with the run\n", late->path);
    return undecided;
  }
  if (const auto missing = trace::missing_members(s.files()); !missing.empty()) {
    fmt::print("linearizability: unknown: the traces of {} are not given\n", missing);
    return undecided;
  }
  if (!history::find_misfit(told.operations, told.writes_in_log)) {
    fmt::print("{} operations of clients: linearizable, in the order of the log\n", told.operations.size());
    return all_right;
  }
  history::check_limits limits;
  limits.time = std::chrono::nanoseconds(static_cast<std::int64_t>(limit_s * 1e9));
  const auto result = history::check(told.operations, limits);
  if (result.verdict == history::verdict::not_linearizable && told.lacks_entries) {
    fmt::print("linearizability: unknown: a replica was given a state with entries that are in no trace\n");
    return undecided;
  }
  fmt::print("{} operations of clients: {}\n", told.operations.size(), to_string(result.verdict));
  if (result.explanation)
    fmt::print("{}\n", result.explanation->why);
  if (!result.undecided.empty())
    fmt::print("{}; --time-limit gives it more\n", result.undecided);
  return result.verdict == history::verdict::linearizable ? all_right
         : result.verdict == history::verdict::unknown    ? undecided
                                                          : not_right;
}

exit_status judge(const trace_options& o) {
  app::refuse_repeated(o.files);
  std::vector<trace::recording> files;
  bool damaged = false;
  for (const auto& path : o.files) {
    files.push_back(read_recording(path));
    if (!files.back().damage.empty())
      fmt::print("{}: {}\n", path, files.back().damage);
    else if (!files.back().complete)
      fmt::print("{}: has no end record: its process was killed, or still runs\n", path);
    damaged = damaged || !files.back().damage.empty();
  }
  if (const auto why = trace::why_not_one_run(files); !why.empty())
    throw usage_error(why);
  const trace::story s(std::move(files));
  if (std::none_of(s.records().begin(), s.records().end(),
                   [](const auto& r) { return r.kind == trace::event_kind::message; })) {
    fmt::print(
        "unknown: no message of a replica's actors is in it; every process writes a file of its own\n");
    return undecided;
  }
  if (const auto broken = trace::find_violation(s)) {
    fmt::print("broken: {}\n", broken->what);
    for (const auto* r : broken->events)
      if (r)
        fmt::print("  {}\n", describe(*r, s.began()));
    return not_right;
  }
  fmt::print("{} events: no rule of Raft is broken{}\n", s.records().size(),
             damaged ? ", up to the damage" : "");
  const auto status = judge_history(s, o.time_limit_s);
  return damaged ? std::max(status, status == not_right ? not_right : undecided) : status;
}

} // namespace

void add_trace_command(CLI::App& app, exit_status& status) {
  auto o = std::make_shared<trace_options>();
  auto* command = app.add_subcommand("trace", "Says whether a run kept the rules, as far as its traces show");
  command->footer(
      "Exit status: 0 if no rule is broken, 1 if one is, 2 if that is unknown, 3 if a file cannot be "
      "read or the call is wrong.");
  command
      ->add_option("files", o->files,
                   "The traces of one run: of a process each, or one of a cluster; - is the standard input")
      ->required();
  command->add_option("--time-limit", o->time_limit_s, "Seconds for the clients' history; then it is unknown")
      ->check(app::seconds_check(0.001, app::longest_seconds))
      ->capture_default_str();
  command->callback([o, &status] { status = judge(*o); });
}

} // namespace troupe::check
