#pragma once
// The page that shows a run, written by the program that played it.

#include "trace/recorder.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::sim {

/// Keeps everything in memory.
class kept_records : public trace::sink {
 public:
  void take(std::string_view records) override { records_ += records; }
  const std::string& records() const { return records_; }

 private:
  std::string records_;
};

/// The trace of a run that failed, for which nobody asked: as much of its end as this holds, which is nearly
/// always all of it.
inline constexpr std::size_t unasked_bytes = std::size_t{16} << 20U;

/// Writes it among temporary files, under a name with the run's and this process's number, and returns that.
/// Throws usage_error if it cannot: the run has failed all the same.
std::string write_unasked(const trace::ring& kept, const trace::header& head, const std::string& suffix = "");

/// All of it gets to where it belongs, or usage_error is thrown.
void finish(trace::file& file);

/// Throws usage_error if nothing could be written there: nobody wants to learn that behind the run. An empty
/// name is no file.
void require_writable(const std::string& file);

/// The same of a file that may never come to be, so that nothing is left of the attempt: its folder is looked
/// at.
void require_folder_of(const std::string& file);

/// Throws usage_error for the standard output, which has what is told of runs. `what` would be written there.
void refuse_dash(const std::string& file, std::string_view what);

/// Throws usage_error if the page cannot be written.
///
/// @param name  of the trace, for the page's own words
void write_page(const std::string& text, const std::string& name, const std::string& page);

/// Of traces that lie in files, those of one run.
void write_page(const std::vector<std::string>& traces, const std::string& page);

/// Of a trace that lies in a file: `run.jsonl` becomes `run.html`. Returns its name.
std::string write_page_beside(const std::string& trace);

} // namespace troupe::sim
