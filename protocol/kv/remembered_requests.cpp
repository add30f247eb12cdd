#include "protocol/kv/remembered_requests.hpp"

#include <functional>

namespace troupe::kv {

const result& remembered_requests::answered::plain() {
  static const kv::result r;
  return r;
}

std::uint16_t remembered_requests::hash_of(std::string_view mid) {
  return static_cast<std::uint16_t>(std::hash<std::string_view>{}(mid));
}

const result* remembered_requests::find(std::string_view mid) const {
  const auto place = index_.find(hash_of(mid), [&](std::uint16_t p) { return ring_[p - 1u].mid == mid; });
  return place == 0 ? nullptr : &ring_[place - 1u].result();
}

void remembered_requests::add(std::string_view mid, const result& r) {
  auto place = ring_.size();
  if (is_full()) {
    place = oldest_;
    oldest_ = (oldest_ + 1) % ring_.size();
    auto& reused = ring_[place];
    index_.remove(hash_of(reused.mid), static_cast<std::uint16_t>(place + 1));
    reused.mid = mid;
    reused.note(r);
  } else {
    ring_.emplace_back(mid, r);
  }
  index_.add(hash_of(mid), static_cast<std::uint16_t>(place + 1));
}

} // namespace troupe::kv
