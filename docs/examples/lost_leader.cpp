// What a client sees when the leader is lost: nothing but a pause.
//
// A cluster of five in this process, on virtual time. Whatever happens follows from the seed.

#include <cluster/cluster.hpp>

#include <cstdio>

using namespace std::chrono_literals;

int main() {
  troupe::cluster cluster({.replicas = 5, .seed = 7});
  const auto first = cluster.elect();
  std::printf("%s leads in term %llu\n", to_string(first).c_str(),
              static_cast<unsigned long long>(cluster.core(first).term().value));

  cluster.put("colour", "blue");
  cluster.crash(first);
  const auto lost_at = cluster.now();
  const auto colour = cluster.get("colour"); // asks whoever is there until somebody knows
  if (colour != "blue")
    return 1;
  const std::chrono::duration<double> pause = cluster.now() - lost_at;
  std::printf("%s is gone; %s answers after %.1f s of virtual time: %s\n", to_string(first).c_str(),
              to_string(*cluster.leader()).c_str(), pause.count(), colour->c_str());

  cluster.start(first); // with what its storage has kept
  cluster.run_for(2s);
  std::printf("%s is back and holds: %s\n", to_string(first).c_str(),
              cluster.state(first).get("colour").c_str());

  // No rule of Raft was broken, and no answer was wrong.
  for (const auto& rule : cluster.verify())
    std::printf("broken: %s\n", rule.c_str());
  return cluster.verify().empty() ? 0 : 1;
}
