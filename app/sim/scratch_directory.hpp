#pragma once

#include "app/command_line.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace troupe::sim {

/// A new directory there, which is removed in the end.
class scratch_directory {
 public:
  explicit scratch_directory(const std::filesystem::path& in = app::temporary_folder()) {
    auto name = (in / "troupe-XXXXXX").string();
    if (!::mkdtemp(name.data()))
      throw std::system_error(errno, std::generic_category(), name);
    path_ = name;
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

} // namespace troupe::sim
