#pragma once
// RapidJSON, tamed. Private to protocol/wire.

#include "protocol/wire/codec.hpp"

#include <rapidjson/document.h>
#include <rapidjson/reader.h>
#include <variant>
#include <vector>

namespace troupe::wire {

using json = rapidjson::Value;

/// Takes JSON apart in one pass over a copy of it: strings are unescaped where they stand, and everything
/// else lies in a pool that is kept from one message to the next.
class codec::parser {
 public:
  /// The JSON, valid until the next call, or why it is none.
  std::variant<const json*, decode_error> parse(std::string_view bytes);

 private:
  static constexpr std::size_t pool_bytes = std::size_t{16} << 10;
  /// Far beyond any transport, far below where RapidJSON's 32-bit sizes end.
  static constexpr std::size_t max_bytes = std::size_t{16} << 20;

  std::vector<char> text_;
  std::vector<char> pool_memory_ = std::vector<char>(pool_bytes);
  rapidjson::MemoryPoolAllocator<> pool_{pool_memory_.data(), pool_memory_.size()};
  rapidjson::Document document_{&pool_};
  rapidjson::Reader reader_;
};

} // namespace troupe::wire
