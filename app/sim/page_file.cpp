#include "app/sim/page_file.hpp"

#include "app/command_line.hpp"
#include "cluster/page/page.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>
#include <utility>

namespace troupe::sim {

namespace {

void write_story(std::vector<trace::recording> files, const std::string& page) {
  try {
    page::write(trace::story(std::move(files)), page);
  } catch (const std::runtime_error& error) {
    throw app::usage_error(error.what());
  }
}

} // namespace

std::string write_unasked(const trace::ring& kept, const trace::header& head, const std::string& suffix) {
  const auto path =
      (app::temporary_folder() / fmt::format("troupe-{}-{}{}-{}.jsonl",
                                             std::filesystem::path(head.scenario).stem().string(), head.seed,
                                             suffix, ::getpid()))
          .string();
  trace::file file(path, head, trace::file::place::fresh);
  file.take(kept.records());
  finish(file);
  return path;
}

void finish(trace::file& file) {
  file.flush();
  if (const auto error = file.error(); !error.empty())
    throw app::usage_error(error);
}

void refuse_dash(const std::string& file, std::string_view what) {
  if (file == "-")
    throw app::usage_error(fmt::format("the standard output is taken: - is no place for a {}", what));
}

void require_folder_of(const std::string& file) {
  const auto folder = std::filesystem::path(file).parent_path() / ".";
  if (!file.empty() && ::access(folder.c_str(), W_OK | X_OK) != 0)
    throw app::usage_error(fmt::format("{}: {}", file, std::strerror(errno)));
}

void require_writable(const std::string& file) {
  if (!file.empty() && !std::ofstream(file, std::ios::app))
    throw app::usage_error(fmt::format("{}: {}", file, std::strerror(errno)));
}

void write_page(const std::string& text, const std::string& name, const std::string& page) {
  std::vector<trace::recording> files;
  files.push_back(trace::read(text, name));
  write_story(std::move(files), page);
}

void write_page(const std::vector<std::string>& traces, const std::string& page) {
  std::vector<trace::recording> files;
  for (const auto& path : traces)
    files.push_back(trace::read(app::read_file(path), path));
  write_story(std::move(files), page);
}

std::string write_page_beside(const std::string& trace) {
  auto page = std::filesystem::path(trace).replace_extension(".html").string();
  write_page(std::vector{trace}, page);
  return page;
}

} // namespace troupe::sim
