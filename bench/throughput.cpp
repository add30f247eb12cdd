// What whole replicas do a second on one core: all their actors, and JSON between them, but no sockets, no
// disk and no virtual time. This program carries each message from one replica to the other, in one thread.
//
// Processor time is that of everything, the clients and the carrying included, for all replicas together.

#include "actors/intake.hpp"
#include "actors/loop.hpp"
#include "actors/memory_storage.hpp"
#include "actors/replica.hpp"
#include "bench/figures.hpp"
#include "protocol/wire/simulator_codec.hpp"
#include "trace/recorder.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <ctime>
#include <deque>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace troupe;
using bench::at_percent;
using bench::bench_failed;
using bench::median;
using steady = std::chrono::steady_clock;

constexpr std::uint16_t first_client = 0xC000;
constexpr std::size_t keys = 10'000;

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// ---- replicas in one process

/// A replica with a loop of its own, as in a process, and what waits for it as in a socket.
class lone_replica : actors::edge {
 public:
  using carry = std::function<void(std::string_view)>;

  lone_replica(replica_id self, const std::vector<replica_id>& ids, std::size_t snapshot_after_bytes, carry c)
      : carry_(std::move(c)), system_(actors::time_source::real) {
    std::vector<std::string> peers;
    for (const auto id : ids)
      if (id != self)
        peers.push_back(to_string(id));
    actors::replica_setup setup{.directory = {to_string(self), peers},
                                .transport = {},
                                .raft = {},
                                .router = {.snapshot_after_bytes = snapshot_after_bytes},
                                .out = this,
                                .disk = &storage_,
                                .host = {}};
    setup.raft.seed = self.value + 1u;
    setup.host.log = [](actors::log_level, const std::string&) {};
    setup.host.stop = [](const std::string& why) {
      fmt::print(stderr, "bench_throughput: a replica stops: {}\n", why);
      std::exit(1);
    };
    replica_.emplace(system_.system(), std::move(setup));
  }

  void post(std::string bytes) { inbox_.push_back(std::move(bytes)); }

  /// What a process does when its socket is readable or a timer is due.
  void turn() {
    auto& loop = system_.scheduler();
    loop.catch_up();
    for (std::size_t i = 0; i < actors::intake::messages_per_turn && !inbox_.empty(); ++i) {
      replica_->receive(std::move(inbox_.front()));
      inbox_.pop_front();
    }
    loop.run_jobs();
  }

  bool is_busy() const { return !inbox_.empty(); }
  const raft::core& core() const { return replica_->core(); }

 private:
  void send(std::string_view message) override { carry_(message); }

  carry carry_;
  std::deque<std::string> inbox_;
  actors::memory_storage storage_;
  actors::loop_system system_;
  std::optional<actors::replica> replica_;
};

struct setting {
  std::size_t replicas = 3;
  std::size_t clients = 256;
  std::size_t value_bytes = 256;
  std::size_t snapshot_after_bytes = 0;
};

class group {
 public:
  using answered = std::function<void(std::string_view answer)>;

  explicit group(const setting& s) {
    for (std::uint16_t i = 0; i < s.replicas; ++i)
      ids_.push_back({i});
    for (const auto id : ids_)
      replicas_.push_back(std::make_unique<lone_replica>(
          id, ids_, s.snapshot_after_bytes, [this](std::string_view message) { carry(message); }));
    elect();
  }

  void on_answer(answered a) { on_answer_ = std::move(a); }
  void ask(std::string request) { replicas_[leader_.value]->post(std::move(request)); }
  replica_id leader() const { return leader_; }
  std::uint64_t messages() const { return messages_; }

  void turn() {
    for (const auto& r : replicas_)
      r->turn();
  }

 private:
  void carry(std::string_view message) {
    const auto to = trace::glance(message, "dst");
    if (to.front() >= 'C' && to != "FFFF") {
      if (on_answer_)
        on_answer_(message);
      return;
    }
    const auto from = trace::glance(message, "src");
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      const auto id = to_string(ids_[i]);
      if (to != id && (to != "FFFF" || from == id))
        continue;
      ++messages_;
      replicas_[i]->post(std::string(message));
    }
  }

  bool is_settled() {
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      const auto* l = replicas_[i]->core().as_leader();
      if (!l || replicas_[i]->core().commit_index() < l->term_start)
        continue;
      leader_ = ids_[i];
      return true;
    }
    return false;
  }

  void elect() {
    const auto begun = steady::now();
    while (!is_settled()) {
      if (bench::seconds_since(begun) > 30)
        throw bench_failed("nobody was elected");
      turn();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::vector<replica_id> ids_;
  std::vector<std::unique_ptr<lone_replica>> replicas_;
  replica_id leader_;
  std::uint64_t messages_ = 0;
  answered on_answer_;
};

// ---- clients

/// A client's requests, which differ in nothing but the digits of their MID and key: to make them must not
/// cost more than to serve them.
class request_form {
 public:
  request_form(replica_id client, replica_id leader, std::size_t value_bytes, bool put) {
    const std::string mid(mid_digits, 'm'), key(key_digits, 'k');
    const wire::request_header header{client, leader, leader, mid};
    text_ = put ? wire::write_request(header, kv::put{key, std::string(value_bytes, 'v')})
                : wire::write_request(header, kv::get{key});
    mid_at_ = text_.find(mid);
    key_at_ = text_.find(key);
  }

  std::string fill_in(std::size_t number) {
    write(mid_at_, mid_digits, number);
    write(key_at_, key_digits, number * 7'919 % keys);
    return text_;
  }
  /// The number that an answer carries.
  static std::size_t read_number(std::string_view mid) {
    std::size_t n = 0;
    for (const char c : mid)
      n = 10 * n + static_cast<std::size_t>(c - '0');
    return n;
  }

 private:
  static constexpr std::size_t mid_digits = 9;
  static constexpr std::size_t key_digits = 5;

  void write(std::size_t at, std::size_t digits, std::size_t number) {
    for (; digits > 0; --digits, number /= 10)
      text_[at + digits - 1] = static_cast<char>('0' + number % 10);
  }

  std::string text_;
  std::size_t mid_at_ = 0;
  std::size_t key_at_ = 0;
};

struct figures {
  double per_second = 0;      ///< on the wall clock
  double cpu_us = 0;          ///< of the processor for one request
  double messages = 0;        ///< between replicas, for one request
  std::vector<double> waited; ///< s; of requests that come at given moments
};

/// Measures requests from where it is made to where it is asked.
class gauge {
 public:
  gauge(const group& g, std::size_t answered) : group_(g), answered_(answered), messages_(g.messages()) {}
  double seconds() const { return bench::seconds_since(begun_); }
  figures read(std::size_t answered) const {
    const auto count = static_cast<double>(answered - answered_);
    return {count / seconds(),
            1e6 * (cpu_seconds() - cpu_) / count,
            static_cast<double>(group_.messages() - messages_) / count,
            {}};
  }

 private:
  const group& group_;
  std::size_t answered_;
  std::uint64_t messages_;
  steady::time_point begun_ = steady::now();
  double cpu_ = cpu_seconds();
};

class clients {
 public:
  clients(group& g, const setting& s, bool put) : group_(g) {
    for (std::size_t i = 0; i < s.clients; ++i)
      forms_.emplace_back(replica_id{static_cast<std::uint16_t>(first_client + i)}, g.leader(), s.value_bytes,
                          put);
  }

  /// Each asks again as soon as it is answered.
  void ask_in_a_circle() {
    group_.on_answer([this](std::string_view answer) {
      count(answer);
      ask(client_of(answer));
    });
    for (std::size_t i = 0; i < forms_.size(); ++i)
      ask(i);
  }
  /// Nobody asks any more but by `ask_next`.
  void only_count() {
    group_.on_answer([this](std::string_view answer) {
      count(answer);
      if (!due_.empty())
        waited_.push_back(
            bench::seconds_since(due_[request_form::read_number(trace::glance(answer, "MID")) - due_from_]));
    });
  }
  void run_until(const std::function<bool()>& done) {
    while (!done())
      group_.turn();
  }
  /// Requests at moments that are given: they do not wait for those before them.
  figures ask_at(double rate, double seconds) {
    run_until([this] { return answered_ == asked_; });
    only_count();
    due_from_ = asked_;
    const gauge g(group_, answered_);
    const auto begun = steady::now();
    while (g.seconds() < seconds) {
      for (; static_cast<double>(due_.size()) < rate * g.seconds(); ask(asked_ % forms_.size()))
        due_.push_back(begun + std::chrono::nanoseconds(
                                   static_cast<std::int64_t>(1e9 * static_cast<double>(due_.size()) / rate)));
      group_.turn();
    }
    auto f = g.read(answered_);
    f.waited = waited_;
    return f;
  }

  std::size_t answered() const { return answered_; }

 private:
  static std::size_t client_of(std::string_view answer) {
    std::size_t id = 0;
    for (const char c : trace::glance(answer, "dst"))
      id = 16 * id + static_cast<std::size_t>(c <= '9' ? c - '0' : c - 'A' + 10);
    return id - first_client;
  }
  void ask(std::size_t client) { group_.ask(forms_[client].fill_in(asked_++)); }
  void count(std::string_view answer) {
    if (trace::glance(answer, "type") != "ok")
      throw bench_failed(fmt::format("a client was told: {}", answer.substr(0, 200)));
    ++answered_;
  }

  group& group_;
  std::vector<request_form> forms_;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  std::size_t due_from_ = 0;
  std::vector<steady::time_point> due_;
  std::vector<double> waited_;
};

// ---- what is measured

struct options {
  double seconds = 1;
  int rounds = 3;
  std::size_t most_entries = 1'000'000;
};

figures measure(const setting& s, bool put, double seconds) {
  group g(s);
  clients c(g, s, put);
  c.ask_in_a_circle();
  const auto begun = steady::now();
  c.run_until([&] { return bench::seconds_since(begun) > 0.2; });
  const gauge measured(g, c.answered());
  c.run_until([&] { return measured.seconds() > seconds; });
  return measured.read(c.answered());
}

/// Medians of what several rounds gave.
struct row {
  std::vector<double> per_second, cpu_us, messages;
  void add(const figures& f) {
    per_second.push_back(f.per_second);
    cpu_us.push_back(f.cpu_us);
    messages.push_back(f.messages);
  }
};

class csv_file {
 public:
  explicit csv_file(const std::string& path) : path_(path) {
    if (!path.empty())
      file_.open(path);
    file_ << "table,replicas,clients,value_bytes,entries,puts_per_second,put_us,gets_per_second\n";
  }
  void add(std::string_view table, const setting& s, std::size_t entries, const row& put, const row& get) {
    file_ << fmt::format("{},{},{},{},{},{:.0f},{:.2f},{:.0f}\n", table, s.replicas, s.clients, s.value_bytes,
                         entries, median(put.per_second), median(put.cpu_us), median(get.per_second));
  }
  void close() {
    if (!path_.empty() && !file_.flush())
      throw bench_failed(fmt::format("{}: cannot be written", path_));
  }

 private:
  std::string path_;
  std::ofstream file_;
};

void measure_together(std::string_view title, const std::vector<setting>& settings, const options& o,
                      csv_file& csv, bool gets_too = true) {
  std::vector<row> puts(settings.size()), gets(settings.size());
  for (int round = 0; round < o.rounds; ++round)
    for (std::size_t i = 0; i < settings.size(); ++i) {
      puts[i].add(measure(settings[i], true, o.seconds));
      if (gets_too)
        gets[i].add(measure(settings[i], false, o.seconds / 2));
    }
  fmt::print("{:>8} {:>8} {:>8} {:>10} {:>9} {:>7} {:>9} {:>10} {:>9}\n", "replicas", "clients", "bytes",
             "puts/s", "us/put", "ratio", "msgs/put", "gets/s", "us/get");
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const auto& s = settings[i];
    fmt::print("{:>8} {:>8} {:>8} {:>10.0f} {:>9.2f} {:>7.2f} {:>9.3f} {:>10.0f} {:>9.2f}\n", s.replicas,
               s.clients, s.value_bytes, median(puts[i].per_second), median(puts[i].cpu_us),
               median(puts[i].cpu_us) / median(puts[0].cpu_us), median(puts[i].messages),
               median(gets[i].per_second), median(gets[i].cpu_us));
    csv.add(title, s, 0, puts[i], gets[i]);
  }
  fmt::print("\n");
  std::fflush(stdout);
}

void measure_clients(const options& o, csv_file& csv) {
  std::vector<setting> settings;
  for (const std::size_t replicas : {3, 5})
    for (const std::size_t clients : {1, 4, 16, 64, 256, 1'000})
      settings.push_back({.replicas = replicas, .clients = clients});
  measure_together("clients", settings, o, csv);
}

void measure_values(const options& o, csv_file& csv) {
  std::vector<setting> settings;
  for (const std::size_t bytes : {16, 256, 4'096, 16'384})
    settings.push_back(
        {.value_bytes = bytes, .snapshot_after_bytes = actors::router_options().snapshot_after_bytes});
  measure_together("values", settings, o, csv);
}

/// From `entries` in the log on, until there are twice as many.
void measure_log(const options& o, csv_file& csv) {
  fmt::print("{:>10} {:>12} {:>10} {:>9} {:>7}\n", "entries", "snapshots", "puts/s", "us/put", "ratio");
  double first = 0;
  for (const auto snapshot_after_bytes : {std::size_t{0}, actors::router_options().snapshot_after_bytes}) {
    std::vector<row> rows;
    for (int round = 0; round < o.rounds; ++round) {
      const setting s{.snapshot_after_bytes = snapshot_after_bytes};
      group g(s);
      clients c(g, s, true);
      c.ask_in_a_circle();
      std::size_t number = 0;
      for (std::size_t entries = 1'000; entries <= o.most_entries; entries *= 10, ++number) {
        c.run_until([&] { return c.answered() >= entries; });
        const gauge measured(g, c.answered());
        c.run_until([&] { return c.answered() >= 2 * entries; });
        rows.resize(std::max(rows.size(), number + 1));
        rows[number].add(measured.read(c.answered()));
      }
    }
    std::size_t entries = 1'000;
    for (const auto& r : rows) {
      first = first > 0 ? first : median(r.cpu_us);
      fmt::print("{:>10} {:>12} {:>10.0f} {:>9.2f} {:>7.2f}\n", entries,
                 snapshot_after_bytes == 0 ? "none" : fmt::format("each {} MiB", snapshot_after_bytes >> 20),
                 median(r.per_second), median(r.cpu_us), median(r.cpu_us) / first);
      csv.add(snapshot_after_bytes == 0 ? "log" : "log-snapshots", {}, entries, r, {});
      entries *= 10;
    }
  }
  fmt::print("\n");
  std::fflush(stdout);
}

void measure_rates(const options& o) {
  fmt::print("{:>10} {:>10} {:>9} {:>9} {:>9}\n", "asked/s", "puts/s", "us/put", "p50 us", "p99 us");
  for (const double rate : {1'000.0, 10'000.0, 20'000.0, 40'000.0, 60'000.0, 80'000.0}) {
    const setting s{.clients = 1'000};
    group g(s);
    clients c(g, s, true);
    const auto f = c.ask_at(rate, o.seconds);
    fmt::print("{:>10.0f} {:>10.0f} {:>9.2f} {:>9.0f} {:>9.0f}\n", rate, f.per_second, f.cpu_us,
               1e6 * at_percent(f.waited, 50), 1e6 * at_percent(f.waited, 99));
    std::fflush(stdout);
  }
}

} // namespace

int main(int argc, char** argv) {
  options o;
  std::string csv_path, only;
  setting one;
  CLI::App app("Measures what whole replicas do a second on one core.", "bench_throughput");
  app.add_option("--rounds", o.rounds, "How often each is measured")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--for", o.seconds, "Seconds for each")
      ->check(CLI::Range(0.1, 1000.0))
      ->capture_default_str();
  app.add_option("--entries", o.most_entries, "The longest log")
      ->check(CLI::Range(1'000, 100'000'000))
      ->capture_default_str();
  app.add_option("--only", only, "One of the tables, or puts in a single setting, for a profiler")
      ->check(CLI::IsMember({"clients", "values", "log", "rates", "one"}));
  app.add_option("--clients", one.clients, "Of a single setting")->check(CLI::Range(1, 16'000));
  app.add_option("--bytes", one.value_bytes, "Of a single setting")->check(CLI::Range(0, 50'000));
  app.add_option("--replicas", one.replicas, "Of a single setting")->check(CLI::Range(1, 21));
  app.add_option("--csv", csv_path, "A file for the figures, for scripts/plot");
  CLI11_PARSE(app, argc, argv);
  try {
    csv_file csv(csv_path);
    const auto wants = [&](const char* table) { return only.empty() || only == table; };
    if (wants("clients"))
      measure_clients(o, csv);
    if (wants("values"))
      measure_values(o, csv);
    if (wants("log"))
      measure_log(o, csv);
    if (wants("rates"))
      measure_rates(o);
    if (only == "one")
      measure_together("one", {one}, o, csv, false);
    csv.close();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_throughput: {}\n", error.what());
    return 1;
  }
}
