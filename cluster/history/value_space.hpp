#pragma once
// The values that a key can hold, as small numbers: as few as answers can tell apart.

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::history {

/// Equal for values that no answer in the history tells apart.
using value_id = std::uint32_t;

/// Only what somebody observed (the result of a get, what a cas expected) has to be told apart from anything
/// else. Appends make a value longer, so beginnings of observed values count too. All others are one value:
/// it answers every observation with no, and appending to it leads to nothing else. So the number of values
/// is bounded by the history's size, though the number of strings that orders of appends lead to is not.
class value_space {
 public:
  static constexpr value_id unobservable = 0;

  /// @param observed  may repeat; must outlive this
  /// @param grows     whether there are appends; if not, beginnings are nothing special
  value_space(std::vector<std::string_view> observed, bool grows);

  value_id find(std::string_view value);
  value_id append(value_id to, std::string_view piece);
  bool grows() const { return grows_; }

  /// Which observed values, in the order of their bytes, begin with a value; if values do not grow, which one
  /// it is. A value that was observed itself is the first of them. Empty for what is not observable.
  struct beginning {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint32_t length = 0; ///< of the value, in bytes
    bool contains(std::uint32_t observed) const { return first <= observed && observed < last; }
  };
  beginning extensions(value_id value) const {
    if (grows_)
      return beginnings_[value];
    if (value == unobservable)
      return {};
    return {value - 1, value, static_cast<std::uint32_t>(observed_[value - 1].size())};
  }
  std::size_t observed() const { return observed_.size(); }
  std::string_view observed(std::size_t which) const { return observed_[which]; }

 private:
  value_id extended(const beginning& from, std::string_view piece);

  std::vector<std::string_view> observed_; ///< sorted, each once
  bool grows_;
  std::vector<beginning> beginnings_; ///< by value_id; only if the values grow
  std::unordered_map<std::uint64_t, value_id> ids_;
};

} // namespace troupe::history
