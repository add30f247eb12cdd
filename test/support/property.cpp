#include "test/support/property.hpp"

namespace troupe::test {

void check_property(const std::string& description, const std::function<void()>& property) {
  const bool holds = rc::check(description, property);
  const auto* options = doctest::getContextOptions();
  CHECK_MESSAGE(holds,
                description << "\nreplay: RC_PARAMS=\"seed=" << rc::detail::configuration().testParams.seed
                            << "\" " << options->binary_name << " -tc=\""
                            << std::string(options->currentTest->m_name) << "\"");
}

} // namespace troupe::test
