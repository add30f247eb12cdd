#pragma once
// Properties as checks of a test case.

#include <doctest/doctest.h>
#include <functional>
#include <rapidcheck.h>
#include <string>

namespace troupe::test {

/// Checks that a property holds for a hundred generated cases. If not, it says how to see the same again.
void check_property(const std::string& description, const std::function<void()>& property);

} // namespace troupe::test
