// Loses a leader of a cluster of its own, with the installed library.
#include <cluster/cluster.hpp>

#include <cstdio>

int main() {
  troupe::cluster cluster({.replicas = 3, .seed = 1});
  cluster.elect();
  cluster.put("k", "v");
  cluster.crash_leader();
  const auto value = cluster.get("k");
  std::printf("%s\n", value.value_or("nothing").c_str());
  return value == "v" && cluster.verify().empty() ? 0 : 1;
}
