// How long a snapshot holds a replica up. One that makes snapshots: a get each millisecond, from a lone
// replica that takes puts and writes down its state again and again, and from one that never does. One that
// gets a snapshot: how long its leader waits for each answer.

#include "app/sim/scratch_directory.hpp"
#include "bench/figures.hpp"
#include "bench/program.hpp"
#include "bench/real_replicas.hpp"
#include "protocol/messages.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using namespace troupe;
using steady = std::chrono::steady_clock;

constexpr std::size_t value_bytes = 256;
/// Several snapshots while each key is written a second time, whatever the number of keys.
constexpr std::size_t snapshot_after_bytes = 16 << 20;
constexpr auto between_gets = std::chrono::milliseconds(1);
constexpr std::size_t at_once_beside_others = 4;

/// Puts to each key in turn, and gets beside them.
class workload {
 public:
  workload(bench::real_replicas& replicas, std::size_t keys) : replicas_(replicas), keys_(keys) {
    while (!replicas_.are_there())
      turn();
  }

  /// Puts, so many at once, until `goes_on`, which is asked at each turn, says no.
  template <class Condition>
  void put_while(std::size_t at_once, Condition goes_on) {
    for (; goes_on(); turn())
      while (asked_.size() < at_once)
        ask(kv::put{key(put_++ % keys_), value_}, false);
    while (!asked_.empty())
      turn();
  }

  /// One put to each key.
  void put_all() {
    constexpr std::size_t at_once = 48;
    put_while(at_once, [this, end = put_ + keys_] { return put_ < end; });
  }

  /// One put to each key, and a get each millisecond. Returns how long each get took, in seconds.
  std::vector<double> put_all_beside_gets() {
    put_while(at_once_beside_others, [this, end = put_ + keys_, next = steady::now()]() mutable {
      if (put_ < end && steady::now() >= next) {
        ask(kv::get{key(0)}, true);
        next = steady::now() + between_gets;
      }
      return put_ < end;
    });
    return std::move(gets_);
  }

 private:
  struct question {
    steady::time_point when;
    kv::operation operation;
    bool is_get = false;
  };

  static std::string key(std::size_t number) { return fmt::format("key{}", number); }

  void ask(const kv::operation& operation, bool is_get) {
    const auto mid = fmt::format("M{}", ++number_);
    constexpr std::size_t clients = 64;
    const replica_id client{static_cast<std::uint16_t>(0xC000 + number_ % clients)};
    const auto leader = replicas_.leader();
    const auto to = leader == nobody ? replicas_.pick(number_) : leader;
    asked_[mid] = {steady::now(), operation, is_get};
    replicas_.ask({client, to, leader, mid}, operation);
  }

  void turn() {
    replicas_.turn(1, [this](const wire::envelope& answer) {
      const auto found = asked_.find(answer.mid.value_or(""));
      if (found == asked_.end())
        return;
      heard_ = steady::now();
      const auto q = found->second;
      asked_.erase(found);
      if (answer.kind == wire::message_kind::redirect)
        ask(q.operation, q.is_get);
      else if (answer.kind != wire::message_kind::ok)
        throw bench::bench_failed("a request was not served");
      else if (q.is_get)
        gets_.push_back(bench::seconds_since(q.when));
    });
    if (bench::seconds_since(heard_) > 20)
      throw bench::bench_failed("the replicas do not answer");
  }

  bench::real_replicas& replicas_;
  std::size_t keys_;
  const std::string value_ = std::string(value_bytes, 'v');
  std::unordered_map<std::string, question> asked_;
  std::vector<double> gets_;
  std::size_t put_ = 0;
  std::size_t number_ = 0;
  steady::time_point heard_ = steady::now();
};

std::vector<std::string> snapshot_options(std::size_t after_bytes) {
  return {"--snapshot-after", std::to_string(after_bytes)};
}

std::vector<double> measure_making(const std::string& executable, const sim::watchdog& guard,
                                   std::size_t keys, const std::string& data, bool with_snapshots) {
  bench::real_replicas replicas({.executable = executable,
                                 .replicas = 1,
                                 .data = data,
                                 .options = snapshot_options(with_snapshots ? snapshot_after_bytes : 0)},
                                guard);
  workload w(replicas, keys);
  w.put_all();
  return w.put_all_beside_gets();
}

/// What passes between a follower that was away and the others.
class receipt {
 public:
  explicit receipt(replica_id follower) : follower_(follower) {}

  void see(const wire::envelope& e) {
    if (e.src == follower_ && asked_) {
      answers_.push_back(bench::seconds_since(*asked_));
      if (std::exchange(has_last_piece_, false))
        last_answer_ = answers_.size() - 1;
      asked_.reset();
    }
    if (e.dst != follower_ || e.type != snapshot_piece::type_name)
      return;
    if (!asked_)
      asked_ = steady::now();
    ++pieces_;
    last_piece_ = *asked_;
    has_last_piece_ = true;
  }

  /// A while after the last piece.
  bool is_over() const {
    constexpr double while_seconds = 0.5;
    return last_answer_ && bench::seconds_since(last_piece_) > while_seconds;
  }

  /// How long one that sent a piece waited until it said something, in seconds; but for the last piece, whose
  /// answer says that all of it is stored. The log behind it comes next, as to anybody who is behind.
  std::vector<double> answers() const {
    auto all = answers_;
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(last_answer_.value()));
    return all;
  }
  double last_answer() const { return answers_.at(last_answer_.value()); }
  double pieces() const { return pieces_; }
  double seconds() const { return std::chrono::duration<double>(last_piece_ - begun_).count(); }

 private:
  replica_id follower_;
  steady::time_point begun_ = steady::now();
  std::optional<steady::time_point> asked_; ///< since when an answer is due
  std::vector<double> answers_;
  double pieces_ = 0;
  steady::time_point last_piece_;
  bool has_last_piece_ = false; ///< and has not answered
  std::optional<std::size_t> last_answer_;
};

/// A follower is away while each key is put once more, so that the log that it needs is gone; puts go on
/// while it gets the state.
receipt measure_receiving(const std::string& executable, const sim::watchdog& guard, std::size_t keys,
                          const std::string& data) {
  bench::real_replicas replicas(
      {.executable = executable, .data = data, .options = snapshot_options(keys * value_bytes / 4)}, guard);
  workload w(replicas, keys);
  w.put_all();
  const auto follower = replicas.pick(replicas.leader() == replicas.pick(0) ? 1 : 0);
  replicas.cut_off(follower);
  w.put_all();
  replicas.cut_off(nobody);
  receipt r(follower);
  replicas.watch([&](const wire::envelope& e) { r.see(e); });
  w.put_while(at_once_beside_others, [&, begun = steady::now()] {
    constexpr double patience = 60;
    if (bench::seconds_since(begun) > patience)
      throw bench::bench_failed("the follower does not get a snapshot");
    return !r.is_over();
  });
  return r;
}

constexpr const char* log_name(bool durable) { return durable ? "disk" : "memory"; }

struct setting {
  std::string executable;
  std::string where;
  std::vector<std::size_t> sizes;
  int rounds = 3;
};

void measure_all_making(const setting& s, const sim::watchdog& guard) {
  fmt::print("gets of one replica that takes puts of {} bytes meanwhile; ms, all rounds together\n"
             "{:>8} {:>8} {:>10} {:>8} {:>8} {:>8} {:>8}   {}\n",
             value_bytes, "keys", "log", "snapshots", "gets", "p50", "p99", "longest",
             "longest in each round");
  for (const auto keys : s.sizes)
    for (const bool durable : {false, true})
      for (const bool with_snapshots : {false, true}) {
        std::vector<double> all;
        std::string longest;
        for (int round = 0; round < s.rounds; ++round) {
          const sim::scratch_directory home(s.where);
          const auto gets =
              measure_making(s.executable, guard, keys, durable ? home.path().string() : "", with_snapshots);
          all.insert(all.end(), gets.begin(), gets.end());
          longest += fmt::format(" {:.1f}", 1e3 * bench::at_percent(gets, 100));
        }
        fmt::print("{:>8} {:>8} {:>10} {:>8} {:>8.2f} {:>8.2f} {:>8.1f}  {}\n", keys, log_name(durable),
                   with_snapshots ? "16 MiB" : "never", all.size(), 1e3 * bench::at_percent(all, 50),
                   1e3 * bench::at_percent(all, 99), 1e3 * bench::at_percent(all, 100), longest);
      }
}

void measure_all_receiving(const setting& s, const sim::watchdog& guard) {
  fmt::print(
      "answers of one of three replicas that gets a snapshot while puts go on; ms, all rounds together\n"
      "{:>8} {:>8} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8}   {}\n",
      "keys", "log", "pieces", "seconds", "p50", "p99", "longest", "stored", "longest in each round");
  for (const auto keys : s.sizes)
    for (const bool durable : {false, true}) {
      std::vector<double> answers, seconds, pieces, stored;
      std::string longest;
      for (int round = 0; round < s.rounds; ++round) {
        const sim::scratch_directory home(s.where);
        const auto r = measure_receiving(s.executable, guard, keys, durable ? home.path().string() : "");
        const auto these = r.answers();
        answers.insert(answers.end(), these.begin(), these.end());
        stored.push_back(r.last_answer());
        seconds.push_back(r.seconds());
        pieces.push_back(r.pieces());
        longest += fmt::format(" {:.1f}", 1e3 * bench::at_percent(these, 100));
      }
      fmt::print("{:>8} {:>8} {:>10.0f} {:>8.2f} {:>8.2f} {:>8.2f} {:>8.1f} {:>8.1f}  {}\n", keys,
                 log_name(durable), bench::median(pieces), bench::median(seconds),
                 1e3 * bench::at_percent(answers, 50), 1e3 * bench::at_percent(answers, 99),
                 1e3 * bench::at_percent(answers, 100), 1e3 * bench::at_percent(stored, 100), longest);
    }
}

void measure_all(int argc, char** argv) {
  setting s{bench::replica_beside_this(), ".", {10'000, 100'000, 300'000}};
  bool only_making = false, only_receiving = false;
  CLI::App app("Measures how long a snapshot holds a replica up.", "bench_snapshot");
  app.add_option("--rounds", s.rounds, "How often each is measured")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--keys", s.sizes, "Sizes of the state")
      ->check(CLI::Range(1'000, 10'000'000))
      ->capture_default_str();
  app.add_option("--in", s.where, "A directory on the disk that is measured")->capture_default_str();
  app.add_option("--replica", s.executable, "The replica's executable")->capture_default_str();
  auto* making = app.add_flag("--only-making", only_making, "Only one that makes snapshots");
  app.add_flag("--only-receiving", only_receiving, "Only one that gets a snapshot")->excludes(making);
  if (!troupe::app::read_arguments(app, argc, argv))
    return;

  const sim::watchdog guard;
  if (!only_receiving)
    measure_all_making(s, guard);
  if (!only_making && !only_receiving)
    fmt::print("\n");
  if (!only_making)
    measure_all_receiving(s, guard);
}

} // namespace

int main(int argc, char** argv) {
  return troupe::bench::run("bench_snapshot", [&] { measure_all(argc, argv); });
}
