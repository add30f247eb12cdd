#pragma once
// Plays a script on the actors themselves, in virtual time.

#include "cluster/script/story.hpp"

#include <functional>
#include <optional>
#include <string>

namespace troupe::script {

/// Where a script and the replicas part ways.
struct failure {
  std::size_t line = 0;
  std::string statement; ///< as it was written
  std::string expected;
  std::string actual;
  std::string state; ///< the replicas and what is on its way, one line each
};

/// The failure in several lines, the first of them `FILE:LINE: statement`.
std::string describe(const failure& f, const std::string& origin);

/// Gets what happens, line by line: statements, messages by sender, receiver and fields, changes of roles.
using teller = std::function<void(const std::string&)>;

/// Plays all of it, up to the first expectation that is not met; the last one is that no rule of Raft was
/// broken and that one copy of the store could have given all answers. Nothing if all were met.
std::optional<failure> play(const story& s, const teller& tell = nullptr);

} // namespace troupe::script
