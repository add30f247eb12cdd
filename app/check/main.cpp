// troupe-check: judges what a run left behind. Each command has a file of its own.

#include "app/check/command.hpp"

namespace {

using namespace troupe::check;

exit_status run(int argc, char** argv) {
  auto status = all_right;
  CLI::App app("Judges what a run left behind.", "troupe-check");
  app.require_subcommand(1);
  add_history_command(app, status);
  add_trace_command(app, status);
  add_log_command(app, status);
  troupe::app::read_arguments(app, argc, argv);
  return status;
}

} // namespace

int main(int argc, char** argv) {
  return troupe::app::run_program("troupe-check", bad_input, [&] { return run(argc, argv); });
}
