#pragma once
// The simulators' three transports: one message in, one message out. See docs/simulator.md.

#include "actors/surroundings.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace troupe::actors {

enum class transport_kind { datagram, stream, seqpacket };

/// `datagram`, `stream`, `seqpacket`.
std::string_view to_string(transport_kind kind);

/// The longest message that the transport carries, in bytes.
std::size_t max_message_bytes(transport_kind kind);

/// A socket could not be opened or connected. `what()` names it and says why, in one line.
class socket_error : public std::runtime_error {
 public:
  socket_error(const std::string& what, int error) : std::runtime_error(what), error_(error) {}
  /// The value of errno.
  int error() const { return error_; }

 private:
  int error_;
};

/// A connected, non-blocking socket. `send` may be called from another thread than the rest.
class socket_edge : public edge {
 public:
  struct counters {
    std::uint64_t foreign = 0;   ///< datagrams from somebody else than the simulator
    std::uint64_t oversized = 0; ///< messages beyond what the transport carries
    std::uint64_t overflow = 0;  ///< messages that were dropped because too much waited to be sent
  };

  /// Binds a free UDP port of the loopback interface, to talk to 127.0.0.1:`port` and nobody else.
  /// @throws socket_error
  static std::unique_ptr<socket_edge> datagram(std::uint16_t port);
  /// Connects to a Unix socket of either kind.
  /// @throws socket_error
  static std::unique_ptr<socket_edge> unix_socket(const std::string& path, transport_kind kind);
  /// Tries seqpacket and then stream: the kernel tells which one listens.
  /// @throws socket_error
  static std::unique_ptr<socket_edge> unix_socket(const std::string& path);

  ~socket_edge() override;
  socket_edge(const socket_edge&) = delete;
  socket_edge& operator=(const socket_edge&) = delete;

  transport_kind kind() const { return kind_; }

  /// To be polled for reading, and for writing while `wants_to_write`.
  int descriptor() const { return descriptor_; }
  /// Becomes readable when `wants_to_write` has become true in another thread.
  int wake_descriptor() const { return wake_descriptor_; }
  bool wants_to_write();

  /// Sends at once where the socket takes it, and keeps the rest for `flush`, up to a bound.
  void send(std::string_view message) override;
  void flush();

  /// Hands over up to `limit` messages that have arrived. False when the other side is gone.
  bool receive(std::size_t limit, const std::function<void(std::string_view)>& take);

  const counters& counted() const { return counters_; }

 private:
  socket_edge(int descriptor, transport_kind kind);
  bool write_now(std::string_view message, std::size_t& written);
  void keep(std::string message);
  bool receive_stream(const std::function<void(std::string_view)>& take);
  bool other_side_is_gone() const;
  bool receive_packets(std::size_t limit, const std::function<void(std::string_view)>& take);

  int descriptor_;
  int wake_descriptor_;
  transport_kind kind_;
  std::uint16_t simulator_port_ = 0; ///< in network order; datagram only
  std::string input_; ///< a buffer; for a stream, also the start of a message that is not whole
  std::size_t input_size_ = 0;
  bool skipping_ = false; ///< the rest of an oversized line
  counters counters_;

  std::mutex mutex_; ///< guards what follows
  std::deque<std::string> backlog_;
  std::size_t backlog_bytes_ = 0;
};

} // namespace troupe::actors
