#pragma once
// Replicas as processes, with this process as their network and their clients.

#include "app/sim/child_process.hpp"
#include "app/sim/udp_socket.hpp"
#include "protocol/wire/simulator_codec.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::bench {

/// The troupe-replica that was built together with this program.
std::string replica_beside_this();

struct real_setup {
  std::string executable;
  std::uint16_t replicas = 3;
  std::string log_level = "error";
  std::string data{}; ///< a directory in which each gets one of its own; empty: they keep logs in memory
  std::vector<std::string> options{}; ///< more of troupe-replica's
};

class real_replicas {
 public:
  using answer_sink = std::function<void(const wire::envelope&)>;
  using passage_sink = std::function<void(const wire::envelope&)>;
  using line_sink = std::function<void(replica_id, const std::string&)>;

  real_replicas(const real_setup& setup, const sim::watchdog& guard);

  /// Whether all of them have spoken, so that it is known where they are.
  bool are_there() const;
  /// Who leads, as far as clients were told; `nobody` if they were not.
  replica_id leader() const { return leader_; }
  /// The one with this number, counted round and round.
  replica_id pick(std::size_t number) const;

  void ask(const wire::request_header& header, const kv::operation& operation);
  /// Waits for messages at most so long and passes on all that are there. Answers go to `take`.
  void turn(int wait_ms, const answer_sink& take);

  /// Takes along what passes between replicas from now on, for each that it goes to.
  void watch(passage_sink sink) { watching_ = std::move(sink); }
  /// From now on nothing passes between this one and the others; `nobody`: all is well again.
  void cut_off(replica_id id) { cut_off_ = id; }

  pid_t process_of(replica_id id) const { return processes_.at(id)->id(); }
  /// Ends it with SIGKILL.
  void kill(replica_id id);
  /// Hands over the lines that they have printed since the last time.
  void read_output(const line_sink& take);

 private:
  void pass_on(const wire::envelope& e, std::string_view bytes);

  sim::udp_socket socket_;
  std::map<replica_id, std::unique_ptr<sim::child_process>> processes_;
  std::map<replica_id, std::uint16_t> ports_; ///< 0: not known yet
  replica_id leader_ = nobody;
  replica_id cut_off_ = nobody;
  passage_sink watching_;
};

} // namespace troupe::bench
