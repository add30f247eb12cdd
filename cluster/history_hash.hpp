#pragma once
// One number for everything that happened in a run: equal histories, down to the byte and the nanosecond,
// have equal numbers on every machine.

#include "protocol/types.hpp"

#include <cstdint>
#include <string_view>

namespace troupe {

/// FNV-1a, 64 bits.
class history_hash {
 public:
  /// `what` tells kinds of happenings apart.
  void add(char what, instant when, replica_id who, std::string_view bytes = {}) {
    add_byte(static_cast<unsigned char>(what));
    add_number(static_cast<std::uint64_t>(when.since_start.count()));
    add_number(who.value);
    add_number(bytes.size());
    for (const char c : bytes)
      add_byte(static_cast<unsigned char>(c));
  }
  std::uint64_t value() const { return value_; }

 private:
  void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001B3u; }
  void add_number(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8)
      add_byte(static_cast<unsigned char>(number >> shift));
  }

  std::uint64_t value_ = 0xCBF29CE484222325u;
};

} // namespace troupe
