#include "bench/one_process.hpp"

#include "actors/loop.hpp"
#include "actors/memory_storage.hpp"
#include "actors/replica.hpp"
#include "bench/figures.hpp"
#include "protocol/wire/simulator_codec.hpp"
#include "trace/recorder.hpp"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe::bench {

namespace {

constexpr std::uint16_t first_client = 0xC000;

std::string digits(std::size_t number, std::size_t count) {
  std::string text(count, '0');
  for (; count > 0; number /= 10)
    text[--count] = static_cast<char>('0' + number % 10);
  return text;
}

std::size_t number_of(std::string_view digits) {
  std::size_t n = 0;
  for (const char c : digits)
    n = 10 * n + static_cast<std::size_t>(c - '0');
  return n;
}

std::string key_of(std::size_t number, std::size_t keys) { return digits(number * 7'919 % keys, 5); }

void stop(const std::string& why) {
  fmt::print(stderr, "bench_throughput: a replica cannot go on: {}\n", why);
  std::_Exit(1);
}

} // namespace

/// The same request again and again as text, but for the digits of its MID and key: to make it must not cost
/// more than to serve it.
class request_form {
 public:
  request_form(replica_id client, replica_id leader, kv::operation operation) {
    const std::string mid(mid_digits, 'm');
    const wire::request_header header{client, leader, leader, mid};
    text_ = std::visit([&](const auto& o) { return wire::write_request(header, o); }, operation);
    mid_at_ = text_.find(mid);
    key_at_ = text_.find(key);
  }

  std::string fill_in(std::size_t number, std::size_t keys) {
    text_.replace(mid_at_, mid_digits, digits(number, mid_digits));
    text_.replace(key_at_, key.size(), key_of(number, keys));
    return text_;
  }

  static constexpr std::size_t mid_digits = 10;
  static constexpr std::string_view key = "kkkkk";

 private:
  std::string text_;
  std::size_t mid_at_ = 0;
  std::size_t key_at_ = 0;
};

/// Wakes a thread that has nothing to do.
class bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      rung_ = true;
    }
    waiting_.notify_one();
  }
  /// Until it is rung, or for a moment: there are timers, too.
  void wait() {
    std::unique_lock lock(mutex_);
    waiting_.wait_for(lock, std::chrono::milliseconds(1), [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable waiting_;
  bool rung_ = false;
};

/// A replica with a loop of its own, as in a process, and what waits for it as in a socket.
class replicas::member : actors::edge, actors::direct_edge {
 public:
  member(crew& all, replica_id self, const setting& s);

  template <class Message>
  void post(Message m) {
    const std::lock_guard lock(mutex_);
    std::get<std::vector<Message>>(inbox_).push_back(std::move(m));
  }
  /// False if there was nothing to be done.
  bool turn();

  const raft::core& core() const { return replica_->core(); }
  replica_id id() const { return self_; }

 private:
  void send(std::string_view text) override;
  void send(replica_id to, peer_message m) override;
  void answer(client_reply r) override;

  template <class Message>
  void deliver(std::vector<Message>& list) {
    for (auto& m : list)
      replica_->receive(std::move(m));
    list.clear();
  }
  void deliver(std::vector<client_request>& list) {
    if (!list.empty())
      replica_->receive(std::exchange(list, {}));
  }

  using mail = std::tuple<std::vector<raft::received>, std::vector<client_request>, std::vector<std::string>>;

  crew& all_;
  replica_id self_;
  std::mutex mutex_;
  mail inbox_, taken_;
  actors::memory_storage storage_;
  actors::loop_system system_{actors::time_source::real};
  std::optional<actors::replica> replica_;
};

class replicas::crew {
 public:
  explicit crew(const setting& s) : setting_(s) {
    for (std::uint16_t i = 0; i < s.replicas; ++i)
      ids_.push_back({i});
    for (const auto id : ids_)
      members_.push_back(std::make_unique<member>(*this, id, s));
    elect();
    for (std::size_t i = 0; i < s.clients; ++i) {
      const replica_id client{static_cast<std::uint16_t>(first_client + i)};
      clients_.push_back(to_string(client));
      if (s.json) {
        const std::string key(request_form::key);
        put_forms_.emplace_back(client, leader_, kv::put{key, value_});
        get_forms_.emplace_back(client, leader_, kv::get{key});
      }
    }
    if (s.two_cores)
      others_ = std::jthread([this](const std::stop_token& stop) {
        while (!stop.stop_requested())
          if (!turn(false))
            others_bell_.wait();
      });
  }

  void ask(std::size_t client, std::size_t number, bool put) {
    auto& to = *members_[leader_.value];
    if (setting_.json)
      return to.post((put ? put_forms_ : get_forms_)[client].fill_in(number, setting_.keys));
    kv::request_id id{clients_[client], digits(number, request_form::mid_digits)};
    if (put)
      to.post(client_request{std::move(id), kv::put{key_of(number, setting_.keys), value_}});
    else
      to.post(client_request{std::move(id), kv::get{key_of(number, setting_.keys)}});
  }

  void turn() {
    const bool any = turn(true);
    if (!setting_.two_cores)
      turn(false);
    else if (!any)
      leader_bell_.wait();
    if (!failure_.empty())
      throw bench_failed(failure_);
  }

  /// From one of the replicas to others, or to all others.
  void carry(replica_id from, replica_id to, const std::function<void(member&)>& give) {
    for (const auto& m : members_) {
      if (m->id() != to && (to != nobody || m->id() == from))
        continue;
      messages.fetch_add(1, std::memory_order_relaxed);
      give(*m);
      if (setting_.two_cores)
        (m->id() == leader_ ? leader_bell_ : others_bell_).ring();
    }
  }
  void answered(replica_id by, std::string_view client, std::string_view mid) {
    if (by != leader_) // maybe in another thread: nothing that follows would be right
      stop("another replica leads now");
    std::size_t id = 0;
    for (const char c : client)
      id = 16 * id + static_cast<std::size_t>(c <= '9' ? c - '0' : c - 'A' + 10);
    if (on_served)
      on_served(id - first_client, number_of(mid));
  }
  /// Throwing is for whoever calls from outside: an actor would take it for its own failure.
  void fail(std::string why) { failure_ = std::move(why); }

  const std::vector<replica_id>& ids() const { return ids_; }

  served on_served;
  std::atomic<std::uint64_t> messages{0};

 private:
  /// The leader's turn, or that of the others.
  bool turn(bool leader) {
    bool any = false;
    for (const auto& m : members_)
      if ((m->id() == leader_) == leader)
        any = m->turn() || any;
    return any;
  }

  bool is_settled() {
    for (const auto& m : members_) {
      const auto* l = m->core().as_leader();
      if (!l || m->core().commit_index() < l->term_start)
        continue;
      leader_ = m->id();
      return true;
    }
    return false;
  }

  void elect() {
    const auto begun = std::chrono::steady_clock::now();
    while (!is_settled()) {
      if (seconds_since(begun) > 30)
        throw bench_failed("nobody was elected");
      for (const auto& m : members_)
        m->turn();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  setting setting_;
  std::string value_ = std::string(setting_.value_bytes, 'v');
  std::vector<replica_id> ids_;
  std::vector<std::unique_ptr<member>> members_;
  replica_id leader_;
  std::vector<std::string> clients_;
  std::vector<request_form> put_forms_, get_forms_;
  std::string failure_;
  bell leader_bell_, others_bell_;
  std::jthread others_; ///< last: it uses all the rest
};

replicas::member::member(crew& all, replica_id self, const setting& s) : all_(all), self_(self) {
  std::vector<std::string> peers;
  for (const auto id : all.ids())
    if (id != self)
      peers.push_back(to_string(id));
  actors::replica_setup setup{.directory = {to_string(self), peers},
                              .transport = {},
                              .raft = {},
                              .router = {.snapshot_after_bytes = s.snapshot_after_bytes},
                              .out = this,
                              .disk = &storage_,
                              .host = {},
                              .direct = s.json ? nullptr : this};
  setup.raft.seed = self.value + 1u;
  setup.raft.start_quiet = {}; // all are there
  setup.host.log = [](actors::log_level, const std::string&) {};
  setup.host.stop = stop;
  replica_.emplace(system_.system(), std::move(setup));
}

bool replicas::member::turn() {
  {
    const std::lock_guard lock(mutex_);
    std::swap(inbox_, taken_);
  }
  const bool any = std::apply([](const auto&... list) { return (!list.empty() || ...); }, taken_);
  system_.scheduler().catch_up();
  std::apply([this](auto&... list) { (deliver(list), ...); }, taken_);
  system_.scheduler().run_jobs();
  return any;
}

void replicas::member::send(std::string_view text) {
  const auto to = trace::glance(text, "dst");
  if (to.front() >= 'C' && to != "FFFF") {
    if (trace::glance(text, "type") != "ok")
      return all_.fail(fmt::format("a client was told: {}", text.substr(0, 200)));
    return all_.answered(self_, to, trace::glance(text, "MID"));
  }
  all_.carry(self_, *wire::parse_replica_id(to), [&](member& m) { m.post(std::string(text)); });
}

void replicas::member::send(replica_id to, peer_message m) {
  all_.carry(self_, to, [&](member& other) { other.post(raft::received{self_, m}); });
}

void replicas::member::answer(client_reply r) {
  if (const auto* ok = std::get_if<client_ok>(&r))
    all_.answered(self_, ok->id.client, ok->id.mid);
  else
    all_.fail("a client was not served");
}

replicas::replicas(const setting& s) : crew_(std::make_unique<crew>(s)) {}
replicas::~replicas() = default;
void replicas::on_served(served s) { crew_->on_served = std::move(s); }
void replicas::put(std::size_t client, std::size_t number) { crew_->ask(client, number, true); }
void replicas::get(std::size_t client, std::size_t number) { crew_->ask(client, number, false); }
void replicas::turn() { crew_->turn(); }
std::uint64_t replicas::messages() const { return crew_->messages.load(std::memory_order_relaxed); }

} // namespace troupe::bench
