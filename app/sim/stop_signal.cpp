#include "app/sim/stop_signal.hpp"

#include <cerrno>
#include <csignal>

namespace troupe::sim {

namespace {

volatile sig_atomic_t write_end = -1;

void on_signal(int) {
  const int saved = errno;
  [[maybe_unused]] const auto written = write(write_end, "!", 1);
  errno = saved;
}

} // namespace

stop_signal::stop_signal() : pipe_(make_pipe()) {
  write_end = pipe_.write.get();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    sigaction(signal, &action, nullptr);
  // Whoever stops reading our output must not end a run.
  std::signal(SIGPIPE, SIG_IGN);
}

} // namespace troupe::sim
