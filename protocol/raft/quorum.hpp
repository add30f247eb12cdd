#pragma once
// Majorities (section 5.1): any two of them have a member in common.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace troupe::raft {

/// How many of `voters` make a majority. Precondition: voters >= 1.
constexpr std::size_t quorum_size(std::size_t voters) { return voters / 2 + 1; }

/// The largest value that a majority has reached, given one value for each voter.
/// Precondition: values is not empty.
template <class Value>
Value reached_by_quorum(std::vector<Value> values) {
  const auto position = values.begin() + static_cast<std::ptrdiff_t>(quorum_size(values.size()) - 1);
  std::nth_element(values.begin(), position, values.end(), std::greater<>());
  return *position;
}

} // namespace troupe::raft
