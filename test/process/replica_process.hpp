#pragma once
// troupe-replica as a process, and the simulator's end of its three dialects.

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

/// Far more than anything takes; only reached if something is broken.
constexpr int patience_ms = 60'000;

struct folder {
  std::string path = [] {
    std::string name = (std::filesystem::temp_directory_path() / "troupe-replica-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }();
  folder() = default;
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

/// A running troupe-replica in a folder, with its output in pipes.
class process {
 public:
  /// @param stderr_to  where its standard error goes instead of a pipe that is read
  explicit process(const std::vector<std::string>& arguments, const std::string& where = "/",
                   int stderr_to = -1, const char* program = TROUPE_REPLICA) {
    std::array<int, 2> out_pipe{}, err_pipe{};
    REQUIRE(::pipe2(out_pipe.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(err_pipe.data(), O_CLOEXEC) == 0);
    std::vector<char*> argv{const_cast<char*>(program)};
    for (const auto& a : arguments)
      argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    id_ = ::fork();
    REQUIRE(id_ >= 0);
    if (id_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(out_pipe[1], STDOUT_FILENO);
      ::dup2(stderr_to < 0 ? err_pipe[1] : stderr_to, STDERR_FILENO);
      if (::chdir(where.c_str()) == 0)
        ::execv(program, argv.data());
      ::_exit(127);
    }
    ::close(out_pipe[1]);
    ::close(err_pipe[1]);
    out_ = out_pipe[0];
    err_ = err_pipe[0];
  }
  ~process() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      ::waitpid(id_, nullptr, 0);
    }
    close(out_);
    close(err_);
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// Waits for its end: the exit status, or 1000 + signal. Its output is read to the end.
  int wait() {
    out = read_all(out_);
    err = read_all(err_);
    int status = 0;
    REQUIRE(::waitpid(id_, &status, 0) == id_);
    id_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  /// Waits until it has said something: from then on it minds signals.
  void await_words() const {
    pollfd p{err_, POLLIN, 0};
    REQUIRE(::poll(&p, 1, patience_ms) == 1);
  }
  void signal(int number) const { REQUIRE(::kill(id_, number) == 0); }
  /// Nobody reads its standard error any more.
  void close_err() { close(err_); }

  std::string out, err;

 private:
  static void close(int& descriptor) {
    if (descriptor >= 0)
      ::close(std::exchange(descriptor, -1));
  }
  static std::string read_all(int descriptor) {
    std::string text;
    std::array<char, 4096> buffer{};
    ssize_t n = 0;
    while (descriptor >= 0 && (n = ::read(descriptor, buffer.data(), buffer.size())) > 0)
      text.append(buffer.data(), static_cast<std::size_t>(n));
    return text;
  }

  pid_t id_ = -1;
  int out_ = -1, err_ = -1;
};

inline void await(int descriptor) {
  pollfd p{descriptor, POLLIN, 0};
  REQUIRE(::poll(&p, 1, patience_ms) == 1);
}

/// The simulator's end of a dialect.
class simulator {
 public:
  virtual ~simulator() {
    for (const int d : {connection_, listener_})
      if (d >= 0)
        ::close(d);
  }
  std::vector<std::string> arguments;
  std::string where = "/";

  std::string receive() {
    accept();
    await(connection_);
    std::string bytes(1 << 17, '\0');
    length_ = sizeof from_;
    const auto n =
        ::recvfrom(connection_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from_), &length_);
    REQUIRE(n >= 0);
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
  }
  void send(const std::string& bytes) {
    REQUIRE(::sendto(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL,
                     datagrams_ ? reinterpret_cast<sockaddr*>(&from_) : nullptr,
                     datagrams_ ? length_ : 0) == static_cast<ssize_t>(bytes.size()));
  }
  void hang_up() {
    accept();
    ::close(std::exchange(connection_, -1));
  }

 protected:
  void accept() {
    if (connection_ >= 0)
      return;
    await(listener_);
    connection_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    REQUIRE(connection_ >= 0);
  }

  int listener_ = -1, connection_ = -1;
  bool datagrams_ = false;
  sockaddr_in from_{};
  socklen_t length_ = 0;
};

struct udp_simulator : simulator {
  udp_simulator() {
    datagrams_ = true;
    connection_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(connection_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::getsockname(connection_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    arguments = {std::to_string(ntohs(address.sin_port)), "0000", "0001", "0002"};
  }
};

struct unix_simulator : simulator {
  explicit unix_simulator(int type) {
    where = files.path;
    const auto path = files.path + "/0000";
    listener_ = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    arguments = {"0000", "0001", "0002"};
  }
  folder files;
};

inline bool is_hello(const std::string& text) {
  return text.starts_with(R"({"src":"0000","dst":"FFFF","leader":"FFFF","type":"hello"})");
}

} // namespace troupe::test
