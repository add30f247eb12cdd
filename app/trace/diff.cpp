// troupe-trace diff: where two traces of the same seed part.

#include "app/trace/command.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

namespace troupe::trace_app {

namespace {

constexpr std::size_t lines_before = 3;

struct diff_options {
  std::string a;
  std::string b;
};

/// The last one is without its newline where the file is cut off.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end == text.npos ? end : end + 1));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

std::string readable(std::string_view line, std::int64_t began) {
  if (!line.ends_with('\n'))
    return "(cut off in the middle of a line)";
  line.remove_suffix(1);
  try {
    const auto r = trace::read_line(line);
    return fmt::format("{} #{:<6} {:<14} {}", seconds(r.begin - began), r.id, place_of(r), describe(r));
  } catch (const trace::read_error& error) {
    return fmt::format("(a line that {})", error.what());
  }
}

/// What its first line says.
trace::recording header_of(const std::string& text, const std::string& path) {
  try {
    return trace::read(text.substr(0, text.find('\n') + 1), path);
  } catch (const trace::read_error& error) {
    throw usage_error(fmt::format("{}: {}", path, error.what()));
  }
}

/// What makes a run the same, but for the program that played it.
std::string run_of(const trace::recording& head) {
  return fmt::format("{}{}, seed {}, {}", head.scenario, head.replica, head.seed, head.mode);
}

exit_status diff(const diff_options& o) {
  const auto text_a = app::read_file(o.a);
  const auto text_b = app::read_file(o.b);
  const auto head_a = header_of(text_a, o.a);
  const auto head_b = header_of(text_b, o.b);
  const auto a = lines_of(text_a);
  const auto b = lines_of(text_b);
  if (const auto of_a = run_of(head_a), of_b = run_of(head_b); of_a != of_b)
    fmt::print("they are traces of different runs: A of {}, B of {}\n", of_a, of_b);
  std::size_t i = 1; // the headers may name different commands
  while (i < a.size() && i < b.size() && a[i] == b[i])
    ++i;
  if (i == a.size() && i == b.size()) {
    fmt::print("the same {} events\n", i - 1);
    return all_right;
  }
  fmt::print("they part at line {}, behind {} events that are the same\n", i + 1, i - 1);
  for (auto before = i > lines_before ? i - lines_before : 1; before < i; ++before)
    fmt::print("    {}\n", readable(a[before], head_a.began));
  fmt::print("A:  {}\n", i < a.size() ? readable(a[i], head_a.began) : "(the end)");
  fmt::print("B:  {}\n", i < b.size() ? readable(b[i], head_b.began) : "(the end)");
  return not_found;
}

} // namespace

void add_diff(CLI::App& app, exit_status& status) {
  auto o = std::make_shared<diff_options>();
  auto* command = app.add_subcommand("diff", "Finds the first event at which two traces of one seed differ");
  command->add_option("a", o->a, "A trace")->required();
  command->add_option("b", o->b, "Another one")->required();
  command->callback([o, &status] { status = diff(*o); });
}

} // namespace troupe::trace_app
