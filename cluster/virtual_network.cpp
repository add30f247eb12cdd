#include "cluster/virtual_network.hpp"

#include "protocol/invariant.hpp"

#include <algorithm>

namespace troupe {

std::string_view to_string(fate f) {
  switch (f) {
  case fate::sent:
    return "sent";
  case fate::lost:
    return "lost";
  case fate::repeated:
    return "repeated";
  case fate::cut:
    return "cut";
  case fate::held:
    return "held";
  }
  return "?";
}

const link_quality& virtual_network::quality(replica_id from, replica_id to) const {
  const auto found = links_.find({from, to});
  if (found != links_.end() && found->second.own)
    return *found->second.own;
  return is_client(from) || is_client(to) ? client_quality_ : quality_;
}

void virtual_network::cut(replica_id a, replica_id b) {
  cut_one_way(a, b);
  cut_one_way(b, a);
}

void virtual_network::cut(const std::vector<replica_id>& inside, const std::vector<replica_id>& outside) {
  for (auto a : inside)
    for (auto b : outside)
      cut(a, b);
}

void virtual_network::mend(replica_id a, replica_id b) {
  mend_one_way(a, b);
  mend_one_way(b, a);
}

void virtual_network::send(replica_id from, replica_id to, std::string_view bytes, instant now) {
  ++sent_;
  if (is_cut(from, to))
    return tell(from, to, bytes, fate::cut);
  const auto& q = quality(from, to);
  if (random_.chance(q.loss))
    return tell(from, to, bytes, fate::lost);
  if (is_client(from) || is_client(to) ? holding_clients_ : holding_) {
    held_.push_back({sent_, from, to, std::string(bytes)});
    return tell(from, to, bytes, fate::held);
  }
  auto& l = links_[{from, to}];
  const bool twice = random_.chance(q.repeat);
  tell(from, to, bytes, twice ? fate::repeated : fate::sent);
  for (int copies = twice ? 2 : 1; copies > 0; --copies)
    carry_(from, to, std::string(bytes), arrival(l, q, bytes.size(), now));
}

instant virtual_network::arrival(link& l, const link_quality& q, std::size_t bytes, instant now) {
  auto t = now;
  if (q.bandwidth > 0) {
    const duration takes(static_cast<std::int64_t>(bytes * 1'000'000'000u / q.bandwidth));
    l.busy_until = std::max(l.busy_until, now) + takes;
    t = l.busy_until;
  }
  const auto chance_of = [&](duration most) {
    return most <= duration::zero() ? duration::zero()
                                    : duration(random_.below(static_cast<std::uint64_t>(most.count())));
  };
  t = t + q.delay + chance_of(q.jitter);
  return random_.chance(q.late) ? t + chance_of(q.late_by) : t;
}

virtual_network::held_message virtual_network::take(std::uint64_t number) {
  const auto found =
      std::find_if(held_.begin(), held_.end(), [&](const auto& m) { return m.number == number; });
  require(found != held_.end(), "message {} is not on its way", number);
  auto message = std::move(*found);
  held_.erase(found);
  return message;
}

} // namespace troupe
