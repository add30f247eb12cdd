#pragma once
// Runs troupe-sim as a user does, against replicas with a fault of our choice.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <rapidjson/document.h>
#include <set>
#include <sstream>
#include <string>
#include <sys/types.h>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::test {

namespace fs = std::filesystem;

/// Far more than anything takes; only reached if something is broken.
inline constexpr std::chrono::seconds patience(30);

/// Waits until it is so. False if that never happens.
template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition())
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

/// A folder that is gone afterwards.
class scratch_folder {
 public:
  scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder();

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  /// Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& text) const;
  /// The little replica under a name that gives it this fault.
  std::string replica(const std::string& fault) const;

 private:
  fs::path path_;
};

/// Where a program's standard streams are; names are those of files in its folder, or whole paths.
struct streams {
  std::string in = "/dev/null";
  std::string out = "out";
};

/// How a call of a program ended.
struct called {
  int status = 0; ///< the exit status, or 1000 + signal
  std::string out;
  std::string err;
};

std::string contents(const std::string& path);

/// Starts a program in the folder; its standard error is in `err` there.
pid_t begin(const scratch_folder& folder, const std::vector<std::string>& words, const streams& s = {});
/// And waits for its end.
called call(const scratch_folder& folder, const std::vector<std::string>& words, const streams& s = {});

/// A running troupe-sim.
class simulator {
 public:
  simulator(const scratch_folder& folder, const std::vector<std::string>& arguments);
  simulator(const simulator&) = delete;
  simulator& operator=(const simulator&) = delete;
  ~simulator();

  /// Waits until so many replicas have printed that they started; returns their process groups.
  std::vector<pid_t> await_replicas(std::size_t count) const;
  void signal(int number) const;
  /// Waits for its end. The exit status, or 1000 + signal.
  int wait();
  std::string out() const { return read(out_); }
  std::string err() const { return read(err_); }

 private:
  static std::string read(const std::string& path);
  std::string out_;
  std::string err_;
  pid_t process_ = -1;
};

/// What a finished call left behind.
struct outcome {
  int status = 0;
  std::string out;
  std::string err;
  rapidjson::Document report;

  const rapidjson::Value& run(rapidjson::SizeType number = 0) const { return report["runs"][number]; }
  /// The kinds of complaints in the first run, each with its replica: "0003 garbage".
  std::set<std::string> complaints() const;
  /// Whether a failed check of the first run contains this.
  bool failed(const std::string& part) const;
};

outcome simulate(const scratch_folder& folder, std::vector<std::string> arguments);

/// Waits, for seconds if need be, until nobody of these process groups is left. False if somebody stays.
bool all_gone(const std::vector<pid_t>& groups);

} // namespace troupe::test
