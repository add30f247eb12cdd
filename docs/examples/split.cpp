// A leader that is cut off with one follower: what it takes in cannot commit, and whoever asks it waits,
// while the other three elect a leader and go on. When the cut has healed the old leader's entry is
// overwritten and its client is sent to the new leader: no request is lost, none takes effect twice, and all
// replicas agree.

#include <cluster/cluster.hpp>

#include <cstdio>

using namespace std::chrono_literals;

int main() {
  troupe::cluster cluster(
      {.replicas = 5, .seed = 3, .network = {.loss = 0.05, .delay = 200us, .jitter = 300us}});
  const auto old_leader = cluster.elect();
  cluster.put("x", "before");

  const auto friend_of_it =
      old_leader == troupe::replica_id{0} ? troupe::replica_id{1} : troupe::replica_id{0};
  cluster.isolate({old_leader, friend_of_it});
  const auto late =
      cluster.ask(troupe::kv::append{"x", ", late"}, {0xC001}, old_leader, {.repeat_after = 0s});
  cluster.run_for(5s);
  std::printf("the old leader has answered: %s\n", cluster.request(late).answered ? "yes" : "no");

  cluster.put("x", "after"); // asks on until the new leader answers
  std::printf("term %llu on one side, term %llu on the other\n",
              static_cast<unsigned long long>(cluster.core(old_leader).term().value),
              static_cast<unsigned long long>(cluster.core(*cluster.leader()).term().value));

  cluster.heal();
  cluster.run_for(5s);
  std::printf("the late client was redirected %zu times and has an answer: %s\n",
              cluster.request(late).redirects, cluster.request(late).answered ? "yes" : "no");
  for (auto id : cluster.ids())
    std::printf("%s: x = %s\n", to_string(id).c_str(), cluster.state(id).get("x").c_str());
  return cluster.get("x") == "after, late" && cluster.verify().empty() ? 0 : 1;
}
