#include "app/replica/arguments.hpp"
#include "app/replica/serve.hpp"

#include <sys/signalfd.h>

#include <csignal>
#include <cstdio>
#include <exception>

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
  const auto parsed = troupe::app::parse_arguments(argc, argv);
  if (const auto* done = std::get_if<troupe::app::early_exit>(&parsed)) {
    std::fputs(done->text.c_str(), done->status == 0 ? stdout : stderr);
    return done->status;
  }
  try {
    return troupe::app::serve(std::get<troupe::app::replica_arguments>(parsed), open_signals());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "troupe-replica: %s\n", e.what());
    return 2;
  }
}
