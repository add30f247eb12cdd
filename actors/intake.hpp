#pragma once
#include "actors/replica.hpp"
#include "actors/socket_edge.hpp"

namespace troupe::actors {

/// Lets messages from a socket into a replica, and no more than its actors take: their mailboxes have no
/// bound of their own, and on threads any of them may fall behind the socket. What is not let in waits in the
/// socket, where the sender sees it.
///
/// One message makes a few others on its way through the rooms, so this bounds all four mailboxes.
class intake {
 public:
  /// How many messages may wait in the four rooms together when another one is let in.
  static constexpr std::size_t max_waiting = 4'096;
  /// How many are let in before the actors run again; a stream may hold more in one read.
  static constexpr std::size_t messages_per_turn = 64;

  intake(socket_edge& edge, actors::replica& replica) : edge_(edge), replica_(replica) {}

  /// The socket need not be looked at; nothing tells when that changes.
  bool is_full() const { return replica_.depths().sum() >= max_waiting; }

  /// Lets in what has arrived, unless it is full. False when the other side is gone.
  bool receive() {
    return is_full() || edge_.receive(messages_per_turn, [this](std::string_view message) {
      replica_.receive(std::string(message));
    });
  }

 private:
  socket_edge& edge_;
  actors::replica& replica_;
};

} // namespace troupe::actors
