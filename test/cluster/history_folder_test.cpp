// Histories of others with known verdicts, which are not part of this repository: TROUPE_HISTORIES names the
// folder that has them, with a table verdicts.tsv of file, format and true or false.

#include "cluster/history/linearizable.hpp"
#include "cluster/history/read.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

using namespace troupe;

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

TEST_CASE("histories with known verdicts are judged as is known") {
  const char* folder = std::getenv("TROUPE_HISTORIES");
  if (folder == nullptr) {
    MESSAGE("skipped: TROUPE_HISTORIES names no folder with histories and verdicts.tsv");
    return;
  }
  std::istringstream table(contents(std::filesystem::path(folder) / "verdicts.tsv"));
  std::string line;
  std::getline(table, line); // what the columns are
  std::size_t files = 0;
  for (; std::getline(table, line); ++files) {
    std::istringstream row(line);
    std::string name, format, linearizable;
    row >> name >> format >> linearizable;
    CAPTURE(name);
    const auto result = history::check(history::read(contents(std::filesystem::path(folder) / name)));
    CHECK((result.verdict == history::verdict::linearizable) == (linearizable == "true"));
    CHECK((result.verdict == history::verdict::not_linearizable) == (linearizable == "false"));
  }
  CHECK(files > 0);
}
