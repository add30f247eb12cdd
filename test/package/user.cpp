// Elects a cluster of one with the installed library.
#include <protocol/raft/core.hpp>

#include <cstdio>

using namespace troupe;

int main() {
  raft::options options;
  raft::core core(replica_id{0}, {{replica_id{0}}, {}}, options, instant{});
  const auto effects = core.step(core.next_deadline(), raft::deadline_passed{});
  std::printf("%zu entry to store\n", effects.write.entries.size());
  return core.role() == raft::role_kind::leader ? 0 : 1;
}
