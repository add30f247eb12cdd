#include "app/command_line.hpp"
#include "app/replica/arguments.hpp"
#include "app/replica/serve.hpp"

#include <sys/signalfd.h>

#include <csignal>

namespace {

/// SIGTERM, SIGINT and SIGUSR1 as something to be read, before any thread exists that could get them instead.
/// A standard error that nobody reads any more is no reason to end.
int open_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

} // namespace

int main(int argc, char** argv) {
  return troupe::app::run_program("troupe-replica", 2, [&] {
    const auto arguments = troupe::app::parse_arguments(argc, argv);
    return arguments ? troupe::app::serve(*arguments, open_signals()) : 0;
  });
}
