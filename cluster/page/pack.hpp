#pragma once
// What goes into a page: columns of numbers, small enough to be sent around. page/src/model/pack.ts reads
// them.
//
//   u32 size of the head, little endian · the head, JSON · the columns, in the head's order · all deflated,
//   in base64
//
// A column is a list of differences to the number before, the sign in the lowest bit, seven bits a byte.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::page {

class column {
 public:
  /// @param wide  whether its numbers may need more than 32 bits: times, terms, indices
  explicit column(std::string name, bool wide = false) : name_(std::move(name)), wide_(wide) {}

  void add(std::int64_t value);
  const std::string& name() const { return name_; }
  bool wide() const { return wide_; }
  std::size_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string name_;
  bool wide_;
  std::size_t count_ = 0;
  std::uint64_t last_ = 0;
  std::string bytes_;
};

/// Texts that occur again and again are told by number; the empty one is 0.
class string_table {
 public:
  string_table() { number_of(""); }
  std::int64_t number_of(std::string_view text);
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
  std::unordered_map<std::string, std::int64_t> numbers_;
};

/// Deflated, with zlib's header, as DecompressionStream("deflate") wants it.
std::string deflated(std::string_view bytes);
std::string base64(std::string_view bytes);

} // namespace troupe::page
