#pragma once
// What all measurements do with their command lines, and with what they print and write.

#include "app/command_line.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::bench {

/// All of a measurement, as app::run_program: 0, or 2 and one line that says why there are no figures. Each
/// row is seen when it is measured, also through a pipe.
inline int run(const std::string& name, const std::function<void()>& measure) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return app::run_program(name, 2, [&] {
    measure();
    return 0;
  });
}

/// A table for scripts/plot, which is opened before anything is measured. Throws usage_error if it cannot be
/// written.
class csv_file {
 public:
  /// @param path  empty: nobody wants one
  csv_file(std::string path, std::string_view heading) : path_(std::move(path)) {
    if (!path_.empty())
      file_.open(path_);
    add(heading);
  }
  void add(std::string_view row) {
    if (!path_.empty() && !(file_ << row << std::endl))
      throw app::usage_error(fmt::format("{}: {}", path_, std::strerror(errno)));
  }

 private:
  std::string path_;
  std::ofstream file_;
};

} // namespace troupe::bench
