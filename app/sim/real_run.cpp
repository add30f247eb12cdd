#include "app/sim/real_run.hpp"

#include "app/sim/child_process.hpp"
#include "app/sim/passages.hpp"
#include "app/sim/scratch_directory.hpp"
#include "app/sim/udp_socket.hpp"
#include "cluster/course/world.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <poll.h>
#include <system_error>
#include <thread>

namespace troupe::sim {

namespace {

/// So many datagrams are taken before requests that became due get their turn.
constexpr int most_datagrams_at_once = 64;
constexpr auto health_check_interval = std::chrono::milliseconds(20);
constexpr auto progress_interval = std::chrono::milliseconds(200);
/// What replicas have to end in before they are killed.
constexpr auto grace = std::chrono::milliseconds(500);
/// Lines of one replica that are shown in a run.
constexpr std::size_t most_lines = 1000;

instant read_clock() { return {std::chrono::steady_clock::now().time_since_epoch()}; }

/// Waits for input, at most for `longest`.
void await(std::vector<pollfd>& files, duration longest) {
  longest = std::max(longest, duration(0));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(longest);
  const timespec timeout{seconds.count(), (longest - seconds).count()};
  // Interrupted or not: the caller looks at what is there.
  if (ppoll(files.data(), files.size(), &timeout, nullptr) < 0)
    for (auto& file : files)
      file.revents = 0;
}

class real_run {
 public:
  real_run(const run_plan& plan, const real_setting& setting, spectator& spectator)
      : plan_(plan), setting_(setting), spectator_(spectator),
        start_(setting.recorder ? setting.began : read_clock()), world_(*plan.scenario, plan.seed, start_),
        passages_(setting.recorder, world_) {
    if (plan.durable)
      directory_.emplace();
    spawn();
  }

  std::optional<run_result> play() {
    while (!world_.finished() && !stopped_)
      turn();
    for (auto& replica : replicas_)
      check_health(replica, read_clock());
    world_.finish(read_clock());
    show_news();
    end_replicas();
    if (setting_.recorder)
      setting_.recorder->end(read_clock());
    if (stopped_)
      return std::nullopt;
    return make_result(plan_, world_.figures(), world_.complaints());
  }

 private:
  struct running_replica {
    replica_id id;
    child_process process;
    std::size_t lines = 0;
    bool ended = false;
  };

  void spawn() {
    const auto ids = world_.replicas();
    for (auto id : ids) {
      std::vector<std::string> arguments{setting_.replica, std::to_string(socket_.port()), to_string(id)};
      for (auto peer : ids)
        if (peer != id)
          arguments.push_back(to_string(peer));
      // No argument: the replica may be somebody else's, who takes none but the course's.
      // What the user's own variables say is for one replica: all of them would write into one place.
      const std::vector<std::string> environment{
          setting_.trace.empty() ? "TROUPE_TRACE"
                                 : fmt::format("TROUPE_TRACE={}.{}", setting_.trace, to_string(id)),
          directory_ ? fmt::format("TROUPE_DATA={}", (directory_->path() / to_string(id)).string())
                     : "TROUPE_DATA"};
      replicas_.push_back({id, child_process(arguments, setting_.guard, environment)});
    }
  }

  /// One wake-up.
  void turn() {
    auto& files = watched_files();
    await(files, world_.next_due() - read_clock());
    stopped_ = files[0].revents != 0;
    const bool woken = receive_datagrams();
    // Output of a replica is no reason to look for due requests: the course's simulator would sleep on.
    if (woken || read_clock() >= world_.next_due())
      while (world_.advance(read_clock(), actions_))
        carry_out();
    look_after_replicas();
    show_news();
  }

  std::vector<pollfd>& watched_files() {
    files_.clear();
    files_.push_back({setting_.stop, POLLIN, 0});
    files_.push_back({socket_.descriptor(), POLLIN, 0});
    for (const auto& replica : replicas_)
      for (int fd : replica.process.pipes())
        files_.push_back({fd, POLLIN, 0});
    return files_;
  }

  bool receive_datagrams() {
    int taken = 0;
    while (taken < most_datagrams_at_once && !world_.finished()) {
      const auto datagram = socket_.receive();
      if (!datagram)
        break;
      ++taken;
      const trace::within passage({});
      world_.receive(datagram->port, datagram->bytes, read_clock(), actions_);
      passages_.note_rest(datagram->bytes, actions_, read_clock());
      carry_out();
    }
    return taken > 0;
  }

  void carry_out() {
    for (const auto& action : actions_)
      std::visit([this](const auto& what) { carry_out(what); }, action);
    actions_.clear();
  }

  void carry_out(const course::deliver& message) {
    const trace::within sending({});
    passages_.note_delivery(message, read_clock());
    socket_.send(static_cast<std::uint16_t>(message.endpoint), message.bytes);
  }
  void carry_out(const course::kill& k) { find(k.victim).process.signal(k.at_once ? SIGKILL : SIGTERM); }
  void carry_out(const course::freeze& f) { find(f.victim).process.signal(SIGSTOP); }
  void carry_out(const course::thaw& t) { find(t.victim).process.signal(SIGCONT); }

  running_replica& find(replica_id id) {
    return *std::find_if(replicas_.begin(), replicas_.end(),
                         [id](const running_replica& r) { return r.id == id; });
  }

  /// Reads their output, and sees who is gone.
  void look_after_replicas() {
    read_output();
    const auto now = read_clock();
    if (now >= next_health_check_) {
      next_health_check_ = now + health_check_interval;
      for (auto& replica : replicas_)
        check_health(replica, now);
    }
    if (now >= next_progress_) {
      next_progress_ = now + progress_interval;
      spectator_.progressed(now - start_, world_.leader());
    }
  }

  void check_health(running_replica& replica, instant now) {
    if (replica.ended)
      return;
    const auto how = replica.process.ended();
    if (!how)
      return;
    replica.ended = true;
    // What it said before it ended still counts: it may have been a long time ago in the socket's queue.
    receive_datagrams();
    world_.ended(replica.id, *how, now);
  }

  void read_output() {
    std::size_t at = 2;
    for (auto& replica : replicas_) {
      const bool readable = files_[at].revents != 0 || files_[at + 1].revents != 0;
      at += 2;
      if (readable)
        read_output_of(replica);
    }
  }

  void read_output_of(running_replica& replica) {
    const auto since_start = read_clock() - start_;
    replica.process.read_output([&](const std::string& line) {
      if (++replica.lines <= most_lines)
        spectator_.replica_said(replica.id, since_start, line);
      else if (replica.lines == most_lines + 1)
        spectator_.replica_said(replica.id, since_start, "(prints too much: the rest is not shown)");
    });
  }

  void show_news() {
    for (const auto& item : world_.take_news()) {
      spectator_.happened(item.at - start_, item.text);
      passages_.note_news(item);
    }
  }

  /// Asks first, for the sake of those who have files to close; whoever stays is killed by its destructor.
  void end_replicas() {
    for (const auto& replica : replicas_)
      replica.process.terminate();
    const auto deadline = read_clock() + grace;
    const auto all_ended = [&] {
      return std::all_of(replicas_.begin(), replicas_.end(),
                         [](const running_replica& r) { return r.process.ended().has_value(); });
    };
    do {
      for (auto& replica : replicas_)
        read_output_of(replica);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    } while (!all_ended() && read_clock() < deadline);
    for (auto& replica : replicas_)
      read_output_of(replica);
  }

  const run_plan& plan_;
  const real_setting& setting_;
  spectator& spectator_;
  std::optional<scratch_directory> directory_; ///< of their logs; outlives them
  udp_socket socket_;
  std::vector<running_replica> replicas_;
  std::vector<pollfd> files_;
  instant start_;
  course::world world_;
  passages passages_;
  course::action_list actions_;
  instant next_health_check_;
  instant next_progress_;
  bool stopped_ = false;
};

} // namespace

std::optional<run_result> play_real(const run_plan& plan, const real_setting& setting, spectator& spectator) {
  return real_run(plan, setting, spectator).play();
}

} // namespace troupe::sim
