#include "app/sim/page_file.hpp"

#include "app/command_line.hpp"
#include "cluster/page/page.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace troupe::sim {

void write_page(const std::string& text, const std::string& name, const std::string& page) {
  std::vector<trace::recording> files;
  files.push_back(trace::read(text, name));
  try {
    page::write(trace::story(std::move(files)), page);
  } catch (const std::runtime_error& error) {
    throw app::usage_error(error.what());
  }
}

std::string write_page_beside(const std::string& trace) {
  std::ifstream file(trace, std::ios::binary);
  std::ostringstream text;
  if (!(text << file.rdbuf()))
    throw app::usage_error(fmt::format("{}: cannot be read again", trace));
  auto page = std::filesystem::path(trace).replace_extension(".html").string();
  write_page(text.str(), trace, page);
  return page;
}

} // namespace troupe::sim
