// How long nobody is answered when a leader is killed: from the kill to the first put that another leader
// answers. On virtual time, for the default settings and for other election timeouts, beside what a shorter
// one costs in messages; or with real processes.

#include "bench/figures.hpp"
#include "bench/program.hpp"
#include "bench/real_replicas.hpp"
#include "cluster/cluster.hpp"

#include <fmt/format.h>

#include <fstream>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
using bench::at_percent;
using bench::bench_failed;
using bench::median;

double in_ms(duration d) { return 1e3 * in_seconds(d); }

/// The defaults with every time that has to do with noticing a lost leader longer or shorter.
struct timing {
  raft::options raft;
  actors::router_options router;
  duration timeout() const { return raft.election_timeout_min; }
  /// A client that heard nothing for so long asks somebody else.
  duration client_patience() const { return timeout() / 20; }
};

timing scaled(duration timeout) {
  timing t;
  const auto scale = [&, whole = t.raft.election_timeout_min](duration& d) {
    d = d * (timeout / 1ms) / (whole / 1ms);
  };
  scale(t.raft.election_timeout_max);
  scale(t.raft.heartbeat_interval);
  scale(t.raft.start_quiet);
  scale(t.raft.lease);
  scale(t.router.leader_silence);
  t.raft.election_timeout_min = timeout;
  return t;
}

/// Terms in which somebody stood for election, and those that had a leader.
class elections {
 public:
  void stood(std::uint64_t term) { stood_.insert(term); }
  void won(std::uint64_t term) {
    stood_.insert(term);
    won_.insert(term);
  }
  std::size_t count() const { return stood_.size(); }
  std::size_t split() const { return stood_.size() - won_.size(); }

 private:
  std::set<std::uint64_t> stood_, won_;
};

struct failovers {
  std::vector<double> noticed;  ///< s from the kill until somebody asks whether it could win an election
  std::vector<double> answered; ///< s from the kill until a put is answered
  std::size_t elections = 0;
  std::size_t split = 0;
};

// ---- on virtual time

cluster make_cluster(const timing& t, std::size_t replicas, std::uint64_t seed) {
  return cluster({.replicas = replicas, .seed = seed, .raft = t.raft, .router = t.router});
}

/// One client that puts, and puts again as soon as it is answered.
class putting_client {
 public:
  putting_client(cluster& c, duration patience) : cluster_(c), patience_(patience) { ask(); }

  void step() {
    cluster_.step();
    if (current().answered)
      ask();
  }
  /// How many puts were answered.
  std::size_t puts() const { return asked_ - 1; }
  const troupe::request& current() const { return cluster_.request(number_); }
  const troupe::request& last_answered() const { return cluster_.request(last_); }

 private:
  void ask() {
    last_ = number_;
    number_ =
        cluster_.ask(kv::put{fmt::format("key{}", asked_++ % 1'000), "a value of thirty-two characters"},
                     first_client, nobody, {.repeat_after = patience_, .most_attempts = SIZE_MAX});
  }

  cluster& cluster_;
  duration patience_;
  request_number number_ = 0;
  request_number last_ = 0;
  std::size_t asked_ = 0;
};

void look(const cluster& c, elections& seen, std::optional<instant>& noticed) {
  for (const auto id : c.ids()) {
    if (!c.running(id))
      continue;
    const auto role = c.core(id).role();
    if (role != raft::role_kind::follower && !noticed)
      noticed = c.now();
    if (role == raft::role_kind::candidate)
      seen.stood(c.core(id).term().value);
    if (role == raft::role_kind::leader)
      seen.won(c.core(id).term().value);
  }
}

void kill_once(const timing& t, std::size_t replicas, std::uint64_t seed, failovers& all) {
  auto c = make_cluster(t, replicas, seed);
  if (c.elect() == nobody)
    throw bench_failed(fmt::format("seed {}: nobody was elected", seed));
  putting_client client(c, t.client_patience());
  std::mt19937_64 choice(seed);
  const auto warm = t.raft.heartbeat_interval.count();
  const auto moment =
      c.now() + duration(warm + static_cast<duration::rep>(choice() % static_cast<std::uint64_t>(warm)));
  while (c.next_moment() < moment)
    client.step();
  c.run_until(moment);
  const auto killed = c.crash_leader();
  elections seen;
  std::optional<instant> noticed;
  const auto before = client.puts();
  while (client.puts() == before || client.last_answered().answer->src == killed) {
    client.step();
    look(c, seen, noticed);
    if (c.now() > moment + 100 * t.timeout())
      throw bench_failed(fmt::format("seed {}: nobody answers any more", seed));
  }
  if (!c.violations().empty())
    throw bench_failed(fmt::format("seed {}: {}", seed, c.violations().front()));
  all.noticed.push_back(in_seconds(noticed.value_or(moment) - moment));
  all.answered.push_back(in_seconds(*client.last_answered().answered - moment));
  all.elections += seen.count();
  all.split += seen.split();
}

struct traffic {
  double idle_per_second = 0; ///< messages between replicas while nobody asks for anything
  double per_put = 0;         ///< while one client puts one value after the other
};

traffic count_messages(const timing& t, std::size_t replicas) {
  auto c = make_cluster(t, replicas, 1);
  double messages = 0;
  c.on_fate([&](replica_id from, replica_id to, std::string_view, fate) {
    messages += is_client(from) || is_client(to) ? 0 : 1;
  });
  if (c.elect() == nobody)
    throw bench_failed("nobody was elected");
  c.run_for(2 * t.timeout());
  messages = 0;
  const auto idle = 100 * t.raft.heartbeat_interval;
  c.run_for(idle);
  traffic counted{.idle_per_second = messages / in_seconds(idle)};
  messages = 0;
  constexpr std::size_t puts = 2'000;
  putting_client client(c, 2s);
  while (client.puts() < puts)
    client.step();
  counted.per_put = messages / puts;
  return counted;
}

// ---- with processes

/// The first number behind "term ", if the line says that it stands for election or leads.
void read_role(const std::string& line, elections& seen) {
  const auto at = line.find("term ");
  if (at == std::string::npos)
    return;
  const auto term = std::strtoull(line.c_str() + at + 5, nullptr, 10);
  if (line.ends_with(": candidate"))
    seen.stood(term);
  if (line.ends_with(": leader"))
    seen.won(term);
}

class real_failover {
 public:
  real_failover(const bench::real_setup& setup, const sim::watchdog& guard, duration patience)
      : replicas_(setup, guard), patience_(in_seconds(patience)) {}

  /// @param warm  s between the first answer and the kill
  void play(double warm, failovers& all) {
    const auto begun = steady::now();
    while (answers_ == 0 || bench::seconds_since(first_answer_) < warm)
      turn(begun);
    read([](const std::string&) {});
    killed_ = replicas_.leader();
    const auto kill = steady::now();
    replicas_.kill(killed_);
    for (const auto before = answers_; answers_ == before;)
      turn(kill);
    all.answered.push_back(bench::seconds_since(kill));
    elections seen;
    for (const auto drained = steady::now(); bench::seconds_since(drained) < 0.2;) {
      turn(kill);
      read([&](const std::string& line) { read_role(line, seen); });
    }
    all.elections += seen.count();
    all.split += seen.split();
  }

 private:
  using steady = std::chrono::steady_clock;

  template <class Take>
  void read(Take take) {
    replicas_.read_output([&](replica_id, const std::string& line) { take(line); });
  }

  void turn(steady::time_point since) {
    if (bench::seconds_since(since) > 30)
      throw bench_failed("the replicas do not answer");
    if (replicas_.are_there() && (mid_.empty() || bench::seconds_since(asked_) > patience_)) {
      const auto leader = replicas_.leader();
      ask(mid_.empty() && leader != nobody ? leader : replicas_.pick(choice_()));
    }
    replicas_.turn(1, [this](const wire::envelope& answer) { take(answer); });
  }

  void ask(replica_id to) {
    if (mid_.empty())
      mid_ = fmt::format("M{}", ++number_);
    asked_ = steady::now();
    replicas_.ask({first_client, to, replicas_.leader(), mid_},
                  kv::put{fmt::format("key{}", number_ % 1'000), "a value of thirty-two characters"});
  }

  void take(const wire::envelope& answer) {
    if (answer.mid != mid_)
      return;
    if (answer.kind == wire::message_kind::redirect)
      return ask(answer.leader);
    if (answer.kind != wire::message_kind::ok)
      return;
    mid_.clear();
    if (answer.src != killed_ && ++answers_ == 1)
      first_answer_ = steady::now();
    ask(replicas_.leader());
  }

  bench::real_replicas replicas_;
  double patience_; ///< s
  std::mt19937_64 choice_{std::random_device{}()};
  std::string mid_; ///< of the request that waits for its answer; empty: none does
  std::size_t number_ = 0;
  steady::time_point asked_;
  replica_id killed_ = nobody;
  std::size_t answers_ = 0;
  steady::time_point first_answer_;
};

// ---- tables

constexpr const char* heading = "{:>10} {:>10} {:>8} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>6} {:>7}";
constexpr const char* figures_of_row =
    "{:>10.0f} {:>10.0f} {:>8} {:>9} {:>8.0f} {:>8.0f} {:>8.0f} {:>8.2f} {:>9} {:>6} {:>7}";

void print_heading() {
  fmt::print(heading, "timeout ms", "heartbeat", "kills", "noticed", "p50 ms", "p99 ms", "max ms", "p99 / t",
             "elections", "split", "1 in");
}

void print(const timing& t, const failovers& f) {
  fmt::print(figures_of_row, in_ms(t.timeout()), in_ms(t.raft.heartbeat_interval), f.answered.size(),
             f.noticed.empty() ? "-" : fmt::format("{:.0f}", 1e3 * median(f.noticed)),
             1e3 * median(f.answered), 1e3 * at_percent(f.answered, 99), 1e3 * at_percent(f.answered, 100),
             at_percent(f.answered, 99) / in_seconds(t.timeout()), f.elections, f.split,
             f.split == 0
                 ? "-"
                 : fmt::format("{:.0f}", static_cast<double>(f.elections) / static_cast<double>(f.split)));
}

void measure_virtual(const std::vector<int>& timeouts_ms, std::size_t replicas, std::uint64_t runs,
                     const std::string& csv) {
  bench::csv_file table(csv, "timeout_ms,p50_ms,p99_ms,max_ms,idle_messages_per_second,messages_per_put");
  fmt::print("{} replicas on virtual time, a client that puts one value after the other\n", replicas);
  print_heading();
  fmt::print(" {:>12} {:>13}\n", "idle msgs/s", "messages/put");
  for (const auto ms : timeouts_ms) {
    const auto t = scaled(std::chrono::milliseconds(ms));
    failovers f;
    for (std::uint64_t seed = 1; seed <= runs; ++seed)
      kill_once(t, replicas, seed, f);
    const auto messages = count_messages(t, replicas);
    print(t, f);
    fmt::print(" {:>12.1f} {:>13.2f}\n", messages.idle_per_second, messages.per_put);
    table.add(fmt::format("{},{},{},{},{},{}", ms, 1e3 * median(f.answered), 1e3 * at_percent(f.answered, 99),
                          1e3 * at_percent(f.answered, 100), messages.idle_per_second, messages.per_put));
  }
}

void measure_real(const std::string& executable, std::uint16_t replicas, int runs) {
  const sim::watchdog guard;
  const timing t;
  std::mt19937_64 choice(std::random_device{}());
  failovers f;
  for (int run = 0; run < runs; ++run) {
    const auto warm = std::uniform_real_distribution(0.5, 1.5)(choice);
    real_failover({.executable = executable, .replicas = replicas, .log_level = "info"}, guard,
                  t.client_patience())
        .play(warm, f);
  }
  fmt::print("{} replicas as processes, SIGKILL for the leader\n", replicas);
  print_heading();
  fmt::print("\n");
  print(t, f);
  fmt::print("\n");
}

void measure_all(int argc, char** argv) {
  std::uint64_t runs = 200;
  int real = 0;
  std::uint16_t replicas = 5;
  std::string csv;
  std::vector<int> timeouts_ms{1'000, 50, 100, 200, 500, 2'000, 4'000};
  auto executable = bench::replica_beside_this();
  CLI::App app("Measures how long nobody is answered when a leader is killed.", "bench_failover");
  app.add_option("--runs", runs, "How many leaders are killed for each row")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--replicas", replicas, "How many there are")
      ->check(CLI::Range(3, 21))
      ->capture_default_str();
  app.add_option("--timeouts", timeouts_ms, "Smallest election timeouts, in ms; the default one is 1000")
      ->delimiter(',')
      ->check(CLI::Range(10, 100'000));
  app.add_option("--csv", csv, "A file for the figures, for scripts/plot");
  app.add_option("--real", real, "Kills so many leaders that are processes, in place of all that")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--replica", executable, "The replica's executable, for --real")->capture_default_str();
  if (!troupe::app::read_arguments(app, argc, argv))
    return;
  if (real > 0)
    measure_real(executable, replicas, real);
  else
    measure_virtual(timeouts_ms, replicas, runs, csv);
}

} // namespace

int main(int argc, char** argv) {
  return troupe::bench::run("bench_failover", [&] { measure_all(argc, argv); });
}
