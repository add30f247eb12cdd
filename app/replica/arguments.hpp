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
  std::string trace; ///< a file for the trace; empty: none
  std::size_t trace_memory_mib = 0;
  std::string command;     ///< all of it, to be called again
  std::size_t threads = 0; ///< 0: one loop for everything; else CAF's scheduler with as many
};

/// The program is done before it began: what to print, and the exit status.
struct early_exit {
  int status = 0;
  std::string text;
};

/// Reads the command line. Whatever is wrong with it comes back as one line and status 2.
std::variant<replica_arguments, early_exit> parse_arguments(int argc, char** argv);

} // namespace troupe::app
