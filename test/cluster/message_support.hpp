#pragma once
// What a replica would write and read, for tests.

#include "protocol/types.hpp"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <string>

namespace troupe::test {

/// A client's request, as a replica sees it.
struct seen_request {
  std::string client, replica, leader, type, mid, key, value;
};

inline seen_request read_request(const std::string& bytes) {
  rapidjson::Document d;
  d.Parse(bytes.c_str());
  const auto text = [&](const char* name) { return d.HasMember(name) ? d[name].GetString() : std::string(); };
  return {text("src"), text("dst"), text("leader"), text("type"), text("MID"), text("key"), text("value")};
}

inline std::string message(replica_id src, const std::string& dst, replica_id leader, const std::string& type,
                           const std::string& more = "") {
  return fmt::format(R"({{"src":"{}","dst":"{}","leader":"{}","type":"{}"{}}})", to_string(src), dst,
                     to_string(leader), type, more);
}

} // namespace troupe::test
