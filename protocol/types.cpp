#include "protocol/types.hpp"

#include <fmt/format.h>

namespace troupe {

std::string to_string(replica_id id) { return fmt::format("{:04X}", id.value); }

} // namespace troupe
