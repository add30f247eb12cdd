#include "app/sim/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>

namespace troupe::sim {

namespace {

constexpr std::size_t longest_line = 2000;

/// Everything that the child does before it becomes the replica: nothing but async-signal-safe calls, since
/// the simulator has threads. Writes errno to `failure` if the program cannot be executed.
[[noreturn]] void become_replica(char* const* arguments, char* const* environment, const watchdog& guard,
                                 int out, int err, int failure) {
  setpgid(0, 0);
  guard.add(getpid());
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int number = 1; number < 32; ++number)
    signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
      dup2(err, STDERR_FILENO) >= 0)
    execve(arguments[0], arguments, environment);
  const int reason = errno;
  [[maybe_unused]] const auto written = write(failure, &reason, sizeof reason);
  _exit(127);
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const auto& word : words)
    pointers.push_back(const_cast<char*>(word.c_str()));
  return pointers;
}

/// Whether one of these is about the same variable.
bool is_named(const std::vector<std::string>& environment, std::string_view variable) {
  const auto name = [](std::string_view v) { return v.substr(0, v.find('=')); };
  return std::any_of(environment.begin(), environment.end(),
                     [&](const auto& given) { return name(given) == name(variable); });
}

void do_not_block(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

/// Waits until the child has become the replica; returns errno if it could not.
int await_execution(int fd) {
  int reason = 0;
  ssize_t got = 0;
  do
    got = read(fd, &reason, sizeof reason);
  while (got < 0 && errno == EINTR);
  return got == sizeof reason ? reason : 0;
}

/// A replica must not be able to play with the terminal.
std::string printable(std::string line) {
  line.resize(std::min(line.size(), longest_line));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; }, '?');
  return line;
}

} // namespace

child_process::child_process(const std::vector<std::string>& arguments, const watchdog& guard,
                             const std::vector<std::string>& environment)
    : guard_(guard) {
  auto argv = pointers_to(arguments);
  argv.push_back(nullptr);
  std::vector<char*> variables;
  for (const auto& given : environment)
    if (given.find('=') != given.npos)
      variables.push_back(const_cast<char*>(given.c_str()));
  for (char** inherited = environ; *inherited; ++inherited)
    if (!is_named(environment, *inherited))
      variables.push_back(*inherited);
  variables.push_back(nullptr);
  auto out = make_pipe();
  auto err = make_pipe();
  auto failure = make_pipe();
  process_ = fork();
  if (process_ < 0)
    throw std::system_error(errno, std::generic_category(), "fork");
  if (process_ == 0)
    become_replica(argv.data(), variables.data(), guard_, out.write.get(), err.write.get(),
                   failure.write.get());
  failure.write.close();
  if (const int reason = await_execution(failure.read.get()); reason != 0) {
    waitpid(process_, nullptr, 0);
    guard_.remove(process_);
    throw std::system_error(reason, std::generic_category(), arguments.front());
  }
  output_[0].pipe = std::move(out.read);
  output_[1].pipe = std::move(err.read);
  for (const auto& stream : output_)
    do_not_block(stream.pipe.get());
}

child_process::child_process(child_process&& other) noexcept
    : process_(std::exchange(other.process_, -1)), guard_(other.guard_), output_(std::move(other.output_)) {}

child_process::~child_process() {
  if (process_ < 0)
    return;
  // The group before the zombie is reaped: after that its number could be somebody else's.
  kill(-process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  guard_.remove(process_);
}

void child_process::terminate() const { signal(SIGTERM); }

void child_process::signal(int number) const { kill(-process_, number); }

std::optional<std::string> child_process::ended() const {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
    return std::nullopt;
  if (info.si_code == CLD_EXITED)
    return fmt::format("exited with status {}", info.si_status);
  return fmt::format("ended by signal {} ({})", info.si_status, strsignal(info.si_status));
}

void child_process::read_output(const line_sink& sink) {
  for (auto& stream : output_)
    if (stream.pipe.is_open())
      read_stream(stream, sink);
}

void child_process::read_stream(output& from, const line_sink& sink) {
  std::array<char, 16384> buffer;
  const auto got = read(from.pipe.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0) {
    if (!from.unfinished.empty())
      sink(printable(std::exchange(from.unfinished, {})));
    from.pipe.close();
    return;
  }
  std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    from.unfinished.append(text.substr(0, end));
    sink(printable(std::exchange(from.unfinished, {})));
    text.remove_prefix(end + 1);
  }
  if (from.unfinished.size() < longest_line)
    from.unfinished.append(text);
}

} // namespace troupe::sim
