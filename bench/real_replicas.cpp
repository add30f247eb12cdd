#include "bench/real_replicas.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <poll.h>

namespace troupe::bench {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> command_line(const real_setup& setup, replica_id id, std::uint16_t port) {
  std::vector<std::string> words{setup.executable, "--log-level", setup.log_level};
  if (!setup.data.empty())
    words.insert(words.end(), {"--data", (fs::path(setup.data) / to_string(id)).string()});
  words.insert(words.end(), setup.options.begin(), setup.options.end());
  words.push_back(std::to_string(port));
  words.push_back(to_string(id));
  for (std::uint16_t peer = 0; peer < setup.replicas; ++peer)
    if (replica_id{peer} != id)
      words.push_back(to_string(replica_id{peer}));
  return words;
}

} // namespace

std::string replica_beside_this() {
  std::error_code ignored;
  return (fs::read_symlink("/proc/self/exe", ignored).parent_path() / "troupe-replica").string();
}

real_replicas::real_replicas(const real_setup& setup, const sim::watchdog& guard) {
  for (std::uint16_t i = 0; i < setup.replicas; ++i) {
    const replica_id id{i};
    processes_[id] = std::make_unique<sim::child_process>(command_line(setup, id, socket_.port()), guard);
    ports_[id] = 0;
  }
}

bool real_replicas::are_there() const {
  return std::all_of(ports_.begin(), ports_.end(), [](const auto& p) { return p.second != 0; });
}

replica_id real_replicas::pick(std::size_t number) const {
  return std::next(ports_.begin(), static_cast<std::ptrdiff_t>(number % ports_.size()))->first;
}

void real_replicas::ask(const wire::request_header& header, const kv::operation& operation) {
  socket_.send(ports_[header.replica], wire::write_request(header, operation));
}

void real_replicas::turn(int wait_ms, const answer_sink& take) {
  pollfd ready{socket_.descriptor(), POLLIN, 0};
  ::poll(&ready, 1, wait_ms);
  while (const auto d = socket_.receive()) {
    std::string error;
    const auto e = wire::parse_envelope(d->bytes, error);
    if (!e)
      continue;
    ports_[e->src] = d->port;
    if (e->dst == nobody || ports_.contains(e->dst)) {
      pass_on(*e, d->bytes);
    } else {
      leader_ = ports_.contains(e->leader) ? e->leader : nobody;
      take(*e);
    }
  }
}

void real_replicas::pass_on(const wire::envelope& e, std::string_view bytes) {
  if (e.kind == wire::message_kind::hello)
    return;
  for (const auto& [id, port] : ports_) {
    const bool is_cut = cut_off_ != nobody && (cut_off_ == id || cut_off_ == e.src);
    if (id == e.src || (e.dst != id && e.dst != nobody) || port == 0 || is_cut)
      continue;
    if (watching_)
      watching_(e);
    socket_.send(port, bytes);
  }
}

void real_replicas::kill(replica_id id) { processes_.at(id)->signal(SIGKILL); }

void real_replicas::read_output(const line_sink& take) {
  for (const auto& [id, process] : processes_)
    process->read_output([&take, who = id](const std::string& line) { take(who, line); });
}

} // namespace troupe::bench
