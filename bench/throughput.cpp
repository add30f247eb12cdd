// What whole replicas do a second: all their actors, in one process, but no sockets, no disk and no virtual
// time.
//
// Processor time is that of everything, the clients included, for all replicas together.

#include "bench/figures.hpp"
#include "bench/one_process.hpp"
#include "bench/program.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace troupe;
using bench::at_percent;
using bench::bench_failed;
using bench::median;
using bench::replicas;
using bench::setting;
using steady = std::chrono::steady_clock;

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct figures {
  double per_second = 0;      ///< on the wall clock
  double cpu_us = 0;          ///< of the processor for one request
  double messages = 0;        ///< between replicas, for one request
  std::vector<double> waited; ///< s; of requests that come at given moments
  bool overrun = false;       ///< more came than could be served
};

/// Measures requests from where it is made to where it is asked.
class gauge {
 public:
  gauge(const replicas& r, std::size_t served) : replicas_(r), served_(served), messages_(r.messages()) {}
  double seconds() const { return bench::seconds_since(begun_); }
  figures read(std::size_t served) const {
    const auto count = static_cast<double>(served - served_);
    return {count / seconds(),
            1e6 * (cpu_seconds() - cpu_) / count,
            static_cast<double>(replicas_.messages() - messages_) / count,
            {},
            false};
  }

 private:
  const replicas& replicas_;
  std::size_t served_;
  std::uint64_t messages_;
  steady::time_point begun_ = steady::now();
  double cpu_ = cpu_seconds();
};

class clients {
 public:
  clients(replicas& r, const setting& s, bool put) : replicas_(r), count_(s.clients), put_(put) {}

  /// Each asks again as soon as it is served.
  void ask_in_a_circle() {
    replicas_.on_served([this](std::size_t client, std::size_t) {
      ++served_;
      ask(client);
    });
    for (std::size_t i = 0; i < count_; ++i)
      ask(i);
  }
  void run_until(const std::function<bool()>& done) {
    while (!done())
      replicas_.turn();
  }
  /// Requests at moments that are given: they do not wait for those before them. Ends early when so many wait
  /// that some would be refused.
  figures ask_at(double rate, double seconds) {
    std::vector<steady::time_point> due;
    std::vector<double> waited;
    replicas_.on_served([&](std::size_t, std::size_t number) {
      ++served_;
      waited.push_back(bench::seconds_since(due[number]));
    });
    const gauge g(replicas_, served_);
    constexpr std::size_t most_waiting = 8'000;
    const auto begun = steady::now();
    while (g.seconds() < seconds && asked_ - served_ < most_waiting) {
      for (; static_cast<double>(due.size()) < rate * g.seconds() && asked_ - served_ < most_waiting;
           ask(asked_ % count_))
        due.push_back(begun + std::chrono::nanoseconds(
                                  static_cast<std::int64_t>(1e9 * static_cast<double>(due.size()) / rate)));
      replicas_.turn();
    }
    auto f = g.read(served_);
    f.waited = std::move(waited);
    f.overrun = asked_ - served_ >= most_waiting;
    return f;
  }

  std::size_t served() const { return served_; }

 private:
  void ask(std::size_t client) {
    put_ ? replicas_.put(client, asked_) : replicas_.get(client, asked_);
    ++asked_;
  }

  replicas& replicas_;
  std::size_t count_;
  bool put_;
  std::size_t asked_ = 0;
  std::size_t served_ = 0;
};

// ---- what is measured

/// A replica's own default.
constexpr std::size_t default_snapshot_after_bytes = 8 << 20;
/// So that it is not the state's size that is measured: the values of 10,000 keys of 256 bytes.
constexpr std::size_t values_together = 2'560'000;
/// So that ten million entries fit into the memory of a small machine.
constexpr std::size_t log_value_bytes = 16;

struct options {
  double seconds = 1;
  int rounds = 3;
  std::size_t most_entries = 10'000'000;
};

figures measure(const setting& s, bool put, double seconds) {
  replicas r(s);
  clients c(r, s, put);
  c.ask_in_a_circle();
  const auto begun = steady::now();
  c.run_until([&] { return bench::seconds_since(begun) > 0.2; });
  const gauge measured(r, c.served());
  c.run_until([&] { return measured.seconds() > seconds; });
  return measured.read(c.served());
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
  explicit csv_file(const std::string& path)
      : file_(
            path,
            "table,replicas,clients,value_bytes,json,cores,entries,puts_per_second,put_us,gets_per_second") {}
  void add(std::string_view table, const setting& s, std::size_t entries, const row& put, const row& get) {
    file_.add(fmt::format("{},{},{},{},{:d},{},{},{:.0f},{:.3f},{:.0f}", table, s.replicas, s.clients,
                          s.value_bytes, s.json, s.two_cores ? 2 : 1, entries, median(put.per_second),
                          median(put.cpu_us), median(get.per_second)));
  }

 private:
  bench::csv_file file_;
};

/// How often snapshots are made.
std::string name_of(std::size_t snapshot_after_bytes) {
  return snapshot_after_bytes == 0 ? "never" : fmt::format("{} MiB", snapshot_after_bytes >> 20);
}

/// The settings take turns.
void measure_together(std::string_view title, const std::vector<setting>& settings, const options& o,
                      csv_file& csv, bool gets_too = true) {
  std::vector<row> puts(settings.size()), gets(settings.size());
  for (int round = 0; round < o.rounds; ++round)
    for (std::size_t i = 0; i < settings.size(); ++i) {
      puts[i].add(measure(settings[i], true, o.seconds));
      if (gets_too)
        gets[i].add(measure(settings[i], false, o.seconds / 2));
    }
  fmt::print("{:>8} {:>8} {:>8} {:>6} {:>6} {:>9} {:>10} {:>8} {:>9} {:>10} {:>8}\n", "replicas", "clients",
             "bytes", "as", "cores", "snapshots", "puts/s", "us/put", "msgs/put", "gets/s", "us/get");
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const auto& s = settings[i];
    fmt::print("{:>8} {:>8} {:>8} {:>6} {:>6} {:>9} {:>10.0f} {:>8.2f} {:>9.3f} {:>10.0f} {:>8.2f}\n",
               s.replicas, s.clients, s.value_bytes, s.json ? "JSON" : "it is", s.two_cores ? 2 : 1,
               name_of(s.snapshot_after_bytes), median(puts[i].per_second), median(puts[i].cpu_us),
               median(puts[i].messages), median(gets[i].per_second), median(gets[i].cpu_us));
    csv.add(title, s, 0, puts[i], gets[i]);
  }
  fmt::print("\n");
  std::fflush(stdout);
}

void measure_clients(const options& o, csv_file& csv) {
  for (const bool two_cores : {false, true}) {
    std::vector<setting> settings;
    for (const std::size_t size : {3, 5})
      for (const std::size_t clients : {1, 4, 16, 64, 256, 1'000})
        settings.push_back({.replicas = size, .clients = clients, .two_cores = two_cores});
    measure_together("clients", settings, o, csv);
  }
}

void measure_json(const options& o, csv_file& csv) {
  std::vector<setting> settings;
  for (const bool json : {false, true})
    for (const std::size_t clients : {1, 64, 1'000})
      settings.push_back({.clients = clients, .json = json});
  measure_together("json", settings, o, csv);
}

void measure_snapshots(const options& o, csv_file& csv) {
  std::vector<setting> settings;
  for (const std::size_t after :
       {std::size_t{0}, default_snapshot_after_bytes, setting().snapshot_after_bytes})
    settings.push_back({.clients = 64, .snapshot_after_bytes = after});
  measure_together("snapshots", settings, o, csv);
}

void measure_sizes(const options& o, csv_file& csv) {
  std::vector<setting> settings;
  for (const std::size_t size : {1, 3, 5, 7, 9})
    settings.push_back({.replicas = size, .clients = 64});
  measure_together("sizes", settings, o, csv);
}

void measure_values(const options& o, csv_file& csv) {
  std::vector<setting> settings;
  for (const std::size_t bytes : {16, 64, 256, 1'024, 4'096, 16'384})
    settings.push_back(
        {.clients = 64, .value_bytes = bytes, .keys = std::min(setting().keys, values_together / bytes)});
  measure_together("values", settings, o, csv);
}

/// From `entries` in the log on, until there are twice as many, or half a million more.
void measure_log(const options& o, csv_file& csv) {
  fmt::print("{:>10} {:>12} {:>10} {:>9} {:>7}\n", "entries", "snapshots", "puts/s", "us/put", "ratio");
  double first = 0;
  for (const auto snapshot_after_bytes : {std::size_t{0}, default_snapshot_after_bytes}) {
    std::vector<row> rows;
    for (int round = 0; round < o.rounds; ++round) {
      const setting s{
          .clients = 64, .value_bytes = log_value_bytes, .snapshot_after_bytes = snapshot_after_bytes};
      replicas r(s);
      clients c(r, s, true);
      c.ask_in_a_circle();
      std::size_t number = 0;
      for (std::size_t entries = 1'000; entries <= o.most_entries; entries *= 10, ++number) {
        c.run_until([&] { return c.served() >= entries; });
        const gauge measured(r, c.served());
        c.run_until([&] { return c.served() >= entries + std::min<std::size_t>(entries, 500'000); });
        rows.resize(std::max(rows.size(), number + 1));
        rows[number].add(measured.read(c.served()));
      }
    }
    std::size_t entries = 1'000;
    for (const auto& r : rows) {
      first = first > 0 ? first : median(r.cpu_us);
      fmt::print("{:>10} {:>12} {:>10.0f} {:>9.2f} {:>7.2f}\n", entries, name_of(snapshot_after_bytes),
                 median(r.per_second), median(r.cpu_us), median(r.cpu_us) / first);
      csv.add(snapshot_after_bytes == 0 ? "log" : "log-snapshots",
              {.clients = 64, .value_bytes = log_value_bytes}, entries, r, {});
      entries *= 10;
    }
  }
  fmt::print("\n");
  std::fflush(stdout);
}

void measure_rates(const options& o, csv_file& csv) {
  fmt::print("{:>10} {:>10} {:>9} {:>9} {:>9}\n", "asked/s", "puts/s", "us/put", "p50 us", "p99 us");
  for (const double rate : {1'000.0, 10'000.0, 50'000.0, 100'000.0, 200'000.0, 250'000.0, 300'000.0}) {
    const setting s{.clients = 1'000};
    replicas r(s);
    clients c(r, s, true);
    const auto f = c.ask_at(rate, o.seconds);
    if (f.overrun) {
      fmt::print("{:>10.0f}    more than can be served: after {} puts 8000 waited\n", rate, f.waited.size());
      break;
    }
    row puts;
    puts.add(f);
    fmt::print("{:>10.0f} {:>10.0f} {:>9.2f} {:>9.0f} {:>9.0f}\n", rate, f.per_second, f.cpu_us,
               1e6 * at_percent(f.waited, 50), 1e6 * at_percent(f.waited, 99));
    csv.add("rates", s, 0, puts, {});
    std::fflush(stdout);
  }
}

/// The state and the log of several replicas are hundreds of megabytes, read at random. With pages of 4 KiB a
/// third of the time goes to finding them; glibc takes large ones if it is told before the program starts,
/// and then also keeps what was freed.
void take_large_pages(char** argv) {
  if (std::getenv("GLIBC_TUNABLES"))
    return;
  ::setenv("GLIBC_TUNABLES",
           "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=0x7fffffffffffffff",
           0);
  ::execv("/proc/self/exe", argv); // where that does not work the figures are lower
}

/// On a virtual machine a large page that was never touched may cost milliseconds, since the host has to find
/// it: much more than all else that is measured here. A server that has run for a while has its memory. What
/// is freed here stays with malloc, as `take_large_pages` asked.
void take_memory(std::size_t mebibytes) {
  const auto bytes = mebibytes << 20;
  const std::unique_ptr<char[]> memory(new char[bytes]);
  for (std::size_t i = 0; i < bytes; i += 4'096)
    static_cast<volatile char*>(memory.get())[i] = 1;
}

void measure_all(int argc, char** argv) {
  options o;
  std::string csv_path, only;
  setting one;
  std::size_t memory = 1'024;
  CLI::App app("Measures what whole replicas in one process do a second.", "bench_throughput");
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
      ->check(CLI::IsMember({"clients", "json", "snapshots", "sizes", "values", "log", "rates", "one"}));
  app.add_option("--clients", one.clients, "Of a single setting")->check(CLI::Range(1, 16'000));
  app.add_option("--bytes", one.value_bytes, "Of a single setting")->check(CLI::Range(0, 50'000));
  app.add_option("--keys", one.keys, "Of a single setting")->check(CLI::Range(1, 100'000));
  app.add_option("--replicas", one.replicas, "Of a single setting")->check(CLI::Range(1, 21));
  app.add_option("--snapshot-after", one.snapshot_after_bytes,
                 "Of a single setting: bytes of entries; 0: never");
  app.add_flag("--json", one.json, "Of a single setting: as text between replicas");
  app.add_flag("--two-cores", one.two_cores, "Of a single setting: followers in a thread of their own");
  app.add_option("--memory", memory, "MiB that are taken from the kernel before anything is measured")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--csv", csv_path, "A file for the figures, for scripts/plot");
  if (!troupe::app::read_arguments(app, argc, argv))
    return;
  csv_file csv(csv_path);
  take_memory(memory);
  const auto wants = [&](const char* table) { return only.empty() || only == table; };
  if (wants("clients"))
    measure_clients(o, csv);
  if (wants("json"))
    measure_json(o, csv);
  if (wants("snapshots"))
    measure_snapshots(o, csv);
  if (wants("sizes"))
    measure_sizes(o, csv);
  if (wants("values"))
    measure_values(o, csv);
  if (wants("log"))
    measure_log(o, csv);
  if (wants("rates"))
    measure_rates(o, csv);
  if (only == "one")
    measure_together("one", {one}, o, csv, false);
}

} // namespace

int main(int argc, char** argv) {
  take_large_pages(argv);
  return troupe::bench::run("bench_throughput", [&] { measure_all(argc, argv); });
}
