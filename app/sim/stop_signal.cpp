#include "app/sim/stop_signal.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>

namespace troupe::sim {

namespace {

volatile sig_atomic_t write_end = -1;
volatile sig_atomic_t is_impatient = 0;
/// Two signals may come to two threads at once.
std::atomic<bool> was_told = false;
static_assert(std::atomic<bool>::is_always_lock_free);
constexpr int interrupted = 130;

void on_signal(int) {
  if (was_told.exchange(true) && is_impatient != 0)
    ::_exit(interrupted);
  const int saved = errno;
  [[maybe_unused]] const auto written = write(write_end, "!", 1);
  errno = saved;
}

} // namespace

stop_signal::stop_signal(second what) : pipe_(make_pipe()) {
  write_end = pipe_.write.get();
  is_impatient = what == second::ends_at_once;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction(signal, &action, nullptr);
  }
  // It asks a replica for its last moments. Nothing is asked of us; but a replica that we start must hear it,
  // so it is not ignored, which would be handed down.
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, nullptr);
  // Whoever stops reading our output must not end a run.
  std::signal(SIGPIPE, SIG_IGN);
}

} // namespace troupe::sim
