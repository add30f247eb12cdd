#include "protocol/kv/remembered_requests.hpp"

#include <functional>
#include <utility>

namespace troupe::kv {

std::uint16_t remembered_requests::hash_of(std::string_view mid) {
  return static_cast<std::uint16_t>(std::hash<std::string_view>{}(mid));
}

const result* remembered_requests::find(std::string_view mid) const {
  if (index_.empty())
    return nullptr;
  const auto hash = hash_of(mid);
  for (auto at = hash & (index_.size() - 1); index_[at].place != cell::free; at = next(at))
    if (index_[at].hash == hash && ring_[index_[at].place].mid == mid)
      return &ring_[index_[at].place].result;
  return nullptr;
}

void remembered_requests::add(std::string_view mid, const result& r) {
  auto place = ring_.size();
  if (is_full()) {
    place = oldest_;
    oldest_ = (oldest_ + 1) % ring_.size();
    remove({hash_of(ring_[place].mid), static_cast<std::uint16_t>(place)});
    ring_[place].mid = mid;
    ring_[place].result = r;
  } else {
    ring_.push_back({std::string(mid), r});
    if (2 * ring_.size() > index_.size())
      grow_index();
  }
  enter({hash_of(mid), static_cast<std::uint16_t>(place)});
}

void remembered_requests::enter(cell c) {
  auto at = c.hash & (index_.size() - 1);
  while (index_[at].place != cell::free)
    at = next(at);
  index_[at] = c;
}

/// And moves those behind it up that stand there only because its place was taken: nobody is to find a gap
/// before what it looks for.
void remembered_requests::remove(cell c) {
  const auto mask = index_.size() - 1;
  auto gap = c.hash & mask;
  while (index_[gap].place != c.place)
    gap = next(gap);
  for (auto at = next(gap); index_[at].place != cell::free; at = next(at)) {
    const auto from_home = (at - index_[at].hash) & mask;
    if (from_home < ((at - gap) & mask))
      continue;
    index_[gap] = index_[at];
    gap = at;
  }
  index_[gap] = {};
}

void remembered_requests::grow_index() {
  constexpr std::size_t least = 8;
  const auto before = std::exchange(index_, std::vector<cell>(index_.empty() ? least : 2 * index_.size()));
  for (const auto& c : before)
    if (c.place != cell::free)
      enter(c);
}

} // namespace troupe::kv
