#pragma once
// Could one copy of the store, doing one operation at a time, have given these answers? Each operation has to
// take effect at one instant between its call and its end (Herlihy and Wing 1990: linearizability).

#include "cluster/history/history.hpp"

#include <chrono>
#include <functional>

namespace troupe::history {

/// The question is NP-complete: nearly every history is judged in microseconds an operation, and there are
/// small ones that would take for ever.
struct check_limits {
  /// For the whole call. Where it ends a search the verdict is unknown.
  std::chrono::nanoseconds time = std::chrono::seconds(10);
  /// For what a search remembers of one key, up to 64 GiB; what it needs besides grows with the number of
  /// operations only.
  std::size_t memory_bytes = std::size_t{256} << 20U;
  /// Read now and then to see whether the time is over; any start will do. Empty for the steady clock.
  std::function<std::chrono::nanoseconds()> now;
};

enum class verdict { linearizable, not_linearizable, unknown };

/// As printed: linearizable, not linearizable, unknown.
std::string_view to_string(verdict v);

/// What cannot be, as little of it as possible.
struct explanation {
  std::string key;
  /// The stretch: operations on that key, by call, that no order explains, whatever else of the history took
  /// effect or did not. None of them can be spared.
  operations stretch;
  /// The one among them whose answer cannot be; all that ended before it can be explained.
  std::size_t culprit = 0;
  /// Other writes of the value that the culprit met, by call: those that a reader would look for next.
  operations sources;
  /// Answers that would have been possible instead, each verified; not necessarily all.
  std::vector<std::string> would_fit;
  /// Whether the limits ended the search for a smaller stretch.
  bool cut_short = false;
  std::string why; ///< in words, one line or more, without a newline at the end
};

struct check_result {
  history::verdict verdict = history::verdict::linearizable;
  /// Of the first key that cannot be explained.
  std::optional<history::explanation> explanation;
  /// With the verdict unknown: what could not be judged and which limit ended the search, in words.
  std::string undecided;
  std::size_t keys = 0;             ///< judged
  std::uint64_t configurations = 0; ///< that were looked at: what the answer has cost
};

/// Judges a history, key by key: it is linearizable if what happened to each key is (locality: Herlihy and
/// Wing 1990, theorem 1). The answer, and what it costs apart from time, depend on the operations alone.
/// Throws std::invalid_argument for an answered operation that is done before it is called.
check_result check(const operations& history, const check_limits& limits = {});

} // namespace troupe::history
