#include "protocol/types.hpp"

#include <doctest/doctest.h>

using namespace troupe;

TEST_CASE("a replica's id is printed as four hexadecimal digits") {
  CHECK(to_string(replica_id{0}) == "0000");
  CHECK(to_string(replica_id{0xA1}) == "00A1");
  CHECK(to_string(nobody) == "FFFF");
}
