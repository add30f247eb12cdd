#include "app/replica/arguments.hpp"

#include "app/command_line.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <random>

namespace troupe::app {

namespace {

using actors::transport_kind;

/// As they stand on the command line, in milliseconds.
struct timing {
  std::uint32_t election_timeout_min_ms = 0;
  std::uint32_t election_timeout_max_ms = 0;
  std::uint32_t heartbeat_ms = 0;
  std::uint32_t lease_ms = 0;
  std::uint32_t retry_ms = 0;
  std::uint32_t commit_notice_ms = 0;
};

std::uint32_t in_ms(duration d) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

timing timing_of(const raft::options& o) {
  return {in_ms(o.election_timeout_min),
          in_ms(o.election_timeout_max),
          in_ms(o.heartbeat_interval),
          in_ms(o.lease),
          in_ms(o.retry_min),
          in_ms(o.commit_notice_delay)};
}

void apply(const timing& t, raft::options& o) {
  using std::chrono::milliseconds;
  o.election_timeout_min = milliseconds(t.election_timeout_min_ms);
  o.election_timeout_max = milliseconds(t.election_timeout_max_ms);
  o.heartbeat_interval = milliseconds(t.heartbeat_ms);
  o.lease = milliseconds(t.lease_ms);
  o.retry_min = milliseconds(t.retry_ms);
  o.commit_notice_delay = milliseconds(t.commit_notice_ms);
}

bool is_id(const std::string& text) { return wire::parse_replica_id(text).has_value(); }

bool is_socket(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_socket(path, error);
}

/// Tells the two command lines apart: four digits can be a port or an id.
bool starts_with_port(const std::vector<std::string>& words, const std::string& transport) {
  if (!transport.empty())
    return transport == "datagram";
  return !is_id(words[0]) || (words.size() > 1 && is_id(words[1]) && !is_socket(words[0]));
}

std::uint16_t parse_port(const std::string& text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  // Nobody writes a port with zeros in front: that is an id, and a socket which is not there.
  if (error == std::errc{} && end == text.data() + text.size() && !text.starts_with('0'))
    return port;
  if (is_id(text))
    throw std::invalid_argument(fmt::format("\"{}\" is neither a socket in this directory nor a port", text));
  throw std::invalid_argument(fmt::format("\"{}\" is no port: a number from 1 to 65535 is expected", text));
}

std::variant<datagram_port, unix_path> simulator_of(std::vector<std::string>& words,
                                                    const std::string& transport) {
  if (!starts_with_port(words, transport)) {
    std::optional<transport_kind> kind;
    if (!transport.empty())
      kind = transport == "stream" ? transport_kind::stream : transport_kind::seqpacket;
    return unix_path{words[0], kind};
  }
  const auto port = parse_port(words[0]);
  words.erase(words.begin());
  if (words.empty())
    throw std::invalid_argument("the replica's own id is missing");
  return datagram_port{port};
}

/// With the seed, also where chance chose it, and without the trace.
std::string command_of(int argc, char** argv, std::uint64_t seed) {
  std::string text = "troupe-replica";
  bool has_seed = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    has_seed = has_seed || word.starts_with("--seed");
    if (word == "--trace")
      ++i;
    else if (!word.starts_with("--trace="))
      text += fmt::format(" {}", word);
  }
  return has_seed ? text : fmt::format("{} --seed {}", text, seed);
}

} // namespace

std::optional<replica_arguments> parse_arguments(int argc, char** argv) {
  raft::options raft;
  actors::router_options router;
  raft.seed = std::random_device{}();
  auto t = timing_of(raft);
  std::vector<std::string> words;
  std::string transport;
  std::string level = "info";
  std::size_t threads = 0;
  std::string data;
  std::string trace;
  std::size_t trace_memory_mib = 2;

  CLI::App app("A Raft replica for the course simulators: a drop-in for 3700kvstore and 4730kvstore.\n"
               "  troupe-replica [options] <port> <id> <peer>...   talks datagrams to 127.0.0.1:<port>\n"
               "  troupe-replica [options] <id> <peer>...          connects to the Unix socket <id> in this "
               "directory\n",
               "troupe-replica");
  app.add_option("arguments", words,
                 "the simulator's UDP port, if it speaks datagrams; this replica's id; its peers' ids");
  app.add_option("--transport", transport, "datagram, stream or seqpacket, instead of recognising it")
      ->check(CLI::IsMember({"datagram", "stream", "seqpacket"}));
  app.add_option("--election-timeout-min", t.election_timeout_min_ms,
                 "shortest silence before an election, ms; the same for all replicas: leases rest on it")
      ->capture_default_str();
  app.add_option("--election-timeout-max", t.election_timeout_max_ms,
                 "longest silence before an election, ms")
      ->capture_default_str();
  app.add_option("--heartbeat", t.heartbeat_ms, "longest silence of a leader, ms")->capture_default_str();
  app.add_option(
         "--lease", t.lease_ms,
         "how long a leader reads without asking after a majority confirmed it, ms; 0: every batch of reads "
         "takes a round")
      ->capture_default_str();
  app.add_option("--retry", t.retry_ms, "shortest time after which an answer counts as late, ms")
      ->capture_default_str();
  app.add_option("--commit-notice", t.commit_notice_ms,
                 "after how long without an append followers are told what is committed, ms; 0: never")
      ->capture_default_str();
  app.add_option("--window", raft.window_messages, "how many messages may be on their way to one follower")
      ->capture_default_str();
  app.add_option("--max-parked", router.max_parked, "how many requests may wait for a leader")
      ->capture_default_str();
  app.add_option("--snapshot-after", router.snapshot_after_bytes,
                 "cut the log when so many bytes of entries were applied; 0: never")
      ->capture_default_str();
  app.add_option("--seed", raft.seed, "where the random choices start (default: differs at each start)");
  app.add_option("--threads", threads,
                 "run on CAF's scheduler with as many threads; 0: one loop for everything")
      ->capture_default_str()
      ->check(CLI::Range(0, 256));
  app.add_option("--data", data,
                 "keep the log in this directory, and go on with what is in it; without it a replica forgets "
                 "everything when it ends, its votes as well, and must not be started again under its id")
      ->envname("TROUPE_DATA"); // as below
  app.add_option("--trace", trace,
                 "write every message that an actor handles into this file, for troupe-trace; "
                 "see --trace-memory")
      ->envname("TROUPE_TRACE"); // so says a simulator that does not know whose replica it starts
  app.add_option(
         "--trace-memory", trace_memory_mib,
         "how many MiB of last moments are kept in memory, to be written into a file in TMPDIR on SIGUSR1 or "
         "when a rule is broken; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  app.add_option("--log-level", level, "error, warning, info or debug")
      ->capture_default_str()
      ->check(CLI::IsMember({"error", "warning", "info", "debug"}));

  if (!read_arguments(app, argc, argv))
    return std::nullopt;
  // Whoever has set it wants a log that lasts, and would get none.
  if (const char* wanted = std::getenv("TROUPE_DATA"); wanted && *wanted == '\0' && data.empty())
    throw std::invalid_argument("TROUPE_DATA is empty: name a directory, or unset it");
  if (trace == "-")
    throw std::invalid_argument("- is no place for a trace: name a file");
  if (words.empty())
    throw std::invalid_argument(
        "say where the simulator is and who this replica is: [<port>] <id> <peer>... (see --help)");
  auto simulator = simulator_of(words, transport);
  apply(t, raft);
  if (const auto fault = find_fault(raft))
    throw std::invalid_argument(*fault);
  auto directory = wire::directory(words[0], {words.begin() + 1, words.end()});
  const std::map<std::string, actors::log_level> levels{{"error", actors::log_level::error},
                                                        {"warning", actors::log_level::warning},
                                                        {"info", actors::log_level::info},
                                                        {"debug", actors::log_level::debug}};
  return replica_arguments{std::move(simulator),
                           std::move(directory),
                           raft,
                           router,
                           levels.at(level),
                           data,
                           trace,
                           trace_memory_mib,
                           command_of(argc, argv, raft.seed),
                           threads};
}

} // namespace troupe::app
