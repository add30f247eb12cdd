// troupe-replica as a simulator starts it: its command line, its three dialects, its end.

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

namespace {

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

void await(int descriptor) {
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

bool is_hello(const std::string& text) {
  return text.starts_with(R"({"src":"0000","dst":"FFFF","leader":"FFFF","type":"hello"})");
}

} // namespace

// ---- the command line

TEST_CASE("troupe-replica: helps, and tells its version, on standard output") {
  process help({"--help"});
  CHECK(help.wait() == 0);
  CHECK(help.out.find("<port> <id> <peer>") != std::string::npos);
  CHECK(help.err.empty());
  process version({"--version"});
  CHECK(version.wait() == 0);
  CHECK(version.out.starts_with("troupe-replica "));
  CHECK(version.err.empty());
}

TEST_CASE("troupe-replica: refuses wrong arguments with one line and status 2") {
  const folder empty;
  const std::vector<std::vector<std::string>> table{
      {},
      {"0000"},                                          // no such socket
      {"0000", "0001", "0002", "--transport", "stream"}, // no such socket
      {"0000", "0001", "--transport", "seqpacket"},      // no such socket
      {"0000", "0001"},                                  // 0 is no port
      {"0001", "0002"},                                  // nobody writes ports so
      {"12345", "0000", "0001", "--trace", ""},          // no file
      {"00A1", "0001"},                                  // neither a socket nor a port
      {"12345"},                                         // whose id?
      {"--transport", "datagram", "12345"},              // whose id?
      {"70000", "0000", "0001"},                         // no port
      {"12345x", "0000", "0001"},                        // no port
      {"-1", "0000", "0001"},                            // no option
      {"12345", "000", "0001"},                          // no id
      {"12345", "FFFF", "0001"},                         // nobody's id
      {"12345", "0000", "0001", "0001"},                 // a peer twice
      {"12345", "00a1", "00A1"},                         // itself as a peer
      {"12345", "0000", "0001", "--transport", "pigeon"},
      {"12345", "0000", "0001", "--transport"},
      {"12345", "0000", "0001", "--unknown"},
      {"12345", "0000", "0001", "--heartbeat", "-1"},
      {"12345", "0000", "0001", "--heartbeat", "many"},
      {"12345", "0000", "0001", "--heartbeat", "5000"}, // above the election timeout
      {"12345", "0000", "0001", "--lease", "5000"},     // above the election timeout
      {"12345", "0000", "0001", "--election-timeout-max", "1"},
      {"12345", "0000", "0001", "--window", "0"},
      {"12345", "0000", "0001", "--threads", "1000"},
      {"12345", "0000", "0001", "--log-level", "loud"},
      {"", "0000"},
      {"new\nline", "0000"},
  };
  for (const auto& arguments : table) {
    std::string shown;
    for (const auto& a : arguments)
      shown += " '" + a + "'";
    CAPTURE(shown);
    process p(arguments, empty.path);
    CHECK(p.wait() == 2);
    CHECK(p.out.empty());
    CAPTURE(p.err);
    CHECK(p.err.starts_with("troupe-replica: "));
    CHECK(std::count(p.err.begin(), p.err.end(), '\n') == 1);
    CHECK(p.err.ends_with("\n"));
  }
}

TEST_CASE("troupe-replica: four digits are a port where an id follows and no socket has that name") {
  // 1024 is nobody's socket here, and 0000 is an id: it talks datagrams, and goes on until it is ended.
  const folder empty;
  process p({"1024", "0000", "0001", "--log-level", "info"}, empty.path);
  p.await_words();
  p.signal(SIGTERM);
  CHECK(p.wait() == 0);
  CHECK(p.err.find("by datagram") != std::string::npos);
}

TEST_CASE("troupe-replica: four digits are an id where a socket has that name") {
  unix_simulator s(SOCK_SEQPACKET);
  process p(s.arguments, s.where);
  CHECK(is_hello(s.receive()));
}

// ---- dialects and the end

TEST_CASE("troupe-replica: says hello at once in every dialect, answers, and ends when it is told to") {
  for (const int dialect : {0, 1, 2})
    for (const int signal : {SIGTERM, SIGINT})
      for (const std::string threads : {"0", "2"}) {
        CAPTURE(dialect);
        CAPTURE(signal);
        CAPTURE(threads);
        std::unique_ptr<simulator> s;
        if (dialect == 0)
          s = std::make_unique<udp_simulator>();
        else
          s = std::make_unique<unix_simulator>(dialect == 1 ? SOCK_STREAM : SOCK_SEQPACKET);
        s->arguments.insert(s->arguments.end(), {"--threads", threads});
        process p(s->arguments, s->where);
        CHECK(is_hello(s->receive()));
        s->send("{\"src\":\"00F1\",\"dst\":\"0000\",\"leader\":\"FFFF\",\"type\":\"put\",\"MID\":\"m\"}\n");
        CHECK(s->receive().find("\"type\":\"fail\",\"MID\":\"m\"") != std::string::npos);
        p.signal(signal);
        CHECK(p.wait() == 0);
      }
}

TEST_CASE("troupe-replica: ends when the simulator closes the connection") {
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    unix_simulator s(type);
    process p(s.arguments, s.where);
    s.receive();
    s.hang_up();
    CHECK(p.wait() == 0);
    CHECK(p.err.find("the simulator has closed the connection") != std::string::npos);
  }
}

TEST_CASE("troupe-replica: goes on when nobody reads its standard error any more") {
  udp_simulator s;
  process p(s.arguments, s.where);
  s.receive();
  p.close_err();
  s.send("{");  // worth a line
  s.send("[]"); // another
  s.send("{\"src\":\"00F1\",\"dst\":\"0000\",\"leader\":\"FFFF\",\"type\":\"put\",\"MID\":\"m\"}");
  CHECK(s.receive().find("\"type\":\"fail\"") != std::string::npos);
  p.signal(SIGTERM);
  CHECK(p.wait() == 0);
}

TEST_CASE("troupe-replica: does not wait for a standard error that is full") {
  udp_simulator s;
  // The pipe is filled before the replica starts, and nobody reads it.
  std::array<int, 2> full{};
  REQUIRE(::pipe2(full.data(), O_CLOEXEC) == 0);
  REQUIRE(::fcntl(full[1], F_SETFL, O_NONBLOCK) == 0);
  const std::string block(4096, 'x');
  while (::write(full[1], block.data(), block.size()) > 0) {
  }
  REQUIRE(::fcntl(full[1], F_SETFL, 0) == 0); // as a replica gets it: a write would wait
  process p(s.arguments, s.where, full[1]);
  CHECK(is_hello(s.receive()));
  s.send("{");
  s.send("{\"src\":\"00F1\",\"dst\":\"0000\",\"leader\":\"FFFF\",\"type\":\"put\",\"MID\":\"m\"}");
  CHECK(s.receive().find("\"type\":\"fail\"") != std::string::npos);
  p.signal(SIGTERM);
  CHECK(p.wait() == 0);
  ::close(full[0]);
  ::close(full[1]);
}

TEST_CASE("troupe-replica: goes on where it was when it is stopped and continued") {
  udp_simulator s;
  process p(s.arguments, s.where);
  CHECK(is_hello(s.receive()));
  for (int i = 0; i < 3; ++i) {
    p.signal(SIGSTOP);
    s.send("{\"src\":\"00F1\",\"dst\":\"0000\",\"leader\":\"FFFF\",\"type\":\"put\",\"MID\":\"m\"}");
    p.signal(SIGCONT);
    CHECK(s.receive().find("\"type\":\"fail\"") != std::string::npos);
  }
  p.signal(SIGTERM);
  CHECK(p.wait() == 0);
}

// ---- what survives its end

namespace {

/// The only replica of its cluster, with a directory.
struct alone : udp_simulator {
  folder home;
  std::string data = home.path + "/data";
  alone() {
    arguments.resize(2);
    arguments.insert(arguments.end(), {"--data", data});
  }
  /// Repeats it until it is answered: at first nobody leads.
  std::string ask(const std::string& mid, const std::string& what) {
    // Once: who asks twice is answered twice, and the second answer would be taken for the next life's first
    // word.
    send(R"({"src":"00F1","dst":"0000","leader":"FFFF","MID":")" + mid + "\"," + what + "}");
    for (;;) {
      const auto answer = receive();
      if (answer.find("\"MID\":\"" + mid) != std::string::npos)
        return answer;
    }
  }
};

int check_log(const std::string& data, std::string& out) {
  process p({"log", data}, "/", -1, TROUPE_CHECK);
  const auto status = p.wait();
  out = p.out + p.err;
  return status;
}

} // namespace

TEST_CASE("troupe-replica: with --data what was acknowledged survives SIGKILL, again and again") {
  alone s;
  for (int life = 0; life < 5; ++life) {
    process p(s.arguments);
    CHECK(is_hello(s.receive()));
    if (life > 0)
      CHECK(s.ask(fmt::format("g{}", life), R"("type":"get","key":"k")")
                .find(fmt::format("\"value\":\"{}\"", life - 1)) != std::string::npos);
    CHECK(s.ask(fmt::format("p{}", life), fmt::format(R"("type":"put","key":"k","value":"{}")", life))
              .find("\"ok\"") != std::string::npos);
    p.signal(SIGKILL);
    CHECK(p.wait() == 1000 + SIGKILL);
  }
  std::string told;
  CHECK(check_log(s.data, told) == 0);
  CHECK(told.starts_with(
      "the log of replica 0000 of 0000\nterm 5, vote for 0000\nentries 1 to 10, of terms 1 to 5\n"));
}

TEST_CASE(
    "troupe-check log: a directory whose making was interrupted is called unused, as the replica takes it") {
  alone s;
  {
    process p(s.arguments);
    CHECK(is_hello(s.receive()));
    p.signal(SIGKILL); // before anybody could be elected
    p.wait();
  }
  std::string told;
  CHECK(check_log(s.data, told) == 0);
  std::filesystem::remove(s.data + "/identity");
  CHECK(check_log(s.data, told) == 3);
  CHECK(told == fmt::format("troupe-check: {}: is no directory of a log: it has no file identity\n", s.data));
  process p(s.arguments);
  CHECK(is_hello(s.receive()));
  CHECK(s.ask("1", R"("type":"put","key":"k","value":"v")").find("\"ok\"") != std::string::npos);
  p.signal(SIGKILL);
  p.wait();
  std::filesystem::remove(s.data + "/identity");
  CHECK(check_log(s.data, told) == 1);
  CHECK(told.find("identity: is missing, beside a log") != std::string::npos);
}

TEST_CASE("troupe-replica: a directory that is somebody else's, in use or damaged is refused in one line") {
  alone s;
  const auto refused = [&](std::vector<std::string> arguments, const std::string& with) {
    process p(arguments);
    CHECK(p.wait() == 2);
    CHECK(std::count(p.err.begin(), p.err.end(), '\n') == 1);
    CHECK_MESSAGE(p.err.find(with) != std::string::npos, p.err);
  };
  {
    process p(s.arguments);
    CHECK(is_hello(s.receive()));
    CHECK(s.ask("1", R"("type":"put","key":"k","value":"v")").find("\"ok\"") != std::string::npos);
    CHECK(s.ask("2", R"("type":"put","key":"k","value":"w")").find("\"ok\"") != std::string::npos);
    refused(s.arguments, "another process uses this directory");
    p.signal(SIGTERM);
    CHECK(p.wait() == 0);
  }
  auto other = s.arguments;
  other[1] = "0001";
  refused(other, "the log is that of replica 0000, not of 0001");
  other[1] = "0000";
  other.insert(other.begin() + 2, "0001");
  refused(other, "the log is that of a replica of 0000, not of 0000 0001");
  refused({s.arguments[0], "0000", "--data", "/no/such/place"}, "/no/such/place: No such file or directory");
  // A byte of the first batch, behind header, batch, base and hard state.
  const auto segment = s.data + "/log-0000000000000001";
  std::fstream(segment, std::ios::in | std::ios::out | std::ios::binary).seekp(172).put('?');
  refused(s.arguments, segment + ": at byte ");
  std::string told;
  CHECK(check_log(s.data, told) == 1);
  CHECK(told.find("damaged, in the middle of what was durable") != std::string::npos);
  CHECK(check_log(s.home.path, told) == 3);
  CHECK(told.find("is no directory of a log") != std::string::npos);
  // Of what says whose it is.
  std::fstream(s.data + "/identity", std::ios::in | std::ios::out | std::ios::binary).seekp(21).put('7');
  CHECK(check_log(s.data, told) == 1);
  CHECK(told.starts_with(s.data + "/identity: is damaged"));
  refused(s.arguments, "/identity: is damaged");
  std::filesystem::remove(s.data + "/identity");
  CHECK(check_log(s.data, told) == 1);
  CHECK(told.starts_with(segment + ": at byte ")); // as the replica says
  refused(s.arguments, segment + ": at byte ");
  REQUIRE(::mkfifo((s.data + "/identity").c_str(), 0666) == 0);
  CHECK(check_log(s.data, told) == 3);
  refused(s.arguments, "/identity: is no file");
}

TEST_CASE("troupe-check: the log of a replica that runs is told, not called damaged") {
  alone s;
  s.arguments.insert(s.arguments.end(), {"--snapshot-after", "3000"});
  process p(s.arguments);
  CHECK(is_hello(s.receive()));
  for (int i = 0; i < 200; ++i) {
    const auto put = fmt::format(R"("type":"put","key":"k{}","value":"{}")", i % 7, std::string(100, 'v'));
    CHECK(s.ask(fmt::format("p{}", i), put).find("\"ok\"") != std::string::npos);
    if (i % 20 == 0) {
      std::string told;
      CHECK(check_log(s.data, told) == 0);
      CHECK_MESSAGE(told.starts_with("the log of replica 0000 of 0000, which runs: "), told);
    }
  }
}
