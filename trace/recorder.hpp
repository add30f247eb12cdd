#pragma once
// Takes down what happens: copies it while the program runs, and makes lines of it later, or never;
// docs/trace_format.md has what stands in them.

#include "protocol/types.hpp"
#include "trace/content.hpp"
#include "trace/context.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
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
  instant began = {}; ///< when the run did: what people read counts from here
  /// Of a replica's process: who is in its cluster, itself among them.
  std::vector<replica_id> members = {};
};

/// A line, with its newline.
std::string format(const header& h);

enum class record_kind : std::uint32_t {
  line,   ///< with its newline: the rest of the record
  message ///< a message_head and what belongs to it
};

/// What every record begins with, as it is kept until somebody wants to read it.
struct record_head {
  record_kind kind = record_kind::line;
  std::uint32_t bytes = 0; ///< of all of it, with this
};

/// The lines of records, one after the other.
std::string print(std::string_view records);
/// The same, appended.
void print(std::string_view records, packer& lines);

/// A message that an actor has handled. A record of one has this, then what `print_content` prints and what
/// `print_changes` does. Both print members; neither may be null.
struct message_head {
  using part = void (*)(unpacker& in, json_writer& json);

  std::uint64_t id = 0;
  std::uint64_t cause = 0; ///< 0: none that is known
  std::uint64_t lamport = 0;
  instant sent;
  instant begin;
  instant end;
  const char* from = nullptr; ///< names of rooms, which last
  const char* to = nullptr;
  part print_content = nullptr;
  part print_changes = nullptr;
  std::uint32_t depth = 0;
  replica_id replica;
};

/// Writes into a record what stands at its beginning. Precondition: room was left for a record_head and this.
void seal(packer& record, const message_head& head);

/// The message that this thread handles, as far as its record has come: all but its end and what it changed.
struct unfinished_message {
  packer* record = nullptr;
  const message_head* head = nullptr;
};
inline constinit thread_local unfinished_message unfinished{};

/// Where records go: one, or several one after the other.
class sink {
 public:
  virtual ~sink() = default;
  virtual void take(std::string_view records) = 0;
  /// What is buffered gets to where it belongs.
  virtual void flush() {}
};

/// Keeps the last records in memory, up to so many bytes.
class ring : public sink {
 public:
  explicit ring(std::size_t bytes) : buffer_(bytes) {}
  void take(std::string_view records) override;
  /// The records that are there, the oldest first.
  std::string records() const;
  /// How many had to go.
  std::uint64_t dropped() const { return dropped_; }

 private:
  void drop_oldest();
  /// Once around at most; a division would cost more than all the rest of dropping a record.
  std::size_t wrapped(std::size_t at) const { return at < buffer_.size() ? at : at - buffer_.size(); }
  void copy_out(std::size_t at, void* to, std::size_t bytes) const;

  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::uint64_t dropped_ = 0;
};

/// A file of lines. They are printed and written by a thread of its own, some milliseconds later, so that who
/// records waits for nothing but a copy; or for room, when more is waiting than memory should be spent on.
class file : public sink {
 public:
  enum class place { any, fresh };
  /// @param where  fresh: nothing may be there yet, for a name that others could guess
  /// @throws std::runtime_error with one line that names the file
  file(const std::string& path, const header& h, place where = place::any);
  ~file() override;
  void take(std::string_view records) override;
  /// Comes back when everything is written.
  void flush() override;
  /// Why something could not be written; empty if all was. For after a flush.
  std::string error() const;

 private:
  struct closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  void write_on();
  std::string write_out(std::string_view text) const;

  std::string path_;
  std::unique_ptr<std::FILE, closer> file_;

  mutable std::mutex mutex_;
  std::condition_variable something_to_do_;
  std::condition_variable progress_;
  std::string waiting_;
  std::string error_;
  bool is_writing_ = false;
  bool has_to_hurry_ = false;
  bool ends_ = false;
  std::thread writer_;
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

/// Numbers records and hands them on. May be used by any thread; what an `unbroken` one records is handed on
/// at the end of that, or when it is much.
class recorder {
 public:
  /// @param to  outlives the recorder
  explicit recorder(sink& to) : sink_(to) {}

  std::uint64_t next_id() { return last_id_.fetch_add(1, std::memory_order_relaxed) + 1; }
  /// A whole record.
  void take(std::string_view record);
  /// What this thread has recorded, and what others have handed on, gets to where it belongs.
  void flush();
  /// Does something while nobody hands anything on.
  template <class What>
  void alone(What&& what) {
    hand_on();
    const std::lock_guard lock(mutex_);
    what();
  }
  /// What this thread has recorded.
  void hand_on();

  /// A message on the network; from here on it is what the thread is about, so that what is planned for its
  /// arrival was caused by it.
  void note(const passage& p, instant at);
  /// Anything else: a process that starts, a fault that begins, what somebody says.
  void note(std::string_view event, std::string_view who, std::string_view text, instant at) {
    note(event, who, text, at, {});
  }
  /// A rule was found broken, by what the thread is about if it is about anything.
  void note_violation(std::string_view who, std::string_view text, instant at) {
    note("violation", who, text, at, current);
  }
  /// The message that this thread handles and, since the process ends here, will not be done with. Otherwise
  /// what broke a rule would be missing.
  void take_unfinished();
  /// The trace is whole up to here; nothing is recorded any more.
  void end(instant at);

 private:
  void pass(std::string_view records);
  void note(std::string_view event, std::string_view who, std::string_view text, instant at,
            const context& why);

  std::mutex mutex_;
  sink& sink_;
  bool ended_ = false;
  std::atomic<std::uint64_t> last_id_{0};
};

} // namespace troupe::trace
