#include "cluster/course/random_source.hpp"

#include <array>
#include <doctest/doctest.h>

using troupe::course::random_source;

TEST_CASE("a seed makes the same choices on every machine") {
  // Written down once: if this fails, every seed that anybody noted has lost its meaning.
  random_source random(1, 1);
  CHECK(random.below(1'000'000) == 647341);
  CHECK(random.hexadecimal(8) == "F357CFB2");
  CHECK(random.chance(0.5) == true);
}

TEST_CASE("streams of one seed and seeds of one stream differ") {
  CHECK(random_source(1, 1).hexadecimal(16) != random_source(1, 2).hexadecimal(16));
  CHECK(random_source(1, 1).hexadecimal(16) != random_source(2, 1).hexadecimal(16));
}

TEST_CASE("every number below the bound is drawn, and no other") {
  random_source random(3, 0);
  std::array<int, 5> drawn{};
  for (int i = 0; i < 5000; ++i)
    ++drawn.at(random.below(5));
  for (int count : drawn)
    CHECK(count > 800);
}

TEST_CASE("a chance of 0 never comes and a chance of 1 always") {
  random_source random(4, 0);
  for (int i = 0; i < 1000; ++i) {
    CHECK_FALSE(random.chance(0));
    CHECK(random.chance(1));
  }
}
