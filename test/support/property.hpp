#pragma once
// Properties as checks of a test case.

#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <string>
#include <utility>

namespace troupe::test {

/// Checks that a property holds for a hundred generated cases. If not, it says how to see the same again.
template <class Property>
void check_property(const std::string& description, Property&& property) {
  const bool holds = rc::check(description, std::forward<Property>(property));
  const auto* options = doctest::getContextOptions();
  CHECK_MESSAGE(holds,
                description << "\nreplay: RC_PARAMS=\"seed=" << rc::detail::configuration().testParams.seed
                            << "\" " << options->binary_name << " -tc=\""
                            << std::string(options->currentTest->m_name) << "\"");
}

} // namespace troupe::test
