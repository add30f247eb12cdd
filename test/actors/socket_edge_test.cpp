// The edge over real sockets. Readiness is what poll says; nothing here looks at a clock.

#include "actors/socket_edge.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

using namespace troupe::actors;

namespace {

/// A descriptor that is closed at the end.
class descriptor {
 public:
  explicit descriptor(int value) : value_(value) { REQUIRE(value >= 0); }
  ~descriptor() { close(); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return value_; }
  void close() {
    if (value_ >= 0)
      ::close(std::exchange(value_, -1));
  }

 private:
  int value_;
};

bool is_ready(int descriptor, short events, int wait_ms) {
  pollfd p{descriptor, events, 0};
  return ::poll(&p, 1, wait_ms) == 1;
}

/// Waits, far longer than any machine needs, until a descriptor is ready.
void await(int descriptor, short events = POLLIN) { REQUIRE(is_ready(descriptor, events, 60'000)); }

std::vector<std::string> received(socket_edge& edge, bool* open = nullptr) {
  std::vector<std::string> list;
  const bool still_open = edge.receive(64, [&](std::string_view m) { list.emplace_back(m); });
  if (open)
    *open = still_open;
  return list;
}

/// A simulator of the datagram dialect: one UDP socket.
struct udp_peer {
  descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::uint16_t port = 0;

  udp_peer() {
    auto address = loopback(0);
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t length = sizeof address;
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port = ntohs(address.sin_port);
  }
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static std::uint16_t port_of(const socket_edge& edge) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    REQUIRE(::getsockname(edge.descriptor(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    CHECK(address.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    return ntohs(address.sin_port);
  }
  void send(const socket_edge& edge, std::string_view bytes) const {
    const auto to = loopback(port_of(edge));
    REQUIRE(::sendto(socket.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                     sizeof to) == static_cast<ssize_t>(bytes.size()));
  }
  std::string receive() const {
    await(socket.get());
    std::string bytes(1 << 17, '\0');
    const auto n = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
    REQUIRE(n >= 0);
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
  }
};

/// A simulator of the older dialects: a listener at a path of its own.
struct unix_listener {
  std::string folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "troupe-edge-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }();
  std::string path = folder + "/0000";
  descriptor socket;

  explicit unix_listener(int type) : socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(socket.get(), 8) == 0);
  }
  ~unix_listener() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  int accept() const { return ::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC); }
};

struct connection {
  explicit connection(int type)
      : listener(type), edge(socket_edge::unix_socket(listener.path)), peer(listener.accept()) {}

  unix_listener listener;
  std::unique_ptr<socket_edge> edge;
  descriptor peer;

  void send(std::string_view bytes) const {
    REQUIRE(::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  std::string receive(std::size_t most = 16'384) const {
    await(peer.get());
    std::string bytes(most, '\0');
    const auto n = ::recv(peer.get(), bytes.data(), bytes.size(), 0);
    REQUIRE(n >= 0);
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
  }
};

/// A connection whose socket takes a few thousand bytes, so that writes break off inside of messages.
struct narrow_connection : connection {
  narrow_connection() : connection(SOCK_STREAM) {
    const int least = 1;
    REQUIRE(::setsockopt(edge->descriptor(), SOL_SOCKET, SO_SNDBUF, &least, sizeof least) == 0);
  }
};

using messages = std::vector<std::string>;

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

} // namespace

// ---- datagrams

TEST_CASE("edge: a datagram is a message, in both directions, without anything around it") {
  const udp_peer simulator;
  const auto edge = socket_edge::datagram(simulator.port);
  CHECK(edge->kind() == transport_kind::datagram);
  edge->send("{\"a\":1}");
  CHECK(simulator.receive() == "{\"a\":1}");
  simulator.send(*edge, "{\"b\":2}");
  simulator.send(*edge, "");
  simulator.send(*edge, "{\"c\":3}");
  messages got;
  while (got.size() < 3) {
    await(edge->descriptor());
    for (auto& m : received(*edge))
      got.push_back(std::move(m));
  }
  CHECK(got == messages{"{\"b\":2}", "", "{\"c\":3}"});
  CHECK(received(*edge).empty());
}

TEST_CASE("edge: a datagram from anybody else is dropped and counted") {
  const udp_peer simulator;
  const udp_peer stranger;
  const auto edge = socket_edge::datagram(simulator.port);
  stranger.send(*edge, "{\"forged\":1}");
  simulator.send(*edge, "{\"genuine\":1}");
  messages got;
  while (got.empty()) {
    await(edge->descriptor());
    got = received(*edge);
  }
  CHECK(got == messages{"{\"genuine\":1}"});
  CHECK(edge->counted().foreign == 1);
}

TEST_CASE("edge: the largest datagram leaves, and one that is larger is dropped and counted") {
  const udp_peer simulator;
  const auto edge = socket_edge::datagram(simulator.port);
  const std::string largest(max_message_bytes(transport_kind::datagram), 'x');
  edge->send(largest + "x");
  CHECK(edge->counted().oversized == 1);
  edge->send(largest);
  CHECK(simulator.receive() == largest);
  CHECK_FALSE(is_ready(simulator.socket.get(), POLLIN, 0));
}

TEST_CASE("edge: not more messages are handed over at once than asked for, and none is lost") {
  const udp_peer simulator;
  const auto edge = socket_edge::datagram(simulator.port);
  for (int i = 0; i < 5; ++i)
    simulator.send(*edge, std::to_string(i));
  messages got;
  while (got.size() < 5) {
    await(edge->descriptor());
    std::size_t now = 0;
    CHECK(edge->receive(2, [&](std::string_view m) {
      got.emplace_back(m);
      ++now;
    }));
    CHECK(now <= 2);
  }
  CHECK(got == messages{"0", "1", "2", "3", "4"});
}

TEST_CASE("edge: a simulator that is not there does not end the replica") {
  std::uint16_t port = 0;
  {
    const udp_peer gone;
    port = gone.port;
  }
  const auto edge = socket_edge::datagram(port);
  for (int i = 0; i < 10; ++i)
    edge->send("{}");
  bool open = false;
  CHECK(received(*edge, &open).empty());
  CHECK(open);
}

// ---- packets

TEST_CASE("edge: a packet is a message, and the kernel tells what kind of socket listens") {
  const connection c(SOCK_SEQPACKET);
  CHECK(c.edge->kind() == transport_kind::seqpacket);
  c.edge->send("{\"a\":1}");
  CHECK(c.receive() == "{\"a\":1}");
  c.send("{\"b\":2}");
  c.send("{\"c\":3}\n");
  await(c.edge->descriptor());
  CHECK(received(*c.edge) == messages{"{\"b\":2}", "{\"c\":3}\n"});
}

TEST_CASE("edge: an empty packet is not the end") {
  const connection c(SOCK_SEQPACKET);
  c.send("");
  c.send("{}");
  await(c.edge->descriptor());
  bool open = false;
  CHECK(received(*c.edge, &open) == messages{"{}"});
  CHECK(open);
}

TEST_CASE("edge: a packet that the simulator would cut is dropped and counted") {
  const connection c(SOCK_SEQPACKET);
  const std::string largest(max_message_bytes(transport_kind::seqpacket), 'x');
  c.edge->send(largest + "x");
  CHECK(c.edge->counted().oversized == 1);
  c.edge->send(largest);
  CHECK(c.receive() == largest);
}

TEST_CASE("edge: packets to a reader that does not read wait, whole and in order") {
  const connection c(SOCK_SEQPACKET);
  const int sent = 2'000;
  for (int i = 0; i < sent; ++i)
    c.edge->send(std::to_string(i) + std::string(1'000, 'x'));
  CHECK(c.edge->wants_to_write());
  CHECK(is_ready(c.edge->wake_descriptor(), POLLIN, 0));
  for (int i = 0; i < sent; ++i) {
    c.edge->flush();
    CHECK(c.receive() == std::to_string(i) + std::string(1'000, 'x'));
  }
  CHECK_FALSE(c.edge->wants_to_write());
  CHECK(c.edge->counted().overflow == 0);
}

// ---- lines

TEST_CASE("edge: a line is a message, in both directions") {
  const connection c(SOCK_STREAM);
  CHECK(c.edge->kind() == transport_kind::stream);
  c.edge->send("{\"a\":1}");
  c.edge->send("{\"b\":2}");
  std::string text;
  while (text.size() < 16)
    text += c.receive();
  CHECK(text == "{\"a\":1}\n{\"b\":2}\n");
  c.send("{\"c\":3}\n\n{\"d\":4}\n");
  await(c.edge->descriptor());
  CHECK(received(*c.edge) == messages{"{\"c\":3}", "{\"d\":4}"});
}

TEST_CASE("edge: a line that arrives in pieces is one message") {
  const connection c(SOCK_STREAM);
  c.send("{\"a\"");
  await(c.edge->descriptor());
  CHECK(received(*c.edge).empty());
  c.send(":1}\n{\"b\":2");
  await(c.edge->descriptor());
  CHECK(received(*c.edge) == messages{"{\"a\":1}"});
  c.send("}\n");
  await(c.edge->descriptor());
  CHECK(received(*c.edge) == messages{"{\"b\":2}"});
}

TEST_CASE("edge: a reader that is slow gets everything in order, and nobody waits for it") {
  const narrow_connection c;
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const auto message = "{\"n\":" + std::to_string(i) + ",\"x\":\"" + std::string(10'000, 'x') + "\"}";
    c.edge->send(message); // never blocks: nobody reads yet
    expected += message + "\n";
  }
  CHECK(c.edge->wants_to_write());
  std::string text;
  for (int turn = 0; text.size() < expected.size(); ++turn) {
    text += c.receive(777);
    if (turn < 100) { // there is room now, but others wait already
      c.edge->send("{}");
      expected += "{}\n";
    }
    c.edge->flush();
  }
  CHECK((text == expected)); // too long to be printed
  CHECK_FALSE(c.edge->wants_to_write());
}

TEST_CASE("edge: what waits is bounded, and a line that has begun is always finished") {
  const narrow_connection c;
  const std::string message(16'000, 'x');
  std::size_t sent = 0;
  for (; c.edge->counted().overflow < 10; ++sent)
    c.edge->send(message);
  std::string text;
  while (c.edge->wants_to_write() || is_ready(c.peer.get(), POLLIN, 0)) {
    text += c.receive();
    c.edge->flush();
  }
  CHECK(text.size() == (sent - 10) * (message.size() + 1));
  CHECK(text.back() == '\n');
  c.edge->send("{}");
  CHECK(c.receive() == "{}\n");
}

TEST_CASE("edge: a line that is longer than the buffer is skipped to its end, and counted") {
  const connection c(SOCK_STREAM);
  const std::string piece(50'000, 'x');
  for (int i = 0; i < 10; ++i) {
    c.send(piece);
    await(c.edge->descriptor());
    CHECK(received(*c.edge).empty());
  }
  c.send("the end of it\n{\"a\":1}\n");
  messages got;
  while (got.empty()) {
    await(c.edge->descriptor());
    got = received(*c.edge);
  }
  CHECK(got == messages{"{\"a\":1}"});
  CHECK(c.edge->counted().oversized > 0);
}

// ---- the end

namespace {

/// Up to the end of the connection.
messages all_received(const connection& c) {
  messages got;
  bool open = true;
  while (open) {
    await(c.edge->descriptor());
    for (auto& m : received(*c.edge, &open))
      got.push_back(m);
  }
  return got;
}

} // namespace

TEST_CASE("edge: the end of the connection is reported, after what came before it") {
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    connection c(type);
    c.send("{\"a\":1}\n");
    c.peer.close();
    CHECK(all_received(c).size() == 1);
    c.edge->send("{}"); // to nobody, and without a signal that would end the process
    CHECK_FALSE(c.edge->wants_to_write());
  }
}

TEST_CASE("edge: a simulator that sends no more is gone, though it still reads") {
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    const connection c(type);
    REQUIRE(::shutdown(c.peer.get(), SHUT_WR) == 0);
    await(c.edge->descriptor());
    bool open = true;
    CHECK(received(*c.edge, &open).empty());
    CHECK_FALSE(open);
  }
}

TEST_CASE("edge: an empty packet is not the end where other packets come before that") {
  connection c(SOCK_SEQPACKET);
  c.send("");
  c.send("{}");
  c.peer.close();
  CHECK(all_received(c) == messages{"{}"});
}

TEST_CASE("edge: a socket that is not there is an error that names it") {
  try {
    socket_edge::unix_socket("/nowhere/0000");
    FAIL("connected to nothing");
  } catch (const socket_error& e) {
    CHECK(e.error() == ENOENT);
    CHECK(std::string(e.what()).find("\"/nowhere/0000\"") != std::string::npos);
  }
  CHECK_THROWS_AS(socket_edge::unix_socket(std::string(200, 'x')), socket_error);
}

TEST_CASE("edge: a listener of another kind than was asked for is an error") {
  const unix_listener listener(SOCK_STREAM);
  CHECK_THROWS_AS(socket_edge::unix_socket(listener.path, transport_kind::seqpacket), socket_error);
}

TEST_CASE("edge: no descriptor is left open, however it ends") {
  const unix_listener listener(SOCK_STREAM);
  const auto before = open_descriptors();
  for (int i = 0; i < 3; ++i) {
    socket_edge::datagram(1);
    socket_edge::unix_socket(listener.path);
    CHECK_THROWS_AS(socket_edge::unix_socket(listener.path, transport_kind::seqpacket), socket_error);
    CHECK_THROWS_AS(socket_edge::unix_socket("/nowhere/0000"), socket_error);
    descriptor accepted(listener.accept());
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("edge: where descriptors are only enough for the socket, nobody is left without being woken up") {
  const auto before = open_descriptors();
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const descriptor next(::dup(STDERR_FILENO));
  const auto scarce = rlimit{static_cast<rlim_t>(next.get()) + 2, limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &scarce) == 0);
  int error = 0;
  try {
    socket_edge::datagram(1);
  } catch (const socket_error& e) {
    error = e.error();
  }
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(error == EMFILE);
  CHECK(open_descriptors() == before + 1);
}
