// troupe-trace show: a readable log.

#include "app/trace/command.hpp"
#include "app/trace/filter.hpp"
#include "protocol/wire/directory.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/color.h>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <optional>
#include <poll.h>
#include <tuple>
#include <unistd.h>

namespace troupe::trace_app {

namespace {

struct show_options {
  std::vector<std::string> files;
  trace_app::filter filter;
  bool follow = false;
  bool whole = false;
};

/// A line is cut here, unless all of it is wanted.
constexpr std::size_t longest_line = 220;
constexpr auto next_look = std::chrono::milliseconds(200);

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && !(no_colour && *no_colour);
}

/// What is lost or broken stands out, and what changed somebody's state.
fmt::text_style style_of(const trace::record& r) {
  if (r.event == "violation" || (r.kind == trace::event_kind::network && r.fate != "sent"))
    return fg(fmt::terminal_color::red);
  if (r.kind == trace::event_kind::note)
    return fg(fmt::terminal_color::yellow);
  if (r.raft.find("\"role\"") != r.raft.npos)
    return fg(fmt::terminal_color::green) | fmt::emphasis::bold;
  return {};
}

class printer {
 public:
  printer(const show_options& options, std::int64_t began)
      : options_(options), began_(began), colour_(wants_colour()) {}

  /// False if it is not among what is wanted.
  bool print(const trace::record& r) {
    if (!options_.filter.passes(r, began_))
      return false;
    auto line = fmt::format("{} #{:<6} {:<14} {}", seconds(r.begin - began_), r.id, place_of(r), describe(r));
    if (!options_.whole)
      line = shortened(std::move(line), longest_line);
    if (colour_)
      fmt::print("{}\n", fmt::styled(line, style_of(r)));
    else
      fmt::print("{}\n", line);
    return true;
  }

 private:
  const show_options& options_;
  std::int64_t began_;
  bool colour_;
};

/// Waits before the next look at the file. False as soon as nobody reads what is printed any more.
bool wait_for_more() {
  std::fflush(stdout);
  pollfd out{STDOUT_FILENO, 0, 0}; // told of errors alone: whoever read from a pipe is gone
  return ::poll(&out, 1, static_cast<int>(next_look.count())) != 1;
}

/// Until the end record, or for ever.
exit_status follow(const show_options& options) {
  if (options.files.size() != 1 || options.files.front() == "-")
    throw usage_error("--follow wants one file");
  const auto& path = options.files.front();
  std::ifstream file(path);
  if (!file)
    throw usage_error(fmt::format("{}: {}", path, std::strerror(errno)));
  if (std::filesystem::is_directory(path))
    throw usage_error(fmt::format("{}: {}", path, std::strerror(EISDIR)));
  std::uintmax_t read_bytes = 0;
  std::optional<printer> out;
  std::string line;
  for (std::size_t number = 0;;) {
    std::string more;
    const bool whole = static_cast<bool>(std::getline(file, more)) && !file.eof();
    line += more;
    read_bytes += more.size() + (whole ? 1 : 0);
    if (!whole) {
      std::error_code gone; // whoever removes a file may still write it
      if (const auto size = std::filesystem::file_size(path, gone); !gone && size < read_bytes)
        throw usage_error(fmt::format("{}: is shorter than it was: written anew?", path));
      file.clear();
      if (!wait_for_more())
        return all_right;
      continue;
    }
    try {
      if (++number == 1) {
        out.emplace(options, trace::read(line + "\n").began);
      } else {
        const auto r = trace::read_line(line);
        out->print(r);
        if (r.event == "end")
          return all_right;
      }
    } catch (const trace::read_error& error) {
      throw usage_error(fmt::format("{}: line {} {}", path, number, error.what()));
    }
    line.clear();
  }
}

exit_status show(const show_options& options) {
  const auto& [from, to] = std::tie(options.filter.from_s, options.filter.to_s);
  if (from && to && *from > *to)
    throw usage_error(fmt::format("--from {} is later than --until {}", *from, *to));
  if (options.follow)
    return follow(options);
  const auto story = read_story(options.files);
  for (const auto& f : story.files())
    fmt::print("{}: {} {}, seed {}, again: {}\n", f.path, f.mode, f.scenario.empty() ? f.replica : f.scenario,
               f.seed, f.command);
  printer out(options, story.began());
  bool any = false;
  for (const auto& r : story.records())
    any = out.print(r) || any;
  if (!any)
    fmt::print(stderr, "troupe-trace: none of {} events is like that\n", story.records().size());
  return any ? all_right : not_found;
}

/// As in a trace.
std::string check_id(const std::string& text) {
  const auto id = wire::parse_replica_id(text);
  return id && to_string(*id) == text ? "" : "must be four hexadecimal digits, such as 0001 or C000";
}

} // namespace

void add_show(CLI::App& app, exit_status& status) {
  auto o = std::make_shared<show_options>();
  auto* command = app.add_subcommand("show", "Prints a trace, a line for each event");
  command->add_option("files", o->files, "The traces of one run; - is the standard input")->required();
  command->add_option("--replica", o->filter.replicas, "Only of these, such as 0001; clients count as well")
      ->check(CLI::Validator(check_id, "", "id"));
  command->add_option("--actor", o->filter.actors, "Only in network, router, raft, log_store or net")
      ->check(CLI::IsMember({"network", "router", "raft", "log_store", "net"}));
  command->add_option("--type", o->filter.types, "Only messages of these types, or that carry one");
  command->add_option("--term", o->filter.terms, "Only what mentions one of these terms")
      ->check(app::whole_number_check());
  command->add_option("--key", o->filter.keys, "Only what mentions one of these keys");
  command->add_option("--client", o->filter.clients, "Only what mentions one of these clients");
  command->add_option("--mid", o->filter.mids, "Only what mentions one of these requests");
  command->add_option("--from", o->filter.from_s, "Only from this time on, in seconds since the run began")
      ->check(app::seconds_check(-app::longest_seconds, app::longest_seconds));
  command->add_option("--to,--until", o->filter.to_s, "Only up to this time, in seconds")
      ->check(app::seconds_check(-app::longest_seconds, app::longest_seconds));
  command->add_flag(
      "--changes", o->filter.changes,
      "Only what changed the state of Raft, but for leases that were prolonged, and what befell replicas");
  command->add_flag("--whole", o->whole, "Do not cut long lines");
  command->add_flag("--follow", o->follow, "Wait for more, while the file grows");
  command->callback([o, &status] { status = show(*o); });
}

} // namespace troupe::trace_app
