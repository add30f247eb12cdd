// troupe-trace html: a run as a page for a browser.

#include "app/trace/command.hpp"
#include "cluster/page/page.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <iostream>
#include <memory>

namespace troupe::trace_app {

namespace {

struct html_options {
  std::vector<std::string> files;
  std::string page;
};

exit_status html(const html_options& o) {
  app::refuse_to_overwrite(o.page, o.files);
  const auto story = read_story(o.files);
  if (o.page == "-")
    page::write(story, std::cout);
  else
    page::write(story, o.page);
  return all_right;
}

} // namespace

void add_html(CLI::App& app, exit_status& status) {
  auto o = std::make_shared<html_options>();
  auto* command = app.add_subcommand("html", "Writes a page that shows a run: open it in a browser");
  command->add_option("files", o->files, "The traces of one run; - is the standard input")->required();
  command->add_option("-o,--out,--output", o->page, "The page; - is the standard output")->required();
  command->callback([o, &status] { status = html(*o); });
}

} // namespace troupe::trace_app
