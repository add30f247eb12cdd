#include "cluster/course/events.hpp"

#include <algorithm>

namespace troupe::course {

namespace {

std::vector<replica_id> others(const situation& now) {
  auto result = now.living;
  std::erase(result, now.leader);
  return result;
}

/// Moves up to `count` random replicas from one list to the other.
void draw(std::vector<replica_id>& from, std::size_t count, std::vector<replica_id>& into,
          random_source& random) {
  while (into.size() < count && !from.empty()) {
    const auto at = from.begin() + static_cast<std::ptrdiff_t>(random.below(from.size()));
    into.push_back(*at);
    from.erase(at);
  }
  std::sort(into.begin(), into.end());
}

} // namespace

bool situation::leader_lives() const {
  return std::find(living.begin(), living.end(), leader) != living.end();
}

std::optional<replica_id> leader_to_kill(const situation& now) {
  return now.leader_lives() ? std::optional(now.leader) : std::nullopt;
}

std::optional<replica_id> non_leader_to_kill(const situation& now, random_source& random) {
  const auto candidates = others(now);
  return candidates.empty() ? std::nullopt : std::optional(random.pick(candidates));
}

std::vector<replica_id> random_majority(const situation& now, random_source& random) {
  auto candidates = now.living;
  std::vector<replica_id> inside;
  draw(candidates, now.replicas / 2 + 1, inside, random);
  return inside;
}

std::vector<replica_id> majority_with_leader(const situation& now, random_source& random) {
  auto candidates = others(now);
  std::vector<replica_id> inside{now.leader};
  draw(candidates, now.replicas / 2 + 1, inside, random);
  return inside;
}

} // namespace troupe::course
