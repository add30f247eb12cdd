#include "protocol/wire/directory.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace troupe::wire {
namespace {

/// The value of a hexadecimal digit, or -1.
int digit_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

} // namespace

std::optional<replica_id> parse_replica_id(std::string_view text) {
  if (text.size() != 4) {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text) {
    const int digit = digit_value(c);
    if (digit < 0) {
      return std::nullopt;
    }
    value = value * 16 + digit;
  }
  return replica_id{static_cast<std::uint16_t>(value)};
}

directory::directory(std::string_view self, const std::vector<std::string>& peers) {
  add(self);
  self_ = members_.front();
  for (const auto& peer : peers) {
    add(peer);
  }
}

void directory::add(std::string_view text) {
  const auto id = parse_replica_id(text);
  if (!id) {
    throw std::invalid_argument(
        fmt::format("\"{}\" is no replica's id: it takes four hexadecimal digits", text));
  }
  if (*id == nobody) {
    throw std::invalid_argument(fmt::format("{} is no replica's id: it means everyone", text));
  }
  const auto place = std::lower_bound(members_.begin(), members_.end(), *id);
  if (place != members_.end() && *place == *id) {
    throw std::invalid_argument(fmt::format("replica {} is listed twice", text));
  }
  spellings_.emplace(spellings_.begin() + (place - members_.begin()), text);
  members_.insert(place, *id);
}

std::string_view directory::spelling(replica_id id) const {
  if (id == nobody) {
    return "FFFF";
  }
  const auto place = std::lower_bound(members_.begin(), members_.end(), id);
  if (place == members_.end() || *place != id) {
    throw std::out_of_range(fmt::format("replica {} is no member of the cluster", to_string(id)));
  }
  return spellings_[static_cast<std::size_t>(place - members_.begin())];
}

std::optional<replica_id> directory::find(std::string_view text) const {
  const auto id = parse_replica_id(text);
  if (!id || !std::binary_search(members_.begin(), members_.end(), *id)) {
    return std::nullopt;
  }
  return id;
}

} // namespace troupe::wire
