// The same replicas on CAF's own threads and in real time, so that nothing comes to depend on the loop.
//
// Whoever waits is woken by what happens; the limits are only there to end a test that would never end.

#include "test/support/replica_group.hpp"
#include "trace/read.hpp"
#include "trace/recorder.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <pthread.h>
#include <stdexcept>
#include <thread>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr auto limit = 120s;

/// Three replicas on two threads, and a thread of the test's that carries what they say.
class threaded_group {
 public:
  threaded_group() {
    for (std::size_t i = 0; i < ids_.size(); ++i)
      members_.push_back(std::make_unique<member>(*this, i));
  }
  ~threaded_group() { end(); }
  threaded_group(const threaded_group&) = delete;
  threaded_group& operator=(const threaded_group&) = delete;

  void ask(const std::string& message) { push(message); }

  /// Carries messages until the client gets one.
  std::string next_answer() {
    std::string answer;
    carry_until([&] {
      if (answers_.empty())
        return false;
      answer = std::move(answers_.front());
      answers_.pop_front();
      return true;
    });
    return answer;
  }

  /// Carries messages until all that are not cut off name the same leader, and tells who it is.
  std::string elected() {
    std::string leader;
    carry_until([&] {
      leader.clear();
      for (const auto& m : members_) {
        if (m->id == cut_)
          continue;
        if (m->named_leader.empty() || m->named_leader == "FFFF" || m->named_leader == cut_ ||
            (!leader.empty() && leader != m->named_leader))
          return false;
        leader = m->named_leader;
      }
      return true;
    });
    return leader;
  }

  void cut(const std::string& id) { cut_ = id; }

  /// What was recorded, of all, up to the end: a client may have its answer before it is down that somebody
  /// is done with its request.
  std::vector<trace::record> end_and_read() {
    end();
    std::string lines;
    recorder_.alone([&] { lines = trace::print(ring_.records()); });
    return trace::read(format(trace::header{}) + lines).records;
  }

  /// What replicas said when they stopped, if one did.
  std::vector<std::string> stops() {
    const std::lock_guard lock(mutex_);
    return stops_;
  }

 private:
  struct member : actors::edge {
    member(threaded_group& g, std::size_t index) : group(g), id(g.ids_[index]) {
      auto peers = g.ids_;
      peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(index));
      raft::options raft;
      raft.seed = index + 1;
      raft.start_quiet = 10ms;
      raft.election_timeout_min = 300ms;
      raft.election_timeout_max = 900ms;
      raft.heartbeat_interval = 50ms;
      raft.lease = 250ms;
      actors::host host{[](actors::log_level, const std::string&) {},
                        [&g](const std::string& why) {
                          const std::lock_guard lock(g.mutex_);
                          g.stops_.push_back(why);
                        },
                        nullptr, &g.recorder_};
      self = std::make_unique<actors::replica>(
          g.system_.system(),
          actors::replica_setup{wire::directory(id, peers), {}, raft, {}, this, &disk, host});
    }
    void send(std::string_view message) override { group.push(std::string(message)); }

    threaded_group& group;
    std::string id;
    std::string named_leader; ///< only the carrier looks at it
    actors::memory_storage disk;
    std::unique_ptr<actors::replica> self;
  };

  void end() {
    for (auto& m : members_)
      m->self->stop();
    system_.system().await_all_actors_done();
  }

  void push(std::string message) {
    const std::lock_guard lock(mutex_);
    on_the_way_.push_back(std::move(message));
    arrived_.notify_one();
  }

  template <class Condition>
  void carry_until(Condition&& met) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!met()) {
      std::unique_lock lock(mutex_);
      REQUIRE(arrived_.wait_until(lock, end, [&] { return !on_the_way_.empty(); }));
      const auto message = std::move(on_the_way_.front());
      on_the_way_.pop_front();
      lock.unlock();
      carry(message);
    }
  }

  void carry(const std::string& message) {
    member* to = nullptr;
    bool lost = false;
    for (auto& m : members_) {
      if (m->id == field_of(message, "src")) {
        m->named_leader = field_of(message, "leader");
        lost = m->id == cut_;
      }
      if (m->id == field_of(message, "dst"))
        to = m.get();
    }
    if (to != nullptr && !lost && to->id != cut_)
      to->self->receive(message);
    else if (to == nullptr && field_of(message, "dst") != "FFFF")
      answers_.push_back(message);
  }

  const std::vector<std::string> ids_{"0000", "0001", "0002"};
  std::mutex mutex_; ///< guards what is on the way and what stopped
  std::condition_variable arrived_;
  std::deque<std::string> on_the_way_;
  std::vector<std::string> stops_;

  std::deque<std::string> answers_;
  std::string cut_;
  trace::ring ring_{std::size_t{64} << 20U};
  trace::recorder recorder_{ring_};
  actors::threaded_system system_{2};
  std::vector<std::unique_ptr<member>> members_;
};

/// Asks until it is not redirected; tells the answer's type and value.
std::string served(threaded_group& g, std::string leader, const std::string& what, int& next_mid,
                   const std::string& value = "") {
  for (;;) {
    const auto mid = fmt::format("{}", next_mid++);
    g.ask(what == "put" ? put_message(leader, mid, "k", value) : get_message(leader, mid, "k"));
    auto answer = g.next_answer();
    while (field_of(answer, "MID") != mid) // of an earlier request
      answer = g.next_answer();
    if (field_of(answer, "type") == "ok")
      return field_of(answer, "value");
    leader = g.elected();
  }
}

} // namespace

TEST_CASE("threaded replicas: elect, store, read, and go on when the leader is gone") {
  threaded_group g;
  int mid = 1;
  const auto first = g.elected();
  for (int i = 0; i < 50; ++i) {
    served(g, first, "put", mid, fmt::format("v{}", i));
    CHECK(served(g, first, "get", mid) == fmt::format("v{}", i));
  }
  const auto before = served(g, first, "get", mid);
  const auto leader = g.elected();
  g.cut(leader);
  const auto second = g.elected();
  CHECK(second != leader);
  CHECK(served(g, second, "get", mid) == before);
  CHECK(g.stops().empty());
}

TEST_CASE("threaded replicas: many requests at once get one answer each") {
  threaded_group g;
  const auto leader = g.elected();
  for (int i = 0; i < 300; ++i)
    g.ask(put_message(leader, fmt::format("{}", i), fmt::format("k{}", i), "v"));
  std::set<std::string> answered;
  for (int i = 0; i < 300; ++i)
    answered.insert(field_of(g.next_answer(), "MID"));
  CHECK(answered.size() == 300);
  CHECK(g.stops().empty());
  // Each of them was recorded, by whichever thread, and once.
  std::set<std::uint64_t> ids;
  std::set<std::string> recorded;
  std::size_t messages = 0;
  for (const auto& r : g.end_and_read()) {
    ++messages;
    ids.insert(r.id);
    if (r.type == "client_request")
      recorded.insert(trace::parse(r.content)["id"]["MID"].text);
  }
  CHECK(ids.size() == messages);
  CHECK(recorded.size() == 300);
}

TEST_CASE("threaded replicas: end in the middle of their work") {
  threaded_group g;
  const auto leader = g.elected();
  for (int i = 0; i < 300; ++i)
    g.ask(put_message(leader, fmt::format("{}", i), fmt::format("k{}", i), "v"));
  g.next_answer();
}

TEST_CASE("threaded replicas: threads that cannot be started are an error, and nobody hangs") {
  pthread_attr_t usual;
  REQUIRE(pthread_getattr_default_np(&usual) == 0);
  auto huge = usual;
  REQUIRE(pthread_attr_setstacksize(&huge, std::size_t{1} << 46U) == 0);
  REQUIRE(pthread_setattr_default_np(&huge) == 0);
  CHECK_THROWS_WITH_AS(actors::threaded_system(2), "cannot start 4 threads: Resource temporarily unavailable",
                       std::runtime_error);
  REQUIRE(pthread_setattr_default_np(&usual) == 0);
}
