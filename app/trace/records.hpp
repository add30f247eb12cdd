#pragma once
// The records of one run, one after the other.

#include "trace/read.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
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

  /// False if there are no more. What is damaged is said on standard error, and ends the reading of its file.
  bool next(trace::record& r);
  /// When the run began, in ns.
  std::int64_t began() const { return began_; }
  /// As trace::missing_members.
  const std::string& missing_members() const { return missing_members_; }

 private:
  bool next_line();
  void open(const std::string& path);

  std::optional<trace::story> story_;
  std::size_t next_ = 0;

  struct closer {
    void operator()(std::FILE* file) const {
      if (file != stdin)
        std::fclose(file);
    }
  };
  /// What getline allocates.
  struct line_buffer {
    line_buffer() = default;
    line_buffer(const line_buffer&) = delete;
    line_buffer& operator=(const line_buffer&) = delete;
    ~line_buffer() { std::free(text); }
    char* text = nullptr;
    std::size_t room = 0;
  };

  std::string path_;
  std::unique_ptr<std::FILE, closer> file_;
  line_buffer line_;
  std::size_t size_ = 0;
  std::size_t number_ = 0;
  bool complete_ = false;
  bool over_ = false;
  std::int64_t began_ = 0;
  std::string missing_members_;
};

} // namespace troupe::trace_app
