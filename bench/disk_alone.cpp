#include "bench/disk_alone.hpp"

#include "app/sim/scratch_directory.hpp"
#include "bench/figures.hpp"
#include "bench/real_replicas.hpp"
#include "disk/real_files.hpp"

#include <csignal>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace troupe::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t times_stored = 400;

/// A file with room for so many records of that size.
class reserved_file {
 public:
  reserved_file(const std::string& where, std::size_t bytes)
      : home_(where), files_(home_.path().string(), disk::real_files::access::own), record_(bytes, 'x') {
    files_.create("file", times_stored * bytes);
    files_.sync("file");
  }
  /// One write and one fdatasync.
  void store(std::size_t i) {
    files_.write("file", i * record_.size(), record_);
    files_.sync("file");
  }

 private:
  const sim::scratch_directory home_;
  disk::real_files files_;
  const std::string record_;
};

/// What each of these takes, so many seconds behind the one before; the median.
double median_seconds(double pause, const std::function<void(std::size_t i)>& what) {
  std::vector<double> took;
  for (std::size_t i = 0; i < times_stored; ++i) {
    if (pause > 0)
      std::this_thread::sleep_for(std::chrono::duration<double>(pause));
    const auto begun = steady::now();
    what(i);
    took.push_back(seconds_since(begun));
  }
  return at_percent(took, 50);
}

} // namespace

double sync_seconds(const std::string& where, std::size_t bytes, double pause) {
  reserved_file file(where, bytes);
  return median_seconds(pause, [&](std::size_t i) { file.store(i); });
}

double two_sync_seconds(const std::string& where, std::size_t bytes, double pause) {
  in_new_process one([&] { return sync_seconds(where, bytes, pause); });
  in_new_process other([&] { return sync_seconds(where, bytes, pause); });
  return (one.wait() + other.wait()) / 2;
}

namespace {

double tell_and_store_seconds(double pause, const std::function<void(std::size_t i)>& store_here,
                              const std::function<void(std::size_t i)>& store_there) {
  int line[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, line) != 0)
    throw bench_failed("no pair of sockets");
  const auto tell = [&](int end) {
    if (::send(line[end], "x", 1, MSG_NOSIGNAL) != 1)
      throw bench_failed("the other process is gone");
  };
  const auto hear = [&](int end) {
    char byte;
    if (::recv(line[end], &byte, 1, 0) != 1)
      throw bench_failed("the other process is gone");
  };
  in_new_process follower([&] {
    ::close(line[0]);
    for (std::size_t i = 0; i < times_stored; ++i) {
      hear(1);
      store_there(i);
      tell(1);
    }
    return 0.0;
  });
  ::close(line[1]);
  const std::shared_ptr<void> end_of_line(nullptr, [&](void*) { ::close(line[0]); }); // ends the follower
  const auto took = median_seconds(pause, [&](std::size_t i) {
    tell(0);
    store_here(i);
    hear(0);
  });
  follower.wait();
  return took;
}

} // namespace

double pair_seconds(const std::string& where, std::size_t bytes, double pause) {
  reserved_file here(where, bytes), there(where, bytes);
  const auto on_disk = tell_and_store_seconds(
      pause, [&](std::size_t i) { here.store(i); }, [&](std::size_t i) { there.store(i); });
  const auto nothing = [](std::size_t) {};
  return on_disk - tell_and_store_seconds(pause, nothing, nothing);
}

// ---- a process of its own

namespace {

volatile std::sig_atomic_t was_interrupted = 0;

} // namespace

in_new_process::in_new_process(const std::function<double()>& what)
    : before_(std::signal(SIGINT, [](int) { was_interrupted = 1; })) {
  int ends[2];
  if (::pipe(ends) != 0)
    throw bench_failed("no pipe");
  child_ = ::fork();
  if (child_ == 0) {
    std::signal(SIGINT, before_);
    double result = -1;
    try {
      result = what();
    } catch (const std::exception& error) {
      fmt::print(stderr, "bench_disk: {}\n", error.what());
    }
    const bool told = ::write(ends[1], &result, sizeof result) == sizeof result;
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  result_ = ends[0];
}

in_new_process::~in_new_process() {
  ::close(result_);
  ::waitpid(child_, nullptr, 0);
  std::signal(SIGINT, before_);
}

double in_new_process::wait() {
  double result = -1;
  const bool told = child_ > 0 && ::read(result_, &result, sizeof result) == sizeof result;
  if (!told || result < 0)
    throw bench_failed(was_interrupted != 0 ? "interrupted"
                                            : "what a process of its own was to measure failed");
  return result;
}

} // namespace troupe::bench
