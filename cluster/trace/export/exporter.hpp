#pragma once
// Traces in the words of other programs; docs/trace_export.md has the grammar of each.

#include "cluster/history/linearizable.hpp"
#include "trace/read.hpp"

#include <memory>
#include <stdexcept>
#include <string>

namespace troupe::trace {

/// Turns records into text, one after the other, so that a trace need not fit into memory. The text is
/// appended to a string that the caller empties whenever it likes.
class exporter {
 public:
  virtual ~exporter() = default;
  /// Precondition: what caused a record came before it, or will never come (see ordering.hpp).
  virtual void take(const record& r) = 0;
  /// All records were taken. Throws export_error.
  virtual void finish() = 0;
};

/// A trace that cannot be told in these words; `what()` is one line that says why.
struct export_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Who is a host to ShiViz, with a clock of its own.
enum class shiviz_hosts { processes, actors };

/// The log that ShiViz opens, with vector clocks.
std::unique_ptr<exporter> to_shiviz(std::string& out, shiviz_hosts hosts);
/// The JSON that Perfetto and chrome://tracing open.
std::unique_ptr<exporter> to_perfetto(std::string& out);
/// The JSON of Porcupine's page. The limits are for the search for an order that explains the answers.
std::unique_ptr<exporter> to_porcupine(std::string& out, const history::check_limits& limits = {});
/// Our own history of what clients were told, which `troupe-check history` judges.
std::unique_ptr<exporter> to_history(std::string& out);

} // namespace troupe::trace
