// troupe-check history: are these histories linearizable?

#include "app/check/command.hpp"
#include "app/check/history_report.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <memory>

namespace troupe::check {

namespace {

constexpr std::size_t largest_file_bytes = std::size_t{1} << 30U;
constexpr std::size_t mebibyte = std::size_t{1} << 20U;
constexpr std::size_t piece_bytes = std::size_t{1} << 16U;

struct history_options {
  std::vector<std::string> files;
  std::string format = "any";
  double time_limit_s = 10;
  std::size_t memory_mib = 256;
  std::string json;
};

std::optional<history::format> format_named(const std::string& name) {
  for (const auto f : {history::format::troupe, history::format::jepsen, history::format::edn})
    if (to_string(f) == name)
      return f;
  return std::nullopt;
}

struct closer {
  void operator()(std::FILE* file) const {
    if (file != stdin)
      std::fclose(file);
  }
};

/// Throws usage_error with the reason alone.
std::string read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, closer> file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
  if (!file)
    throw usage_error(std::strerror(errno));
  std::string text;
  for (std::size_t size = 0; size <= largest_file_bytes;) {
    text.resize(size + piece_bytes);
    size += std::fread(text.data() + size, 1, piece_bytes, file.get());
    if (size == text.size())
      continue;
    if (std::ferror(file.get()) != 0)
      throw usage_error(std::strerror(errno)); // a directory, for one
    text.resize(size);
    return text;
  }
  throw usage_error(fmt::format("longer than {} MiB", largest_file_bytes / mebibyte));
}

judged_file judge(const std::string& path, const history_options& options) {
  judged_file file;
  file.path = path;
  try {
    const auto text = read_file(path);
    if (text.starts_with(R"({"event":"header")"))
      throw usage_error(
          "is a trace: `troupe-check trace` judges it, `troupe-trace export --to history` makes a "
          "history of it");
    const auto named = format_named(options.format);
    const auto operations = history::read(text, named);
    file.format = named ? *named : *history::recognise(text);
    file.operations = operations.size();
    history::check_limits limits;
    limits.time = std::chrono::nanoseconds(static_cast<std::int64_t>(options.time_limit_s * 1e9));
    limits.memory_bytes = options.memory_mib * mebibyte;
    file.result = history::check(operations, limits);
  } catch (const history::read_error& error) {
    file.error = error.what();
    file.error_line = error.line;
  } catch (const usage_error& error) {
    file.error = error.what();
  }
  return file;
}

exit_status status_of(const judged_file& file) {
  if (!file.error.empty())
    return bad_input;
  switch (file.result.verdict) {
  case history::verdict::linearizable:
    return all_right;
  case history::verdict::not_linearizable:
    return not_right;
  case history::verdict::unknown:
    return undecided;
  }
  return bad_input;
}

void say(const judged_file& file, const history_options& options) {
  if (!file.error.empty())
    std::fputs(fmt::format("troupe-check: {}\n", format_error(file)).c_str(), stderr);
  else if (options.json != "-")
    std::fputs(format_text(file).c_str(), stdout);
  std::fflush(stdout);
}

void write_report(const std::vector<judged_file>& files, std::ofstream& to, const std::string& path) {
  const auto text = format_json(files);
  if (path == "-")
    std::fputs(text.c_str(), stdout);
  else if (!(to << text << std::flush))
    throw usage_error(fmt::format("{}: {}", path, std::strerror(errno)));
}

exit_status judge_all(const history_options& options) {
  app::refuse_to_overwrite(options.json, options.files);
  std::ofstream report;
  if (!options.json.empty() && options.json != "-") {
    report.open(options.json);
    if (!report)
      throw usage_error(fmt::format("{}: {}", options.json, std::strerror(errno)));
  }
  auto status = all_right;
  std::vector<judged_file> files;
  for (const auto& path : options.files) {
    files.push_back(judge(path, options));
    say(files.back(), options);
    status = std::max(status, status_of(files.back()));
  }
  if (!options.json.empty())
    write_report(files, report, options.json);
  return status;
}

} // namespace

void add_history_command(CLI::App& app, exit_status& status) {
  constexpr std::size_t most_mebibytes = std::size_t{1} << 16U; // where a search runs out of 32-bit numbers
  auto options = std::make_shared<history_options>();
  auto* command =
      app.add_subcommand("history", "Says whether histories of a key-value store are linearizable");
  command->footer(
      "Exit status: 0 if all are linearizable, 1 if one is not, 2 if one is unknown, 3 if one cannot be "
      "read or the call is wrong; of several the largest.");
  command->add_option("files", options->files, "The histories; - is the standard input")->required();
  command->add_option("--format", options->format, "What the files are, if that is not to be recognised")
      ->check(CLI::IsMember({"any", "troupe", "jepsen", "edn"}))
      ->capture_default_str();
  command->add_option("--time-limit", options->time_limit_s, "Seconds for each file; then it is unknown")
      ->check(app::seconds_check(0.001, app::longest_seconds))
      ->capture_default_str();
  command->add_option("--memory", options->memory_mib, "MiB that a search may remember; then it is unknown")
      ->check(CLI::Range(std::size_t{1}, most_mebibytes))
      ->capture_default_str();
  command->add_option("--json", options->json, "Write everything into this file; - is the standard output");
  command->callback([options, &status] { status = judge_all(*options); });
}

} // namespace troupe::check
