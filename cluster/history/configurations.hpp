#pragma once
// The configurations that a search has seen: Lowe's cache (Testing for linearizability, 2017, section 5),
// which keeps it from looking twice at what different orders lead to.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace troupe::history {

/// A configuration is what decides how an order can go on: the value and which steps were taken. It comes as
/// words of two kinds: a key, which has to be equal, and the open steps taken. Taking fewer of those leaves
/// more choice: so what was seen with a subset of them, and led nowhere, leads nowhere.
class configurations {
 public:
  /// How many words of each kind.
  configurations(std::size_t key_words, std::size_t open_words);

  /// False if it, or the same with fewer open steps taken, is there already.
  bool insert(std::span<const std::uint64_t> configuration);
  std::size_t size() const { return count_; }
  std::size_t memory_bytes() const;

 private:
  std::uint64_t hash(const std::uint64_t* key) const;
  /// Where the table has, or would have, those with this key.
  std::size_t place_of(const std::uint64_t* key) const;
  void grow();
  const std::uint64_t* words(std::uint32_t entry) const { return &memory_[entry * entry_words_]; }

  std::size_t key_words_;
  std::size_t open_words_;
  std::size_t entry_words_;
  std::size_t count_ = 0;
  std::size_t keys_ = 0;
  /// Entries: key, open steps and, if there can be open steps, the entry before with the same key.
  std::vector<std::uint64_t> memory_;
  std::vector<std::uint32_t> table_; ///< the newest entry with a key
};

} // namespace troupe::history
