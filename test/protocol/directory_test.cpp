#include "test/protocol/codec_support.hpp"

#include <stdexcept>

using namespace troupe;
using namespace troupe::test;

TEST_SUITE_BEGIN("directory");

TEST_CASE("ids keep the case of the command line when they go out, and are found in either case") {
  CHECK(cluster.spelling(replica_id{0xA2}) == "00a2");
  CHECK(cluster.spelling(nobody) == "FFFF");
  CHECK(cluster.find("00A2") == replica_id{0xA2});
  CHECK(cluster.find("00a2") == replica_id{0xA2});
  CHECK(cluster.self() == replica_id{0});
  CHECK(cluster.members() == std::vector<replica_id>{{0}, {1}, {3}, {4}, {0xA2}});
}

TEST_CASE("strangers are not found") {
  CHECK_FALSE(cluster.find("0009"));
  CHECK_FALSE(cluster.find("FFFF"));
  CHECK_FALSE(cluster.find("00001"));
  CHECK_FALSE(cluster.find("000g"));
  CHECK_THROWS_AS(cluster.spelling(replica_id{9}), std::out_of_range);
}

TEST_CASE("an id that cannot be a replica's is refused by name") {
  CHECK_THROWS_WITH_AS(directory("00", {}), R"("00" is no replica's id: it takes four hexadecimal digits)",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(directory("0000", {"ffff"}), "ffff is no replica's id: it means everyone",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(directory("00a0", {"00A0"}), "replica 00A0 is listed twice", std::invalid_argument);
}

TEST_SUITE_END();
