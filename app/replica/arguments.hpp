#pragma once
// The command line of troupe-replica.

#include "actors/router.hpp"
#include "actors/socket_edge.hpp"
#include "actors/surroundings.hpp"
#include "protocol/raft/options.hpp"
#include "protocol/wire/directory.hpp"

#include <optional>
#include <string>
#include <variant>

namespace troupe::app {

/// Where the simulator is: a UDP port of this machine, or a Unix socket, of this kind if that was said
/// outright.
struct datagram_port {
  std::uint16_t port = 0;
};
struct unix_path {
  std::string path;
  std::optional<actors::transport_kind> kind;
};

struct replica_arguments {
  std::variant<datagram_port, unix_path> simulator;
  wire::directory directory;
  raft::options raft;
  actors::router_options router;
  actors::log_level log_level = actors::log_level::info;
  std::string data;  ///< the directory of its log; empty: it forgets everything when it ends
  std::string trace; ///< a file for the trace; empty: none
  std::size_t trace_memory_mib = 0;
  std::string command;     ///< all of it, to be called again
  std::size_t threads = 0; ///< 0: one loop for everything; else CAF's scheduler with as many
};

/// Reads the command line. Nothing if there is nothing left to do, after --help. Whatever is wrong with it is
/// thrown as a std::exception of one line.
std::optional<replica_arguments> parse_arguments(int argc, char** argv);

} // namespace troupe::app
