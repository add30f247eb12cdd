#include "actors/socket_edge.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace troupe::actors {

namespace {

constexpr std::size_t max_backlog_bytes = 8 << 20;
constexpr std::size_t buffer_bytes = 1 << 17;

/// With the reason that errno holds.
socket_error error_at(const std::string& what) {
  const int error = errno;
  return {fmt::format("{}: {}", what, std::generic_category().message(error)), error};
}

int open_socket(int domain, int type) {
  const int descriptor = ::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    throw error_at("cannot open a socket");
  return descriptor;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

template <class Address>
const sockaddr* generic(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

} // namespace

std::string_view to_string(transport_kind kind) {
  switch (kind) {
  case transport_kind::datagram:
    return "datagram";
  case transport_kind::stream:
    return "stream";
  case transport_kind::seqpacket:
    return "seqpacket";
  }
  return "";
}

std::size_t max_message_bytes(transport_kind kind) {
  // The older simulators read 16,384 bytes at a time, and a stream's message ends with a newline.
  return kind == transport_kind::datagram ? 65'507 : 16'383;
}

// ---- opening
// ------------------------------------------------------------------------------------------------------

socket_edge::socket_edge(int descriptor, transport_kind kind)
    : descriptor_(descriptor), wake_descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), kind_(kind),
      input_(buffer_bytes, '\0') {
  if (wake_descriptor_ >= 0)
    return;
  const auto why = error_at("cannot open a descriptor to wake up by");
  ::close(descriptor_); // nobody destroys what was not made
  throw why;
}

socket_edge::~socket_edge() {
  ::close(descriptor_);
  ::close(wake_descriptor_);
}

std::unique_ptr<socket_edge> socket_edge::datagram(std::uint16_t port) {
  std::unique_ptr<socket_edge> edge(
      new socket_edge(open_socket(AF_INET, SOCK_DGRAM), transport_kind::datagram));
  const auto any_port = loopback(0);
  if (::bind(edge->descriptor_, generic(any_port), sizeof any_port) < 0)
    throw error_at("cannot bind a port of 127.0.0.1");
  edge->simulator_port_ = htons(port);
  const int size = 4 << 20; // a burst must not be lost while this process waits for a processor
  ::setsockopt(edge->descriptor_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return edge;
}

std::unique_ptr<socket_edge> socket_edge::unix_socket(const std::string& path, transport_kind kind) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw socket_error(fmt::format("the socket's path \"{}\" is too long", path), ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int type = kind == transport_kind::stream ? SOCK_STREAM : SOCK_SEQPACKET;
  std::unique_ptr<socket_edge> edge(new socket_edge(open_socket(AF_UNIX, type), kind));
  if (::connect(edge->descriptor_, generic(address), sizeof address) < 0)
    throw error_at(fmt::format("cannot connect to the socket \"{}\"", path));
  return edge;
}

std::unique_ptr<socket_edge> socket_edge::unix_socket(const std::string& path) {
  try {
    return unix_socket(path, transport_kind::seqpacket);
  } catch (const socket_error& e) {
    if (e.error() == EPROTOTYPE)
      return unix_socket(path, transport_kind::stream);
    throw;
  }
}

// ---- sending
// ------------------------------------------------------------------------------------------------------

/// True if there is nothing more to do about this message: it left, or nothing ever will.
bool socket_edge::write_now(std::string_view message, std::size_t& written) {
  const auto to = loopback(ntohs(simulator_port_));
  const bool addressed = kind_ == transport_kind::datagram;
  while (written < message.size()) {
    const auto n = ::sendto(descriptor_, message.data() + written, message.size() - written, MSG_NOSIGNAL,
                            addressed ? generic(to) : nullptr, addressed ? sizeof to : 0);
    if (n >= 0)
      written += static_cast<std::size_t>(n);
    else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
      return false;
    else if (errno != EINTR)
      return true; // gone, as on any network; reading finds out whether for good
  }
  return true;
}

void socket_edge::send(std::string_view message) {
  if (message.size() > max_message_bytes(kind_)) {
    ++counters_.oversized;
    return;
  }
  std::string line;
  if (kind_ == transport_kind::stream) {
    line.reserve(message.size() + 1);
    line.append(message).push_back('\n');
    message = line;
  }
  const std::lock_guard lock(mutex_);
  std::size_t written = 0;
  if (backlog_.empty() && write_now(message, written))
    return;
  keep(std::string(message.substr(written)));
}

/// A line of a stream that has begun is never dropped: then nothing else waits, and one message fits.
void socket_edge::keep(std::string message) {
  if (backlog_bytes_ + message.size() > max_backlog_bytes) {
    ++counters_.overflow;
    return;
  }
  backlog_bytes_ += message.size();
  backlog_.push_back(std::move(message));
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto ignored = ::write(wake_descriptor_, &one, sizeof one);
}

void socket_edge::flush() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto ignored = ::read(wake_descriptor_, &count, sizeof count);
  const std::lock_guard lock(mutex_);
  while (!backlog_.empty()) {
    std::size_t written = 0;
    const bool done = write_now(backlog_.front(), written);
    backlog_bytes_ -= done ? backlog_.front().size() : written;
    if (!done) {
      backlog_.front().erase(0, written);
      return;
    }
    backlog_.pop_front();
  }
}

bool socket_edge::wants_to_write() {
  const std::lock_guard lock(mutex_);
  return !backlog_.empty();
}

// ---- receiving
// ----------------------------------------------------------------------------------------------------

bool socket_edge::receive(std::size_t limit, const std::function<void(std::string_view)>& take) {
  return kind_ == transport_kind::stream ? receive_stream(take) : receive_packets(limit, take);
}

/// What an empty packet is not. A side that only reads on is gone, too: every read would be an empty one from
/// here on. What it sent before that comes first.
bool socket_edge::other_side_is_gone() const {
  pollfd p{descriptor_, POLLRDHUP, 0};
  int waiting = 0;
  return ::poll(&p, 1, 0) == 1 && (::ioctl(descriptor_, FIONREAD, &waiting) < 0 || waiting == 0);
}

bool socket_edge::receive_packets(std::size_t limit, const std::function<void(std::string_view)>& take) {
  for (std::size_t i = 0; i < limit; ++i) {
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const auto n =
        ::recvfrom(descriptor_, input_.data(), input_.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) // a datagram socket has no other side that could be gone for good
      return kind_ == transport_kind::datagram || errno == EAGAIN || errno == EWOULDBLOCK;
    if (kind_ == transport_kind::seqpacket && n == 0) {
      if (other_side_is_gone())
        return false;
      continue;
    }
    if (kind_ == transport_kind::datagram &&
        (from.sin_port != simulator_port_ || from.sin_addr.s_addr != htonl(INADDR_LOOPBACK))) {
      ++counters_.foreign;
      continue;
    }
    take({input_.data(), static_cast<std::size_t>(n)});
  }
  return true;
}

/// One message a line. A line that is longer than any message is skipped to its end.
bool socket_edge::receive_stream(const std::function<void(std::string_view)>& take) {
  const auto n = ::recv(descriptor_, input_.data() + input_size_, input_.size() - input_size_, 0);
  if (n == 0)
    return false;
  if (n < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  input_size_ += static_cast<std::size_t>(n);
  std::string_view rest(input_.data(), input_size_);
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    if (!std::exchange(skipping_, false) && end > 0)
      take(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  if (rest.size() == input_.size()) {
    ++counters_.oversized;
    skipping_ = true;
    rest.remove_prefix(rest.size());
  }
  std::memmove(input_.data(), rest.data(), rest.size());
  input_size_ = rest.size();
  return true;
}

} // namespace troupe::actors
