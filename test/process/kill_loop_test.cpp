// Three replicas with directories, under load, ended by SIGKILL again and again, one or all of them at once.
// TROUPE_CYCLES says how often; a few unless it does.

#include "app/sim/child_process.hpp"
#include "app/sim/udp_socket.hpp"
#include "cluster/course/random_source.hpp"
#include "cluster/history/linearizable.hpp"
#include "protocol/wire/simulator_codec.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <poll.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::int64_t patience_ns = 300 * ns_per_ms; ///< then a client asks again
/// Far more than it ever takes to come back.
constexpr std::int64_t longest_silence_ns = 30'000 * ns_per_ms;

class kill_loop {
 public:
  kill_loop(std::size_t cycles, std::uint64_t seed) : random_(seed, 1), cycles_(cycles) {
    std::string name = (std::filesystem::temp_directory_path() / "troupe-kill-loop-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    home_ = name;
    for (std::uint16_t i = 0; i < 3; ++i)
      start({i});
    for (std::uint16_t i = 0; i < 8; ++i)
      clients_[{static_cast<std::uint16_t>(0xC000 + i)}] = {};
  }
  ~kill_loop() {
    replicas_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(home_, ignored);
  }
  kill_loop(const kill_loop&) = delete;
  kill_loop& operator=(const kill_loop&) = delete;

  void play() {
    next_kill_ = now_ns() + 2'000 * ns_per_ms;
    last_answer_ = now_ns();
    while (killed_ < cycles_ || is_waiting()) {
      ask();
      listen();
      bury();
      REQUIRE_MESSAGE(now_ns() - last_answer_ < longest_silence_ns, "nobody answers any more");
    }
  }

  const history::operations& told() const { return told_; }
  std::size_t killed() const { return killed_; }

 private:
  struct running {
    std::unique_ptr<sim::child_process> process; ///< null: it is dead, until
    std::int64_t back_at = 0;
    std::uint16_t port = 0; ///< 0: has not said hello
  };
  struct client {
    std::optional<history::operation> asked;
    std::int64_t sent = 0;
  };

  void start(replica_id id) {
    std::vector<std::string> words{TROUPE_REPLICA,
                                   "--log-level",
                                   "error",
                                   "--data",
                                   (home_ / to_string(id)).string(),
                                   std::to_string(socket_.port()),
                                   to_string(id)};
    for (std::uint16_t peer = 0; peer < 3; ++peer)
      if (peer != id.value)
        words.push_back(to_string(replica_id{peer}));
    replicas_[id] = {std::make_unique<sim::child_process>(words, guard_), 0, 0};
  }

  bool is_waiting() const {
    return std::any_of(clients_.begin(), clients_.end(),
                       [](const auto& c) { return c.second.asked.has_value(); });
  }

  /// Whom a client turns to; nobody if none can be reached.
  replica_id somebody(bool may_be_leader) {
    if (may_be_leader && leader_ != nobody && replicas_.at(leader_).port != 0)
      return leader_;
    std::vector<replica_id> alive;
    for (const auto& [id, r] : replicas_)
      if (r.port != 0)
        alive.push_back(id);
    return alive.empty() ? nobody : random_.pick(alive);
  }

  void send(replica_id who, const history::operation& o, replica_id to) {
    if (to == nobody)
      return;
    clients_[who].sent = now_ns();
    const wire::request_header header{who, to, nobody, o.id};
    const kv::operation what = o.kind == history::operation_kind::put ? kv::operation(kv::put{o.key, o.value})
                                                                      : kv::operation(kv::get{o.key});
    socket_.send(replicas_.at(to).port, wire::write_request(header, what));
  }

  void ask() {
    for (auto& [id, c] : clients_) {
      if (c.asked) {
        if (now_ns() - c.sent > patience_ns)
          send(id, *c.asked, somebody(random_.chance(0.5)));
        continue;
      }
      if (killed_ == cycles_ || random_.chance(0.5))
        continue;
      history::operation o;
      o.client = to_string(id);
      o.id = fmt::format("M{}", ++asked_);
      o.key = fmt::format("k{}", random_.below(4));
      if (random_.chance(0.5)) {
        o.kind = history::operation_kind::put;
        o.value = o.id;
      }
      o.call = now_ns();
      c.asked = o;
      send(id, o, somebody(true));
    }
  }

  void listen() {
    pollfd ready{socket_.descriptor(), POLLIN, 0};
    ::poll(&ready, 1, 1);
    while (const auto d = socket_.receive()) {
      std::string error;
      const auto e = wire::parse_envelope(d->bytes, error);
      REQUIRE_MESSAGE(e, error);
      const auto from = replicas_.find(e->src);
      REQUIRE(from != replicas_.end());
      if (!from->second.process) // said before it died
        continue;
      from->second.port = d->port;
      if (const auto c = clients_.find(e->dst); c != clients_.end())
        take(c->first, c->second, *e);
      else
        for (auto& [id, r] : replicas_)
          if (id != e->src && (e->dst == id || e->dst == nobody) && r.port != 0 &&
              e->kind != wire::message_kind::hello)
            socket_.send(r.port, d->bytes);
    }
  }

  void take(replica_id id, client& c, const wire::envelope& e) {
    leader_ = replicas_.contains(e.leader) ? e.leader : nobody;
    if (!c.asked || e.mid != c.asked->id)
      return;
    CHECK(e.kind != wire::message_kind::fail);
    if (e.kind == wire::message_kind::redirect)
      return leader_ != e.src ? send(id, *c.asked, somebody(true)) : void();
    last_answer_ = now_ns();
    c.asked->done = last_answer_;
    c.asked->ending = history::ending::ok;
    if (c.asked->kind == history::operation_kind::get)
      c.asked->result = e.value.value_or("");
    told_.push_back(*std::exchange(c.asked, std::nullopt));
  }

  /// Kills who is due, and starts who was dead long enough.
  void bury() {
    bool all_live = true;
    for (auto& [id, r] : replicas_) {
      if (!r.process && now_ns() > r.back_at)
        start(id);
      all_live = all_live && r.process;
      if (r.process)
        REQUIRE_MESSAGE(!r.process->ended(), to_string(id) << ": " << r.process->ended().value_or(""));
    }
    if (!all_live || now_ns() < next_kill_ || killed_ == cycles_)
      return;
    ++killed_;
    const bool everybody = random_.chance(0.3);
    const replica_id one{static_cast<std::uint16_t>(random_.below(3))};
    for (auto& [id, r] : replicas_)
      if (everybody || id == one)
        r.process->signal(SIGKILL);
    for (auto& [id, r] : replicas_)
      if (everybody || id == one)
        r = {nullptr, now_ns() + static_cast<std::int64_t>(random_.below(150)) * ns_per_ms, 0};
    next_kill_ = now_ns() + static_cast<std::int64_t>(200 + random_.below(2'000)) * ns_per_ms;
  }

  sim::watchdog guard_;
  sim::udp_socket socket_;
  course::random_source random_;
  std::filesystem::path home_;
  std::map<replica_id, running> replicas_;
  std::map<replica_id, client> clients_;
  replica_id leader_ = nobody;
  std::size_t cycles_;
  std::size_t killed_ = 0;
  std::size_t asked_ = 0;
  std::int64_t next_kill_ = 0;
  std::int64_t last_answer_ = 0;
  history::operations told_;
};

} // namespace

TEST_CASE("nothing acknowledged is lost when replicas with a disk are killed, one or all of them at once") {
  const char* wanted = std::getenv("TROUPE_CYCLES");
  const std::size_t cycles = wanted ? std::strtoul(wanted, nullptr, 10) : 5;
  kill_loop loop(cycles, 1);
  loop.play();
  CHECK(loop.killed() == cycles);
  CHECK(loop.told().size() > 100 * cycles);
  history::check_limits limits;
  limits.time = std::chrono::minutes(2);
  const auto result = history::check(loop.told(), limits);
  CHECK_MESSAGE(result.verdict == history::verdict::linearizable,
                (result.explanation ? result.explanation->why : result.undecided));
  MESSAGE(cycles << " times killed, " << loop.told().size() << " requests answered");
}
