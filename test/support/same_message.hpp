#pragma once
// Whether two messages say the same.

#include "protocol/messages.hpp"

#include <algorithm>

namespace troupe::test {

template <class T>
bool same_value(const T& a, const T& b) {
  return a == b;
}

inline bool same_value(const std::vector<raft::entry_ptr>& a, const std::vector<raft::entry_ptr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return *x == *y; });
}

template <class T>
bool same_fields(const T& a, const T& b) {
  return std::apply([&](const auto&... f) { return (same_value(a.*(f.member), b.*(f.member)) && ...); },
                    T::fields());
}

inline bool same_message(const peer_message& a, const peer_message& b) {
  return a.index() == b.index() &&
         std::visit([&](const auto& x) { return same_fields(x, std::get<std::decay_t<decltype(x)>>(b)); }, a);
}

} // namespace troupe::test
