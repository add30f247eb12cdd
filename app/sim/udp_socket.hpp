#pragma once

#include "app/sim/file_descriptor.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::sim {

/// A UDP socket on 127.0.0.1, at a port that the kernel chooses.
class udp_socket {
 public:
  struct datagram {
    std::uint16_t port = 0; ///< of the sender
    std::string_view bytes; ///< valid until the next call
  };

  /// Throws std::system_error.
  udp_socket();

  int descriptor() const { return socket_.get(); }
  std::uint16_t port() const { return port_; }

  /// The next datagram that is already there.
  std::optional<datagram> receive();
  /// To a port on 127.0.0.1. Like any datagram it may be lost.
  void send(std::uint16_t port, std::string_view bytes);

 private:
  file_descriptor socket_;
  std::uint16_t port_ = 0;
  std::vector<char> buffer_;
};

} // namespace troupe::sim
