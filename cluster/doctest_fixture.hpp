#pragma once
// A cluster for test cases of doctest:
//
//   TEST_CASE_FIXTURE(troupe::cluster_of<5>, "a lost leader is replaced") {
//     elect();
//     put("k", "v");
//     crash_leader();
//     CHECK(get("k") == "v");
//   }
//
// A test case that leaves a broken rule or a wrong answer behind fails, whether it looked or not.

#include "cluster/cluster.hpp"

#include <doctest/doctest.h>

namespace troupe {

template <std::size_t Replicas, std::uint64_t Seed = 1>
class cluster_of : public cluster {
 public:
  cluster_of() : cluster({.replicas = Replicas, .seed = Seed}) {}
  ~cluster_of() {
    for (const auto& broken : verify())
      if (!expected(broken))
        FAIL_CHECK(broken);
  }

  /// For a test that breaks a rule on purpose: it must have been broken, and does not fail the test. Takes
  /// the beginning of what the judge says.
  void expect_violation(const std::string& rule) {
    expected_.push_back(rule);
    const auto all = verify();
    CHECK_MESSAGE(std::any_of(all.begin(), all.end(), [&](const auto& v) { return v.starts_with(rule); }),
                  "not broken: ", rule);
  }

 private:
  bool expected(const std::string& broken) const {
    return std::any_of(expected_.begin(), expected_.end(),
                       [&](const auto& rule) { return broken.starts_with(rule); });
  }

  std::vector<std::string> expected_;
};

} // namespace troupe
