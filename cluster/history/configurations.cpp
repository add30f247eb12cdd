#include "cluster/history/configurations.hpp"

#include <algorithm>
#include <utility>

namespace troupe::history {

namespace {

constexpr std::uint32_t none = 0xFFFFFFFF;
constexpr std::size_t first_table_size = 64;

} // namespace

configurations::configurations(std::size_t key_words, std::size_t open_words)
    : key_words_(key_words), open_words_(open_words),
      entry_words_(key_words + open_words + (open_words > 0 ? 1 : 0)), table_(first_table_size, none) {}

bool configurations::insert(std::span<const std::uint64_t> configuration) {
  if (2 * keys_ >= table_.size())
    grow();
  auto& newest = table_[place_of(configuration.data())];
  if (newest == none)
    ++keys_;
  else if (open_words_ == 0)
    return false;
  const auto* open = configuration.data() + key_words_;
  for (auto entry = newest; entry != none;) {
    const auto* seen = words(entry) + key_words_;
    bool subset = true;
    for (std::size_t i = 0; i < open_words_ && subset; ++i)
      subset = (seen[i] & ~open[i]) == 0;
    if (subset)
      return false;
    entry = static_cast<std::uint32_t>(seen[open_words_]);
  }
  memory_.insert(memory_.end(), configuration.begin(), configuration.end());
  if (open_words_ > 0)
    memory_.push_back(newest);
  newest = static_cast<std::uint32_t>(count_++);
  return true;
}

std::size_t configurations::memory_bytes() const {
  return memory_.capacity() * sizeof(std::uint64_t) + table_.capacity() * sizeof(std::uint32_t);
}

/// Multiply and mix, a word at a time; the low bits of a product are its weakest.
std::uint64_t configurations::hash(const std::uint64_t* key) const {
  std::uint64_t h = 0;
  for (std::size_t i = 0; i < key_words_; ++i) {
    h = (h ^ key[i]) * 0x9E3779B97F4A7C15U;
    h ^= h >> 32U;
  }
  return h;
}

std::size_t configurations::place_of(const std::uint64_t* key) const {
  const auto mask = table_.size() - 1;
  auto place = hash(key) & mask;
  while (table_[place] != none && !std::equal(key, key + key_words_, words(table_[place])))
    place = (place + 1) & mask;
  return place;
}

void configurations::grow() {
  const auto old = std::exchange(table_, std::vector<std::uint32_t>(2 * table_.size(), none));
  for (const auto entry : old)
    if (entry != none)
      table_[place_of(words(entry))] = entry;
}

} // namespace troupe::history
