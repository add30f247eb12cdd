// troupe-trace export: a run in the words of other programs.

#include "app/trace/command.hpp"
#include "app/trace/records.hpp"
#include "cluster/trace/export/exporter.hpp"
#include "cluster/trace/export/ordering.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <optional>

namespace troupe::trace_app {

namespace {

constexpr std::size_t written_at_once_bytes = std::size_t{1} << 16U;

struct export_options {
  std::vector<std::string> files;
  std::string to;
  std::string out = "-";
  bool actors = false;
  std::optional<double> from_s;
  std::optional<double> until_s;
  double time_limit_s = 10;
};

/// A file, or the standard output.
class output {
 public:
  explicit output(const std::string& path)
      : name_(path == "-" ? "the standard output" : path),
        file_(path == "-" ? stdout : std::fopen(path.c_str(), "wb")) {
    if (!file_)
      fail();
  }
  output(const output&) = delete;
  output& operator=(const output&) = delete;
  ~output() {
    if (file_ && file_ != stdout)
      std::fclose(file_);
  }

  void write(std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size())
      fail();
    text.clear();
  }

  void close() {
    auto* const file = std::exchange(file_, nullptr);
    if ((file == stdout ? std::fflush(file) : std::fclose(file)) != 0)
      fail();
  }

 private:
  [[noreturn]] void fail() const { throw usage_error(fmt::format("{}: {}", name_, std::strerror(errno))); }

  std::string name_;
  std::FILE* file_;
};

bool is_about_clients(const export_options& o) { return o.to == "porcupine" || o.to == "history"; }

std::unique_ptr<trace::exporter> exporter_for(const export_options& o, std::string& text) {
  history::check_limits limits;
  limits.time = std::chrono::nanoseconds(static_cast<std::int64_t>(o.time_limit_s * 1e9));
  if (o.to == "shiviz")
    return trace::to_shiviz(text, o.actors ? trace::shiviz_hosts::actors : trace::shiviz_hosts::processes);
  if (o.to == "perfetto")
    return trace::to_perfetto(text);
  return o.to == "porcupine" ? trace::to_porcupine(text, limits) : trace::to_history(text);
}

bool passes(const export_options& o, std::int64_t since_begin) {
  const auto s = static_cast<double>(since_begin) / 1e9;
  return (!o.from_s || s >= *o.from_s) && (!o.until_s || s <= *o.until_s);
}

/// A read may find what was written before the trace begins.
void warn_of_late_beginning(const export_options& o, const trace::record& first) {
  if (is_about_clients(o) && first.event != "start" && first.event != "fault" && first.lamport > 2)
    fmt::print(
        stderr,
        "troupe-trace: the trace does not begin with the run: gets may find what nobody in it wrote\n");
}

/// What clients were told by others is not in it.
void warn_of_missing_files(const export_options& o, const std::string& missing) {
  if (is_about_clients(o) && !missing.empty())
    fmt::print(stderr,
               "troupe-trace: the traces of {} are not given: gets may find what nobody in it wrote\n",
               missing);
}

exit_status export_trace(const export_options& o) {
  if (is_about_clients(o) && (o.from_s || o.until_s))
    throw usage_error(
        fmt::format("--from and --until are not for {}: a part of a history proves nothing", o.to));
  if (o.actors && o.to != "shiviz")
    throw usage_error("--actors is for shiviz");
  app::refuse_to_overwrite(o.out, o.files);
  record_source records(o.files);
  warn_of_missing_files(o, records.missing_members());
  output out(o.out);
  std::string text;
  const auto exporter = exporter_for(o, text);
  trace::ordering ordered([&](const trace::record& r) {
    exporter->take(r);
    if (text.size() >= written_at_once_bytes)
      out.write(text);
  });
  trace::record r;
  for (bool first = true; records.next(r); first = false) {
    if (first)
      warn_of_late_beginning(o, r);
    if (passes(o, r.begin - records.began()))
      ordered.take(std::move(r));
  }
  ordered.finish();
  try {
    exporter->finish();
  } catch (const trace::export_error& error) {
    throw usage_error(error.what());
  }
  out.write(text);
  out.close();
  return all_right;
}

} // namespace

void add_export(CLI::App& app, exit_status& status) {
  auto o = std::make_shared<export_options>();
  auto* command = app.add_subcommand("export", "Writes a trace in the format of another program");
  command->footer("docs/trace_export.md says how each is opened.");
  command->add_option("files", o->files, "The traces of one run; - is the standard input")->required();
  command->add_option("--to", o->to, "shiviz, perfetto, porcupine, or history for troupe-check")
      ->required()
      ->check(CLI::IsMember({"shiviz", "perfetto", "porcupine", "history"}));
  command->add_option("-o,--out", o->out, "Write into this file; - is the standard output")
      ->capture_default_str();
  command->add_flag("--actors", o->actors, "shiviz: a host for each actor, not for each replica");
  command
      ->add_option("--from", o->from_s,
                   "shiviz, perfetto: only from this time on, in seconds since the run began")
      ->check(app::seconds_check(-app::longest_seconds, app::longest_seconds));
  command->add_option("--until", o->until_s, "shiviz, perfetto: only up to this time, in seconds")
      ->check(app::seconds_check(-app::longest_seconds, app::longest_seconds));
  command
      ->add_option("--time-limit", o->time_limit_s,
                   "porcupine: seconds for the search for an order of the operations")
      ->check(app::seconds_check(0.001, app::longest_seconds))
      ->capture_default_str();
  command->callback([o, &status] { status = export_trace(*o); });
}

} // namespace troupe::trace_app
