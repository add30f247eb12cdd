// troupe-replica --data as somebody who runs it sees it, and what troupe-check says of its directory.

#include "test/process/replica_process.hpp"

using namespace troupe::test;

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
