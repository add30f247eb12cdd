// The directory of the machine.

#include "disk/background_storage.hpp"
#include "disk/real_files.hpp"
#include "test/disk/disk_support.hpp"

#include <filesystem>
#include <fstream>
#include <poll.h>
#include <random>

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
  }
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

TEST_CASE("real files: a disk that is full says so") {
  // The only full disk that every machine has.
  if (!std::filesystem::exists("/dev/full"))
    return;
  const folder f;
  std::filesystem::create_directory(f.sub("data"));
  std::filesystem::create_symlink("/dev/full", f.path / "data" / "a");
  real_files files(f.sub("data"), real_files::access::own);
  CHECK_THROWS_WITH_AS(files.write("a", 0, "text"), (f.sub("data") + "/a: No space left on device").c_str(),
                       disk_error);
}
