// A replica on threads of its own whose raft actor is stuck: what arrives meanwhile must not pile up in it.

#include "actors/intake.hpp"
#include "actors/loop.hpp"
#include "actors/memory_storage.hpp"
#include "test/support/replica_group.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <latch>
#include <thread>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// The simulator's end of a Unix socket of packets, which loses nothing: whoever is not read from is told.
class packet_simulator {
 public:
  packet_simulator() {
    REQUIRE(::mkdtemp(folder_.data()) != nullptr);
    path_ = folder_ + "/0000";
    listener_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    edge = actors::socket_edge::unix_socket(path_, actors::transport_kind::seqpacket);
    socket_ = ::accept(listener_, nullptr, nullptr);
    REQUIRE(socket_ >= 0);
  }
  ~packet_simulator() {
    ::close(socket_);
    ::close(listener_);
    std::filesystem::remove_all(folder_);
  }
  packet_simulator(const packet_simulator&) = delete;
  packet_simulator& operator=(const packet_simulator&) = delete;

  /// False if the other side has to read first.
  bool send(const std::string& message) {
    return ::send(socket_, message.data(), message.size(), MSG_DONTWAIT) >= 0;
  }
  /// Nothing if there is nothing.
  std::string receive() {
    std::string bytes(1 << 16, '\0');
    const auto n = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return bytes;
  }

  std::unique_ptr<actors::socket_edge> edge;

 private:
  std::string folder_ = (std::filesystem::temp_directory_path() / "troupe-intake-XXXXXX").string();
  std::string path_;
  int listener_ = -1;
  int socket_ = -1;
};

} // namespace

TEST_CASE(
    "intake: while an actor is stuck nothing piles up before it, and afterwards everything is answered") {
  // One message may become a few: a proposal and a flush, an answer and a write.
  constexpr std::size_t most_from_one = 4;
  constexpr int requests = 20'000;

  packet_simulator simulator;
  actors::memory_storage disk;
  std::latch stuck(1);
  std::latch let_go(1);
  std::atomic<bool> sticks = false;
  actors::threaded_system system(2);
  raft::options raft;
  raft.start_quiet = 1ms;
  raft.election_timeout_min = 20ms;
  raft.election_timeout_max = 30ms;
  raft.heartbeat_interval = 10ms;
  raft.lease = 0ms;
  const auto after_step = [&](const raft::core&, const raft::effects&) {
    if (sticks.exchange(false)) {
      stuck.count_down();
      let_go.wait();
    }
  };
  std::atomic<int> stops = 0;
  actors::host host{[](actors::log_level, const std::string&) {}, [&](const std::string&) { ++stops; }};
  actors::replica replica(
      system.system(),
      {wire::directory("0000", {}), {}, raft, {}, simulator.edge.get(), &disk, host, after_step});
  actors::intake intake(*simulator.edge, replica);

  int sent = 0;
  int answers = 0;
  std::size_t deepest = 0;
  const auto turn = [&](int most) {
    while (sent < most && simulator.send(get_message("0000", fmt::format("M{}", sent), "k")))
      ++sent;
    REQUIRE(intake.receive());
    simulator.edge->flush();
    deepest = std::max(deepest, replica.depths().sum());
    while (field_of(simulator.receive(), "type") == "ok")
      ++answers;
  };
  while (answers < 1) // it leads, and all of its actors know
    turn(1);
  sticks = true;
  while (!stuck.try_wait())
    turn(2);

  // Far more turns than it takes to let everything in, were it not for the bound.
  for (int i = 0; i < 2 * requests; ++i)
    turn(requests);
  CHECK(intake.is_full());
  CHECK(sent < requests);
  CHECK(deepest >= actors::intake::max_waiting);

  let_go.count_down();
  while (answers < requests)
    turn(requests);
  CHECK(deepest <= most_from_one * (actors::intake::max_waiting + actors::intake::messages_per_turn));
  CHECK(stops == 0);
  replica.stop();
  system.system().await_all_actors_done();
}
