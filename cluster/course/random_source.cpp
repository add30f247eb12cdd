#include "cluster/course/random_source.hpp"

namespace troupe::course {

namespace {

/// The finalizer of splitmix64: neighbouring seeds must not give neighbouring engines.
std::uint64_t scramble(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

} // namespace

random_source::random_source(std::uint64_t seed, std::uint64_t stream)
    : engine_(scramble(scramble(seed) + stream)) {}

std::uint64_t random_source::below(std::uint64_t bound) {
  // The first 2^64 mod bound numbers are thrown away; the rest divide evenly.
  const std::uint64_t uneven = (0 - bound) % bound;
  std::uint64_t drawn = engine_();
  while (drawn < uneven)
    drawn = engine_();
  return drawn % bound;
}

bool random_source::chance(double probability) {
  return static_cast<double>(engine_() >> 11) * 0x1p-53 < probability;
}

std::string random_source::hexadecimal(std::size_t digits) {
  std::string text(digits, '0');
  for (char& c : text)
    c = "0123456789ABCDEF"[below(16)];
  return text;
}

} // namespace troupe::course
