#pragma once
// Whole replicas in one process, and a client's side of them: no simulator, no sockets, no disk, no virtual
// time. What replicas say to each other is handed over as it is, or as JSON.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::bench {

struct setting {
  std::size_t replicas = 3;
  std::size_t clients = 256;
  std::size_t value_bytes = 256;
  std::size_t keys = 10'000;
  std::size_t snapshot_after_bytes = 64 << 20; ///< of entries; 0: never
  bool json = false;
  bool two_cores = false; ///< the followers have a thread of their own
};

/// Replicas of which one leads, and stays the leader. Whoever calls it is the leader's thread.
class replicas {
 public:
  /// Called with the number of each request that was served, and its client.
  using served = std::function<void(std::size_t client, std::size_t number)>;

  /// @throws bench_failed if nobody is elected in 30 s
  explicit replicas(const setting& s);
  ~replicas();
  replicas(const replicas&) = delete;
  replicas& operator=(const replicas&) = delete;

  void on_served(served s);
  /// A request of its own for each number.
  void put(std::size_t client, std::size_t number);
  void get(std::size_t client, std::size_t number);
  /// Lets all of this thread take up what has come.
  /// @throws bench_failed if a client was told anything but that its request was served
  void turn();
  /// How many went from one replica to another.
  std::uint64_t messages() const;

 private:
  class member;
  class crew;
  std::unique_ptr<crew> crew_;
};

} // namespace troupe::bench
