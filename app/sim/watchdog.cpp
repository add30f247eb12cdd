#include "app/sim/watchdog.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <vector>

namespace troupe::sim {

namespace {

/// Positive to add, negative to remove. Shorter than PIPE_BUF, so written in one piece.
using notice = pid_t;

void write_notice(int fd, notice what) {
  while (write(fd, &what, sizeof what) < 0 && errno == EINTR) {
  }
}

/// What a terminal sends to everybody must not end the one who cleans up.
void become_independent(int keep) {
  setsid();
  prctl(PR_SET_NAME, "troupe-watchdog");
  for (int signal : std::array{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
    ::signal(signal, SIG_IGN);
  // Standard streams, too: whoever reads the simulator's output waits for their end.
  const int limit = std::max(keep + 1, 64);
  for (int fd = 0; fd < limit; ++fd)
    if (fd != keep)
      close(fd);
}

[[noreturn]] void watch(int fd) {
  std::vector<pid_t> groups;
  notice what = 0;
  for (;;) {
    const auto got = read(fd, &what, sizeof what);
    if (got < 0 && errno == EINTR)
      continue;
    if (got != sizeof what)
      break;
    if (what > 0)
      groups.push_back(what);
    else
      std::erase(groups, -what);
  }
  for (pid_t group : groups)
    kill(-group, SIGKILL);
  _exit(0);
}

} // namespace

pipe_ends make_pipe() {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  return {file_descriptor(fds[0]), file_descriptor(fds[1])};
}

watchdog::watchdog() {
  auto ends = make_pipe();
  process_ = fork();
  if (process_ < 0)
    throw std::system_error(errno, std::generic_category(), "fork");
  if (process_ == 0) {
    become_independent(ends.read.get());
    watch(ends.read.get());
  }
  pipe_ = std::move(ends.write);
}

watchdog::~watchdog() {
  pipe_.close();
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void watchdog::add(pid_t group) const { write_notice(pipe_.get(), group); }

void watchdog::remove(pid_t group) const { write_notice(pipe_.get(), -group); }

} // namespace troupe::sim
