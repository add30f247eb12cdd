#pragma once
// Parsed JSON -> messages. Private to protocol/wire.

#include "protocol/wire/codec.hpp"

#include <rapidjson/document.h>

namespace troupe::wire {

using json = rapidjson::Value;

decoded read_message(const json& root, const directory& replicas, const limits& transport);

} // namespace troupe::wire
