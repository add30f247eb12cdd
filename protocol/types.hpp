#pragma once
// The words of Raft as types, so that a term can never be passed where an index is meant.

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace troupe {

/// A counting number with a meaning. Numbers of different meanings do not mix.
template <class Meaning>
struct number {
  std::uint64_t value = 0;

  constexpr auto operator<=>(const number&) const = default;
  constexpr number& operator++() {
    ++value;
    return *this;
  }
  friend constexpr number operator+(number n, std::uint64_t steps) { return {n.value + steps}; }
  /// Precondition: steps <= n.
  friend constexpr number operator-(number n, std::uint64_t steps) { return {n.value - steps}; }
  /// How far apart two numbers are. Precondition: a >= b.
  friend constexpr std::uint64_t operator-(number a, number b) { return a.value - b.value; }
};

/// A logical clock of leaderships; 0 before the first election (section 5.1).
using term_number = number<struct term_meaning>;
/// The position of an entry in the log; the first is 1, and 0 is before it (section 5.3).
using log_index = number<struct index_meaning>;
/// Numbers the messages that a leader sends in its term; never used twice in a term.
using sequence_number = number<struct sequence_meaning>;

/// A replica, as the course simulators name it: four hexadecimal digits.
struct replica_id {
  std::uint16_t value = 0xFFFF;
  constexpr auto operator<=>(const replica_id&) const = default;
};

/// Everyone, or nobody known: `FFFF`.
inline constexpr replica_id nobody{0xFFFF};

/// A stretch of time. Time only ever comes in from outside; see `instant`.
using duration = std::chrono::nanoseconds;
constexpr double in_seconds(duration d) { return std::chrono::duration<double>(d).count(); }

/// A moment on one replica's monotonic clock. Moments of different replicas do not compare.
struct instant {
  duration since_start{0};
  constexpr auto operator<=>(const instant&) const = default;
  friend constexpr instant operator+(instant t, duration d) { return {t.since_start + d}; }
  friend constexpr instant operator-(instant t, duration d) { return {t.since_start - d}; }
  friend constexpr duration operator-(instant a, instant b) { return a.since_start - b.since_start; }
};

/// Later than any moment that is reached.
inline constexpr instant never{duration::max()};

/// Four upper-case hexadecimal digits.
std::string to_string(replica_id id);

} // namespace troupe
