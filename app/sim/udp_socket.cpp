#include "app/sim/udp_socket.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>

namespace troupe::sim {

namespace {

constexpr int buffer_bytes = 4 << 20;
/// Longer than any datagram.
constexpr std::size_t receive_bytes = 1 << 16;
/// How long a full send buffer is waited for before the datagram is lost.
constexpr int patience_ms = 10;

sockaddr_in local(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

} // namespace

udp_socket::udp_socket()
    : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), buffer_(receive_bytes) {
  if (!socket_.is_open())
    fail("socket");
  // As much as the kernel grants: a burst must not be lost here, where it would not be counted.
  setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  setsockopt(descriptor(), SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  auto address = local(0);
  socklen_t size = sizeof address;
  if (bind(descriptor(), reinterpret_cast<sockaddr*>(&address), size) != 0)
    fail("bind");
  if (getsockname(descriptor(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    fail("getsockname");
  port_ = ntohs(address.sin_port);
}

std::optional<udp_socket::datagram> udp_socket::receive() {
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const auto got =
      recvfrom(descriptor(), buffer_.data(), buffer_.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (got < 0)
    return std::nullopt;
  return datagram{ntohs(from.sin_port), {buffer_.data(), static_cast<std::size_t>(got)}};
}

void udp_socket::send(std::uint16_t port, std::string_view bytes) {
  const auto to = local(port);
  const auto attempt = [&] {
    return sendto(descriptor(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                  sizeof to);
  };
  if (attempt() >= 0 || errno != EAGAIN)
    return;
  pollfd writable{descriptor(), POLLOUT, 0};
  poll(&writable, 1, patience_ms);
  attempt();
}

} // namespace troupe::sim
