#include "app/sim/script.hpp"

#include "app/sim/options.hpp"
#include "cluster/script/play.hpp"

#include <filesystem>
#include <fmt/format.h>

namespace troupe::sim {

namespace {

void print_line(const std::string& text) { std::fputs((text + "\n").c_str(), stdout); }

/// False if an expectation was not met.
bool play_one(const script::story& story, bool verbose, bool is_alone) {
  if (verbose && !is_alone)
    print_line(story.origin + ":");
  const auto name = std::filesystem::path(story.origin).stem().string();
  const auto failure = script::play(story, verbose ? print_line : script::teller());
  print_line(fmt::format("{:<6}  {}: {}", failure ? "FAILED" : "ok", name, story.title));
  if (failure)
    std::fputs(script::describe(*failure, story.origin).c_str(), stdout);
  std::fflush(stdout);
  return !failure;
}

} // namespace

int run_scripts(int argc, char** argv) {
  std::vector<std::string> files;
  bool verbose = false;
  CLI::App app("Plays scripts: what becomes of a cluster, message by message.", "troupe-sim script");
  app.footer("Exit status: 0 if all expectations were met, 1 if one was not, 2 for bad input.");
  app.add_option("file", files, "Scripts; - is the standard input; docs/scripts.md describes them")
      ->required();
  app.add_flag("--verbose", verbose, "Tell each statement, message and change of roles");
  if (!app::read_arguments(app, argc, argv))
    return 0;
  // All of them first: nobody wants half of the stories and then a complaint.
  std::vector<script::story> stories;
  for (const auto& file : files)
    stories.push_back(file == "-" ? script::parse(app::read_file(file), file) : script::load(file));
  bool all = true;
  for (const auto& story : stories)
    all = play_one(story, verbose, stories.size() == 1) && all;
  return all ? 0 : 1;
}

} // namespace troupe::sim
