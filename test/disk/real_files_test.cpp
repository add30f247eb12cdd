// The directory of the machine.

#include "disk/background_storage.hpp"
#include "disk/real_files.hpp"
#include "test/disk/disk_support.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <random>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

using namespace troupe;
using namespace troupe::test;
using disk::disk_error;
using disk::real_files;

namespace {

struct folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("troupe-disk-" + std::to_string(std::random_device{}()));
  folder() { std::filesystem::create_directory(path); }
  ~folder() { std::filesystem::remove_all(path); }
  std::string sub(const std::string& name) const { return (path / name).string(); }
};

std::string refusal(const std::string& directory) {
  try {
    real_files files(directory, real_files::access::own);
    return "";
  } catch (const disk_error& error) {
    return error.what();
  }
}

} // namespace

TEST_CASE("real files: what is written is read again") {
  const folder f;
  {
    real_files files(f.sub("data"), real_files::access::own);
    files.create("a.new", 4096);
    files.write("a.new", 3, "text");
    files.sync("a.new");
    files.rename("a.new", "a");
    files.truncate("a", 7);
    files.create("b", 0);
    files.remove("b");
    files.sync_directory();
  }
  real_files files(f.sub("data"), real_files::access::look);
  CHECK(files.list() == std::vector<std::string>{"a"});
  CHECK(files.read("a") == std::string("\0\0\0text", 7));
  CHECK_THROWS_WITH_AS(files.read("b"), (f.sub("data") + "/b: No such file or directory").c_str(),
                       disk_error);
}

TEST_CASE("real files: a directory is for one process at a time, and has to be one") {
  const folder f;
  {
    real_files first(f.sub("data"), real_files::access::own);
    CHECK(refusal(f.sub("data")) == f.sub("data") + ": another process uses this directory");
    real_files looks_on(f.sub("data"), real_files::access::look);
    CHECK(looks_on.is_owned_by_another());
  }
  CHECK_FALSE(real_files(f.sub("data"), real_files::access::look).is_owned_by_another());
  CHECK(refusal(f.sub("data")).empty());
  std::ofstream(f.sub("file")) << "no directory";
  CHECK(refusal(f.sub("file")) == f.sub("file") + ": Not a directory");
  CHECK(refusal(f.sub("none/data")) == f.sub("none/data") + ": No such file or directory");
}

TEST_CASE("background storage: is done in the thread of whoever asks, and what waits goes together") {
  const folder f;
  {
    real_files files(f.sub("data"), real_files::access::own);
    disk::disk_log log(files, somebody);
    disk::background_storage storage(log);
    std::vector<std::string> ends;
    const auto take_end = [&](const actors::sync_end& end) { ends.push_back(end.error); };
    storage.apply({raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {make_entry(1, 1)}});
    CHECK_FALSE(storage.sync(take_end));
    storage.apply({{}, nullptr, std::nullopt, {make_entry(2, 1)}});
    storage.apply({{}, nullptr, std::nullopt, {make_entry(3, 1)}});
    pollfd done{storage.descriptor(), POLLIN, 0};
    REQUIRE(::poll(&done, 1, 10'000) == 1);
    CHECK(ends.empty());
    storage.deliver();
    CHECK(ends == std::vector<std::string>{""});
    const auto before = log.syncs();
    CHECK_FALSE(storage.sync(take_end));
    REQUIRE(::poll(&done, 1, 10'000) == 1);
    storage.deliver();
    CHECK(ends.size() == 2);
    CHECK(log.syncs() == before + 1);
  }
  real_files files(f.sub("data"), real_files::access::own);
  disk::disk_log again(files, somebody);
  CHECK(again.take_found().entries.size() == 3);
}

TEST_CASE("real files: a write that fails says so") {
  const folder f;
  real_files files(f.sub("data"), real_files::access::own);
  files.create("a", 0);
  // Something every machine has: files cannot grow without end.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string said;
  try {
    files.write("a", 0, "text and more");
  } catch (const disk_error& error) {
    said = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(said == f.sub("data") + "/a: File too large");
}

TEST_CASE("real files: what somebody removed meanwhile is not durable") {
  const folder f;
  real_files files(f.sub("data"), real_files::access::own);
  files.create("a", 0);
  files.write("a", 0, "text");
  files.sync("a");
  std::filesystem::remove_all(f.sub("data"));
  files.write("a", 4, "more");
  std::string said;
  try {
    files.sync("a");
  } catch (const disk_error& error) {
    said = error.what();
  }
  CHECK(said == f.sub("data") + "/a: was removed while it was in use");
}

TEST_CASE("real files: whose lock was removed stops, since another process may have begun") {
  const folder f;
  real_files files(f.sub("data"), real_files::access::own);
  files.create("a", 0);
  files.sync("a");
  std::filesystem::remove(f.sub("data/lock"));
  CHECK_THROWS_WITH_AS(files.sync("a"), (f.sub("data") + "/lock: was removed while it was in use").c_str(),
                       disk_error);
}

TEST_CASE("real files: however many are written, few stay open") {
  const folder f;
  const auto open_now = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  real_files files(f.sub("data"), real_files::access::own);
  const auto before = open_now();
  for (int i = 0; i < 100; ++i) {
    files.create(std::to_string(i), 0);
    files.write(std::to_string(i), 0, "text");
    files.sync(std::to_string(i));
    files.write(std::to_string(i / 2), 4, "more");
  }
  CHECK(open_now() <= before + 10);
  CHECK(files.read("0") == "textmore");
  CHECK(files.read("98") == "text");
}

TEST_CASE("background storage: what fails while it is stopped is told to whoever stops it") {
  const folder f;
  real_files files(f.sub("data"), real_files::access::own);
  disk::disk_log log(files, somebody);
  disk::background_storage storage(log);
  std::filesystem::remove(f.sub("data/lock"));
  storage.apply({raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {make_entry(1, 1)}});
  CHECK_FALSE(storage.sync([](const actors::sync_end&) { FAIL("nobody is told any more"); }));
  CHECK(storage.stop() == f.sub("data") + "/lock: was removed while it was in use");
  CHECK(storage.stop().empty());
}

TEST_CASE("background storage: a snapshot that can wait is written when nothing else is to be done") {
  const folder f;
  real_files files(f.sub("data"), real_files::access::own);
  disk::disk_log log(files, somebody, small_segments);
  disk::background_storage storage(log);
  std::vector<std::string> ends;
  pollfd done{storage.descriptor(), POLLIN, 0};
  const auto wait_for_end = [&] {
    REQUIRE(::poll(&done, 1, 10'000) == 1);
    storage.deliver();
  };
  const auto name = f.sub("data/") + disk::snapshot_name({{1}, {1}});
  SUBCASE("nobody is told") {
    storage.apply({raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {make_entry(1, 1)}});
    storage.apply({{}, make_snapshot(1, 1), std::nullopt, {}});
    CHECK_FALSE(storage.sync([&](const actors::sync_end& end) { ends.push_back(end.error); }));
    wait_for_end();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!std::filesystem::exists(name) && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    CHECK(std::filesystem::exists(name));
    CHECK(::poll(&done, 1, 0) == 0);
    CHECK(storage.stop().empty());
    CHECK(ends == std::vector<std::string>{""});
  }
  SUBCASE("unless it fails") {
    std::filesystem::create_directory(name + ".new");
    storage.apply({raft::hard_state{{1}, {0}}, nullptr, std::nullopt, {make_entry(1, 1)}});
    storage.apply({{}, make_snapshot(1, 1), std::nullopt, {}});
    CHECK_FALSE(storage.sync([&](const actors::sync_end& end) { ends.push_back(end.error); }));
    while (ends.empty() || ends.back().empty())
      wait_for_end();
    CHECK(ends.back() == name + ".new: Is a directory");
    CHECK(storage.stop().empty());
  }
}

TEST_CASE("real files: what is no file is refused, and nobody waits for it") {
  const folder f;
  real_files files(f.sub("data"), real_files::access::own);
  REQUIRE(::mkfifo((f.sub("data") + "/pipe").c_str(), 0666) == 0);
  std::filesystem::create_directory(f.sub("data") + "/folder");
  CHECK_THROWS_WITH_AS(files.read("pipe"), (f.sub("data") + "/pipe: is no file").c_str(), disk_error);
  CHECK_THROWS_WITH_AS(files.read("folder"), (f.sub("data") + "/folder: is no file").c_str(), disk_error);
  CHECK_THROWS_AS(files.write("pipe", 0, "text"), disk_error);
  CHECK_THROWS_AS(files.create("pipe", 0), disk_error);
}
