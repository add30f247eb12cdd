#pragma once
// The page that shows a run, written by the program that played it.

#include "trace/recorder.hpp"

#include <string>

namespace troupe::sim {

/// Keeps everything in memory.
class kept_records : public trace::sink {
 public:
  void take(std::string_view records) override { records_ += records; }
  const std::string& records() const { return records_; }

 private:
  std::string records_;
};

/// Throws usage_error if the page cannot be written.
///
/// @param name  of the trace, for the page's own words
void write_page(const std::string& text, const std::string& name, const std::string& page);

/// Of a trace that lies in a file: `run.jsonl` becomes `run.html`. Returns its name.
std::string write_page_beside(const std::string& trace);

} // namespace troupe::sim
