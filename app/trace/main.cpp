// troupe-trace: looks at what a run left behind. Each command has a file of its own.

#include "app/command_line.hpp"
#include "app/trace/command.hpp"

namespace {

using namespace troupe::trace_app;

exit_status run(int argc, char** argv) {
  auto status = all_right;
  CLI::App app("Looks at traces, which troupe-sim and troupe-replica write with --trace.", "troupe-trace");
  app.require_subcommand(1);
  app.footer("Exit status: 0; 1 if what was asked for is not there, or two traces differ; 2 for bad input.");
  add_show(app, status);
  add_explain(app, status);
  add_stats(app, status);
  add_diff(app, status);
  add_html(app, status);
  add_export(app, status);
  troupe::app::read_arguments(app, argc, argv);
  return status;
}

} // namespace

int main(int argc, char** argv) {
  return troupe::app::run_program("troupe-trace", bad_input, [&] { return run(argc, argv); });
}
