#pragma once
// Conditions that must hold, checked in every build.

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace troupe {

/// Thrown where a rule of the protocol turns out to be broken: going on could lose or invent data, so the
/// replica has to stop. `what()` names the rule and the state.
class broken_invariant : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws `broken_invariant` with the formatted message unless `holds`.
template <class... Args>
void require(bool holds, fmt::format_string<Args...> text, Args&&... args) {
  if (!holds) [[unlikely]]
    throw broken_invariant(fmt::format(text, std::forward<Args>(args)...));
}

} // namespace troupe
