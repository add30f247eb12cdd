#pragma once
// Choices that are the same for the same seed on every machine and with every standard library.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace troupe::course {

/// The standard fixes what mt19937_64 yields, but not how distributions use it: so the mapping is our own.
class random_source {
 public:
  /// Streams of one seed are independent: what one part of the world draws does not disturb another part.
  random_source(std::uint64_t seed, std::uint64_t stream);

  /// A number from 0 to bound - 1, each equally likely. Precondition: bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// True with this probability, 0 to 1.
  bool chance(double probability);
  /// So many random hexadecimal digits.
  std::string hexadecimal(std::size_t digits);
  /// One of them. Precondition: there is one.
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 engine_;
};

} // namespace troupe::course
