#pragma once
// Operations, and what is wrong with them, in words for people.

#include "cluster/history/linearizable.hpp"

namespace troupe::history {

/// What was asked and answered: `put "1"`, `get -> "1"`, `cas "1" -> "2", not applied`.
std::string what_happened(const operation& o);

/// Which one it is: `the get of client 3 (line 7)`.
std::string name_of(const operation& o);

/// The same with what happened: `get -> "1" of client 3 (line 7)`.
std::string account_of(const operation& o);

/// What the times of a history are.
enum class clock { counter, line_numbers };

/// Lines that show what cannot be: why, and the stretch drawn over time. Not indented; each ends with a
/// newline.
std::string describe(const explanation& what, clock times);

} // namespace troupe::history
