// `troupe-sim script`, as it is called on a command line.

#include "test/process/sim_support.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace troupe::test;

namespace {

struct call {
  int status = 0;
  std::string out;
  std::string err;
};

call script(const scratch_folder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "script");
  simulator sim(folder, arguments);
  const auto status = sim.wait();
  return {status, sim.out(), sim.err()};
}

/// Refused in one line, with status 2.
void refused(const scratch_folder& folder, const std::vector<std::string>& arguments,
             const std::string& because) {
  CAPTURE(because);
  const auto c = script(folder, arguments);
  CHECK(c.status == 2);
  CHECK(c.out.empty());
  CHECK(c.err.find(because) != c.err.npos);
  CHECK(std::count(c.err.begin(), c.err.end(), '\n') == 1);
}

const std::string good = "# All is well\nstart 3 replicas\nelect 1\ndeliver all\nexpect commit 1: 1\n";
const std::string bad = "# All is not well\nstart 3 replicas\nelect 1\nexpect commit 1: 1\n";

} // namespace

TEST_CASE("troupe-sim script: one line for a script whose expectations are met") {
  const scratch_folder folder;
  const auto c = script(folder, {folder.write("good.txt", good), folder.write("too.txt", good)});
  CHECK(c.status == 0);
  CHECK(c.out == "ok      good: All is well\nok      too: All is well\n");
  CHECK(c.err.empty());
}

TEST_CASE("troupe-sim script: the others are played, too, when one fails") {
  const scratch_folder folder;
  const auto path = folder.write("bad.txt", bad);
  const auto c = script(folder, {path, folder.write("good.txt", good)});
  CHECK(c.status == 1);
  CHECK(c.out.find("FAILED  bad: All is not well\n" + path +
                   ":4: expect commit 1: 1\n  expected: commit of 1: 1\n  actual:   commit of 1: 0\n") == 0);
  CHECK(c.out.find("ok      good: All is well\n") != c.out.npos);
}

TEST_CASE("troupe-sim script: tells what happens when asked to") {
  const scratch_folder folder;
  const auto c = script(folder, {"--verbose", folder.write("good.txt", good)});
  CHECK(c.status == 0);
  CHECK(c.out.find("3: elect 1\n") != c.out.npos);
  CHECK(c.out.find("1 -> 2  append_request term 1 sequence 1 ") != c.out.npos);
  CHECK(c.out.find("1: term 1: leader\n") != c.out.npos);
  CHECK(c.out.find("3: term 1: follower of 1\n") != c.out.npos); // in the numbers of the script
  CHECK(c.out.find("good.txt:\n") == c.out.npos);
}

TEST_CASE("troupe-sim script: names the script before it is told, where there are several; one may come in") {
  const scratch_folder folder;
  const auto first = folder.write("good.txt", good);
  const auto second = folder.write("too.txt", good);
  const auto c = script(folder, {"--verbose", first, second});
  CHECK(c.status == 0);
  CHECK(c.out.starts_with(first + ":\n3: elect 1\n"));
  CHECK(c.out.find("\n" + second + ":\n3: elect 1\n") != c.out.npos);
  const auto in = troupe::test::call(folder, {TROUPE_SIM, "script", "-"}, {.in = "good.txt"});
  CHECK(in.status == 0);
  CHECK(in.out == "ok      -: All is well\n");
}

TEST_CASE("troupe-sim script: bad input is refused in one line, before anything is played") {
  const scratch_folder folder;
  const auto fine = folder.write("good.txt", good);
  const auto typo = folder.write("typo.txt", "start 3 replicas\nelekt 1\n");
  refused(folder, {fine, typo}, typo + ":2: unknown statement \"elekt\"");
  const auto empty = folder.write("empty.txt", "");
  refused(folder, {empty}, empty + ":1: no script");
  const auto binary = folder.write("binary.txt", std::string("\x7f"
                                                             "ELF\x02\0\0",
                                                             7));
  refused(folder, {binary}, binary + ":1: no text: byte 0x7f in column 1");
  refused(folder, {folder.path("nothing.txt")}, "nothing.txt: No such file or directory");
  refused(folder, {folder.path("")}, "is a directory, no script");
  refused(folder, {}, "file");
  refused(folder, {"--loud", fine}, "--loud");
  const auto large = folder.write("large.txt", std::string((1 << 20) + 1, '\n'));
  refused(folder, {large}, "longer than 1048576 bytes");
}
