#include "app/replica/serve.hpp"

#include "actors/intake.hpp"
#include "actors/loop.hpp"
#include "actors/memory_storage.hpp"
#include "actors/replica.hpp"
#include "app/replica/tracing.hpp"
#include "app/version.hpp"
#include "disk/background_storage.hpp"
#include "disk/real_files.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <mutex>

namespace troupe::app {

namespace {

using actors::log_level;

/// One line on standard error, in one piece: several replicas share a terminal, several threads a replica.
/// A pipe that is full loses the line: a replica that waits for its reader would be taken for dead. A pipe
/// that is ready takes PIPE_BUF bytes without waiting.
void say(const std::string& id, const std::string& text) {
  static std::mutex one_at_a_time;
  auto line = fmt::format("{}: {}", id, text);
  line.resize(std::min<std::size_t>(line.size(), PIPE_BUF - 1));
  line.push_back('\n');
  const std::lock_guard lock(one_at_a_time);
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0) {
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, line.data(), line.size());
  }
}

actors::host make_host(const replica_arguments& a, tracing& t) {
  const auto id = to_string(a.directory.self());
  return {[id, most = a.log_level](log_level level, const std::string& text) {
            if (level <= most)
              say(id, text);
          },
          [id, &t](const std::string& why) {
            say(id, "stops: " + why);
            t.note_violation(why);
            say(id, t.keep());
            ::_exit(70);
          },
          nullptr, t.recorder(), a.directory.self()};
}

std::unique_ptr<actors::socket_edge> connect(const replica_arguments& a) {
  if (const auto* d = std::get_if<datagram_port>(&a.simulator))
    return actors::socket_edge::datagram(d->port);
  const auto& u = std::get<unix_path>(a.simulator);
  return u.kind ? actors::socket_edge::unix_socket(u.path, *u.kind)
                : actors::socket_edge::unix_socket(u.path);
}

actors::replica_setup make_setup(const replica_arguments& a, actors::socket_edge& edge,
                                 actors::storage& storage, const actors::host& host) {
  const auto limit = actors::max_message_bytes(edge.kind());
  auto raft = a.raft;
  raft.max_append_bytes = limit - wire::append_overhead_bytes;
  return {a.directory, {limit}, raft, a.router, &edge, &storage, host};
}

/// Memory, or a directory.
class any_storage {
 public:
  any_storage(const replica_arguments& a, const actors::host& host) {
    if (a.data.empty())
      return;
    files_.emplace(a.data, disk::real_files::access::own);
    auto cluster = a.directory.members();
    std::sort(cluster.begin(), cluster.end());
    log_.emplace(*files_, disk::owner{a.directory.self(), cluster});
    for (const auto& remark : log_->remarks())
      host.log(log_level::warning, remark);
    disk_.emplace(*log_);
  }

  actors::storage& get() { return disk_ ? static_cast<actors::storage&>(*disk_) : memory_; }
  /// Readable when `deliver` has something to do; -1: never.
  int descriptor() const { return disk_ ? disk_->descriptor() : -1; }
  void deliver() { disk_->deliver(); }
  /// Before the actors are gone.
  void stop(const actors::host& host) {
    if (const auto error = disk_ ? disk_->stop() : std::string(); !error.empty())
      host.stop("the storage failed: " + error);
  }

 private:
  actors::memory_storage memory_;
  std::optional<disk::real_files> files_;
  std::optional<disk::disk_log> log_;
  std::optional<disk::background_storage> disk_;
};

/// The socket, the disk and the signals, and what is done about them.
class mouth {
 public:
  mouth(actors::socket_edge& edge, any_storage& storage, int signals, actors::replica& replica,
        const actors::host& host, tracing& t)
      : edge_(edge), storage_(storage), signals_(signals), intake_(edge, replica), host_(host), tracing_(t) {}

  /// Waits for something to happen, for at most `timeout`, and hands on what arrived. False when it is time
  /// to end.
  bool turn(duration timeout) {
    const bool full = intake_.is_full();
    if (full) // the actors have to catch up; nothing tells when they have
      timeout = std::min<duration>(timeout, std::chrono::milliseconds(1));
    std::array<pollfd, 4> ready{{{edge_.descriptor(), events(full), 0},
                                 {edge_.wake_descriptor(), POLLIN, 0},
                                 {signals_, POLLIN, 0},
                                 {storage_.descriptor(), POLLIN, 0}}};
    const timespec wait{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
    if (::ppoll(ready.data(), ready.size(), timeout == duration::max() ? nullptr : &wait, nullptr) <= 0)
      return true;
    if (ready[2].revents != 0 && told_to_end()) {
      receive();
      return false;
    }
    if (ready[3].revents != 0)
      storage_.deliver();
    if ((ready[0].revents & POLLOUT) != 0 || ready[1].revents != 0)
      edge_.flush();
    return (ready[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0 || receive();
  }

 private:
  short events(bool full) {
    return static_cast<short>((full ? 0 : POLLIN) | (edge_.wants_to_write() ? POLLOUT : 0));
  }

  /// Reads one signal. The one that asks for the last moments is no reason to end.
  bool told_to_end() {
    signalfd_siginfo signal{};
    if (::read(signals_, &signal, sizeof signal) != sizeof signal)
      return false;
    if (signal.ssi_signo != SIGUSR1)
      return true;
    host_.log(log_level::error, tracing_.keep());
    return false;
  }

  bool receive() {
    const bool open = intake_.receive();
    if (edge_.counted().foreign > 0 && !std::exchange(told_foreign_, true))
      host_.log(log_level::warning,
                "dropped a datagram that did not come from the simulator (more are counted, not told)");
    if (!open)
      host_.log(log_level::info, "the simulator has closed the connection");
    return open;
  }

  actors::socket_edge& edge_;
  any_storage& storage_;
  int signals_;
  actors::intake intake_;
  const actors::host& host_;
  tracing& tracing_;
  bool told_foreign_ = false;
};

/// Everything in this thread.
void serve_in_a_loop(const replica_arguments& a, actors::socket_edge& edge, any_storage& storage,
                     const actors::host& host, tracing& t, int signals) {
  actors::loop_system system(actors::time_source::real);
  auto& loop = system.scheduler();
  actors::replica replica(system.system(), make_setup(a, edge, storage.get(), host));
  mouth m(edge, storage, signals, replica, host, t);
  for (bool open = true; open;) {
    loop.catch_up();
    loop.run_jobs();
    const auto next = loop.next_timer();
    open = m.turn(next == never ? duration::max() : std::max(next - loop.now(), duration::zero()));
  }
  loop.run_jobs(); // what arrived before the end is still served
  storage.stop(host);
}

/// The actors on CAF's own threads; this one only reads.
void serve_on_threads(const replica_arguments& a, actors::socket_edge& edge, any_storage& storage,
                      const actors::host& host, tracing& t, int signals) {
  actors::threaded_system system(a.threads);
  actors::replica replica(system.system(), make_setup(a, edge, storage.get(), host));
  mouth m(edge, storage, signals, replica, host, t);
  while (m.turn(duration::max())) {
  }
  replica.stop();
  system.system().await_all_actors_done();
  storage.stop(host); // when nobody hands anything over any more
}

} // namespace

int serve(const replica_arguments& arguments, int signals) {
  tracing t(arguments);
  const auto host = make_host(arguments, t);
  any_storage storage(arguments, host);
  const auto edge = connect(arguments);
  host.log(log_level::info, fmt::format("troupe-replica {}, peers: {}, by {}, {}", version,
                                        arguments.directory.members().size() - 1, to_string(edge->kind()),
                                        arguments.data.empty() ? "forgets everything when it ends"
                                                               : "its log is in " + arguments.data));
  if (arguments.threads > 0)
    serve_on_threads(arguments, *edge, storage, host, t, signals);
  else
    serve_in_a_loop(arguments, *edge, storage, host, t, signals);
  if (const auto error = t.end(); !error.empty())
    host.log(log_level::error, "the trace is not whole: " + error);
  return 0;
}

} // namespace troupe::app
