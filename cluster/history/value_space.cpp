#include "cluster/history/value_space.hpp"

#include <algorithm>

namespace troupe::history {

value_space::value_space(std::vector<std::string_view> observed, bool grows)
    : observed_(std::move(observed)), grows_(grows), beginnings_(1) {
  std::sort(observed_.begin(), observed_.end());
  observed_.erase(std::unique(observed_.begin(), observed_.end()), observed_.end());
}

value_id value_space::find(std::string_view value) {
  if (grows_)
    return extended({0, static_cast<std::uint32_t>(observed_.size()), 0}, value);
  const auto found = std::lower_bound(observed_.begin(), observed_.end(), value);
  if (found == observed_.end() || *found != value)
    return unobservable;
  return static_cast<value_id>(found - observed_.begin()) + 1;
}

value_id value_space::append(value_id to, std::string_view piece) {
  if (to == unobservable)
    return unobservable;
  return extended(beginning(beginnings_[to]), piece);
}

/// What begins with `from` is sorted by what follows it.
value_id value_space::extended(const beginning& from, std::string_view piece) {
  const auto first = observed_.begin() + from.first;
  const auto last = observed_.begin() + from.last;
  const auto part = [&](std::string_view s) { return s.substr(from.length, piece.size()); };
  const auto low = std::lower_bound(first, last, piece,
                                    [&](std::string_view s, std::string_view p) { return part(s) < p; });
  if (low == last || part(*low) != piece)
    return unobservable;
  const auto high =
      std::upper_bound(low, last, piece, [&](std::string_view p, std::string_view s) { return p < part(s); });
  const beginning to{static_cast<std::uint32_t>(low - observed_.begin()),
                     static_cast<std::uint32_t>(high - observed_.begin()),
                     static_cast<std::uint32_t>(from.length + piece.size())};
  const auto [entry, made] =
      ids_.try_emplace(std::uint64_t{to.first} << 32U | to.length, static_cast<value_id>(beginnings_.size()));
  if (made)
    beginnings_.push_back(to);
  return entry->second;
}

} // namespace troupe::history
