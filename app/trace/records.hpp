#pragma once
// The records of one run, one after the other.

#include "trace/read.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace troupe::trace_app {

/// One file is read as it is asked for, so that it may be larger than memory. Several have to be put together
/// first.
class record_source {
 public:
  /// Throws usage_error, also if what should be a trace begins like none.
  explicit record_source(const std::vector<std::string>& paths);
  record_source(const record_source&) = delete;
  record_source& operator=(const record_source&) = delete;
  ~record_source();

  /// False if there are no more. What is damaged is said on standard error, and ends the reading of its file.
  bool next(trace::record& r);

 private:
  bool next_line();
  void open(const std::string& path);

  std::optional<trace::story> story_;
  std::size_t next_ = 0;

  std::string path_;
  std::FILE* file_ = nullptr;
  char* line_ = nullptr; ///< getline's
  std::size_t room_ = 0;
  std::size_t size_ = 0;
  std::size_t number_ = 0;
  bool complete_ = false;
  bool over_ = false;
};

} // namespace troupe::trace_app
