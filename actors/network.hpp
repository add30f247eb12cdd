#pragma once
#include "actors/room.hpp"
#include "protocol/wire/codec.hpp"

#include <array>
#include <cstdint>

namespace troupe::actors {

/// What a network actor has seen. Read by others only while the actor does not run.
struct network_counters {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::array<std::uint64_t, wire::decode_problem_count> dropped{}; ///< by decode_problem
  std::uint64_t without_address = 0; ///< not sent: a configuration may name a replica that nobody can reach
};

/// Owns the edge: parses, validates, counts, drops, sends. Where messages leave as they are there is nothing
/// to parse or write. Holds no state of the protocol but who leads, which every message names.
class network : public room<network_actor> {
 public:
  network(caf::actor_config& c, rooms_ptr r, wire::codec codec, edge* e, direct_edge* d, host h);
  const char* name() const override { return "network"; }
  behavior_type make_behavior() override;

  const network_counters& counters() const { return counters_; }

 private:
  void greet();
  void receive(const datagram& d);
  void send_out(outbound& o);
  bool has_address(replica_id to);
  void answer(client_reply r);
  void drop(const wire::decode_error& e);
  void put_on_the_wire();

  wire::codec codec_;
  edge* edge_;
  direct_edge* direct_; ///< null: all goes as text
  replica_id leader_ = nobody;
  network_counters counters_;
  std::string buffer_;
};

} // namespace troupe::actors
