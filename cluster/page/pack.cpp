#include "cluster/page/pack.hpp"

#include "protocol/invariant.hpp"

#include <zlib.h>

namespace troupe::page {

void column::add(std::int64_t value) {
  // Unsigned: it may wrap, and comes back.
  const auto difference = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) - last_);
  last_ = static_cast<std::uint64_t>(value);
  auto n = (static_cast<std::uint64_t>(difference) << 1U) ^ static_cast<std::uint64_t>(difference >> 63);
  for (; n >= 0x80; n >>= 7U)
    bytes_.push_back(static_cast<char>((n & 0x7fU) | 0x80U));
  bytes_.push_back(static_cast<char>(n));
  ++count_;
}

std::int64_t string_table::number_of(std::string_view text) {
  const auto [place, is_new] =
      numbers_.try_emplace(std::string(text), static_cast<std::int64_t>(all_.size()));
  if (is_new)
    all_.emplace_back(text);
  return place->second;
}

std::string deflated(std::string_view bytes) {
  auto size = compressBound(bytes.size());
  std::string out(size, '\0');
  const auto status =
      compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                bytes.size(), Z_DEFAULT_COMPRESSION);
  require(status == Z_OK, "zlib cannot deflate {} bytes: {}", bytes.size(), status);
  out.resize(size);
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t group = 3;
  std::string out;
  out.reserve((bytes.size() + group - 1) / group * 4);
  for (std::size_t i = 0; i < bytes.size(); i += group) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < group; ++j)
      bits = bits << 8U | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out.push_back(i + j <= bytes.size() ? digits[bits >> (6U * (3 - j)) & 0x3fU] : '=');
  }
  return out;
}

} // namespace troupe::page
