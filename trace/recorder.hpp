#pragma once
// Takes down what happens, a line each; docs/trace_format.md has what stands in them.

#include "protocol/types.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::trace {

/// The version of the format; counts up when a reader of the one before could get something wrong.
inline constexpr int format_version = 1;

/// What is needed to run it again.
struct header {
  std::string program; ///< its version
  std::string mode;    ///< virtual or real
  std::string scenario;
  std::uint64_t seed = 0;
  std::string command; ///< that makes this trace once more, but for the option that names the file
  std::string replica; ///< whose process this is; empty for a cluster in one process, and for a simulator
  std::uint64_t replicas = 0;
};

/// A line, with its newline.
std::string format(const header& h);

/// Where lines go.
class sink {
 public:
  virtual ~sink() = default;
  virtual void take(std::string_view line) = 0;
  /// What is buffered gets to where it belongs.
  virtual void flush() {}
};

/// Keeps the last lines in memory, up to so many bytes.
class ring : public sink {
 public:
  explicit ring(std::size_t bytes) : buffer_(bytes) {}
  void take(std::string_view line) override;
  /// The lines that are there, the oldest first.
  std::string text() const;
  /// How many lines had to go.
  std::uint64_t dropped() const { return dropped_; }

 private:
  void drop_oldest();
  void put(std::string_view bytes);

  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::uint64_t dropped_ = 0;
};

/// A file, written in large pieces.
class file : public sink {
 public:
  /// @throws std::runtime_error with one line that names the file
  explicit file(const std::string& path);
  ~file() override;
  void take(std::string_view line) override;
  void flush() override;
  /// Why something could not be written; empty if all was.
  const std::string& error() const { return error_; }

 private:
  struct closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, closer> file_;
  std::string buffer_;
  std::string error_;
};

/// What became of a message between replicas, or between them and clients.
struct passage {
  std::string_view from;
  std::string_view to;
  std::string_view fate; ///< sent, lost, cut, repeated, held, dead (nobody was there to take it), full
  std::string_view type;
  std::string_view mid; ///< empty if it has none
  std::size_t bytes = 0;
};

/// The text of a member of a message, taken from its bytes without parsing all of them: of the envelope,
/// which our codecs write first. Empty if there is none.
std::string_view glance(std::string_view message, std::string_view member);

/// Numbers records and hands them on. May be used by any thread.
class recorder {
 public:
  /// @param to  outlives the recorder
  explicit recorder(sink& to) : sink_(to) {}

  std::uint64_t next_id() { return last_id_.fetch_add(1, std::memory_order_relaxed) + 1; }
  /// A whole line, with its newline.
  void take(std::string_view line);
  void flush();
  /// Does something while nobody records.
  template <class What>
  void alone(What&& what) {
    const std::lock_guard lock(mutex_);
    what();
  }

  /// A message on the network; from here on it is what the thread is about, so that what is planned for its
  /// arrival was caused by it.
  void note(const passage& p, instant at);
  /// Anything else: a process that starts, a fault that begins, what somebody says.
  void note(std::string_view event, std::string_view who, std::string_view text, instant at);
  /// The trace is whole up to here; nothing is recorded any more.
  void end(instant at);

 private:
  std::mutex mutex_;
  sink& sink_;
  bool ended_ = false;
  std::atomic<std::uint64_t> last_id_{0};
};

} // namespace troupe::trace
