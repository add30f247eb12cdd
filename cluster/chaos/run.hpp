#pragma once
// Plays a schedule: a storm of requests and faults, then peace, in which the cluster has to come back to
// work.

#include "cluster/chaos/schedule.hpp"
#include "cluster/history/history.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace troupe::chaos {

/// Told what happens, a line each, while a run is played.
using teller = std::function<void(instant, const std::string&)>;

struct outcome {
  /// The first broken rules, in words. Empty: the run has passed.
  std::vector<std::string> violations;
  history::operations history;
  std::uint64_t hash = 0; ///< of everything that was sent and what became of it
  std::uint64_t steps = 0;
  std::uint64_t messages = 0;
  std::size_t answered = 0;
  std::size_t given_up = 0; ///< requests of clients that ask once, and got no answer
  std::uint64_t terms = 0;
  std::uint64_t committed = 0; ///< entries
  duration recovery{0};        ///< from the end of the storm until all was answered and all replicas agreed
  duration took{0};

  bool passed() const { return violations.empty(); }
  /// The rule that was broken first, without what it was about: "log matching".
  std::string rule() const;
};

/// Plays it to its end, or to the first broken rule. The same schedule has the same outcome. `tell` costs
/// time, and so does a recorder, which takes down everything.
outcome play(const schedule& s, const teller& tell = nullptr, trace::recorder* recorder = nullptr);

} // namespace troupe::chaos
