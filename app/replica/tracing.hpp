#pragma once
// A replica's trace: a file if one was asked for, otherwise the last moments in memory.

#include "app/replica/arguments.hpp"
#include "trace/recorder.hpp"

#include <string>

namespace troupe::app {

class tracing {
 public:
  /// @throws std::runtime_error with one line if the file cannot be written
  explicit tracing(const replica_arguments& a);

  /// Null if nothing is to be kept.
  trace::recorder* recorder() { return is_on_ ? &recorder_ : nullptr; }

  /// Writes down what is in memory. Returns one line that names the file, or says why there is none.
  std::string keep();
  /// A rule was broken; the process is about to end.
  void note_violation(const std::string& what);
  /// The replica ends in order. Returns why the trace is not whole; empty if it is.
  std::string end();

 private:
  std::string id_;
  std::string path_;
  bool is_on_;
  trace::header header_;
  std::optional<trace::file> file_;
  trace::ring ring_;
  trace::recorder recorder_;
  int kept_ = 0; ///< how often
};

} // namespace troupe::app
