#include "cluster/history_hash.hpp"

#include <array>
#include <xxhash.h>

namespace troupe {

void history_hash::add(char what, instant when, replica_id who, std::string_view bytes) {
  // Its own byte order, so that it is the same everywhere.
  std::array<unsigned char, 11> header{};
  const auto time = static_cast<std::uint64_t>(when.since_start.count());
  for (std::size_t i = 0; i < 8; ++i)
    header[i] = static_cast<unsigned char>(time >> 8 * i);
  header[8] = static_cast<unsigned char>(who.value);
  header[9] = static_cast<unsigned char>(who.value >> 8);
  header[10] = static_cast<unsigned char>(what);
  value_ = XXH3_64bits_withSeed(bytes.data(), bytes.size(),
                                XXH3_64bits_withSeed(header.data(), header.size(), value_));
}

} // namespace troupe
