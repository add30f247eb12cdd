// troupe-replica as a simulator starts it: its command line, its three dialects, its end.

#include "test/process/replica_process.hpp"

using namespace troupe::test;

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
      {"12345", "0000", "0001", "--trace", "-"},         // neither
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
