#pragma once
// One number for everything that happened in a run: equal histories, down to the byte and the nanosecond,
// have equal numbers on every machine.

#include "protocol/types.hpp"

#include <cstdint>
#include <string_view>

namespace troupe {

/// XXH3, 64 bits: each happening is hashed with the number of all before it as the seed.
class history_hash {
 public:
  /// `what` tells kinds of happenings apart.
  void add(char what, instant when, replica_id who, std::string_view bytes = {});
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

} // namespace troupe
