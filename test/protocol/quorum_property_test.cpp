// Majorities: that any two of them meet is what everything else rests on.

#include "protocol/raft/quorum.hpp"
#include "test/support/property.hpp"

#include <cstdint>
#include <numeric>
#include <random>

using namespace troupe;
using namespace troupe::test;

namespace {

/// Some majority of `voters`, as a set of bits, as small as one can be.
std::uint32_t any_quorum(std::size_t voters) {
  std::vector<std::uint32_t> members(voters);
  std::iota(members.begin(), members.end(), 0U);
  std::shuffle(members.begin(), members.end(), std::mt19937(*rc::gen::arbitrary<std::uint32_t>()));
  std::uint32_t chosen = 0;
  for (std::size_t i = 0; i < raft::quorum_size(voters); ++i)
    chosen |= 1U << members[i];
  return chosen;
}

} // namespace

TEST_SUITE_BEGIN("quorum: properties");

TEST_CASE("any two majorities have a member in common, and one fewer would not do") {
  for (std::size_t voters = 1; voters <= 21; ++voters) {
    CAPTURE(voters);
    const auto size = raft::quorum_size(voters);
    CHECK(2 * size > voters);
    CHECK(2 * (size - 1) <= voters);
  }
  check_property("overlap", [] {
    const auto voters = *rc::gen::inRange<std::size_t>(1, 22);
    RC_ASSERT((any_quorum(voters) & any_quorum(voters)) != 0U);
  });
}

TEST_CASE("majorities before and after a change of one voter have a member in common") {
  check_property("overlap across a change", [] {
    const auto voters = *rc::gen::inRange<std::size_t>(1, 21);
    RC_ASSERT((any_quorum(voters) & any_quorum(voters + 1)) != 0U);
  });
}

TEST_CASE("what a majority has reached is the largest value that so many have at least") {
  check_property("reached_by_quorum", [] {
    const auto voters = *rc::gen::inRange<std::size_t>(1, 22);
    const auto values = *rc::gen::container<std::vector<int>>(voters, rc::gen::inRange(0, 12));
    const auto reached = raft::reached_by_quorum(values);
    const auto have = [&](int value) {
      return static_cast<std::size_t>(
          std::count_if(values.begin(), values.end(), [&](int v) { return v >= value; }));
    };
    RC_ASSERT(have(reached) >= raft::quorum_size(voters));
    RC_ASSERT(have(reached + 1) < raft::quorum_size(voters));
  });
}

TEST_CASE("the order of the voters does not matter") {
  check_property("reached_by_quorum of any order", [] {
    auto values = *rc::gen::nonEmpty<std::vector<int>>();
    const auto reached = raft::reached_by_quorum(values);
    std::sort(values.begin(), values.end());
    RC_ASSERT(raft::reached_by_quorum(values) == reached);
  });
}

TEST_SUITE_END();
