#pragma once
// Traces from files; docs/trace_format.md describes them. Several files of one run become one story.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::trace {

struct member;

/// A piece of JSON.
struct value {
  std::string text; ///< of a string, a number, true, false or null
  bool is_text = false;
  std::vector<member> members; ///< of an object
  std::vector<value> items;    ///< of a list

  /// Nothing there: an empty value.
  const value& operator[](std::string_view name) const;
  bool has(std::string_view name) const;
  std::uint64_t number() const; ///< 0 if it is none
  /// As JSON again, without quotes around names where a person reads it.
  std::string print() const;
};

/// `"name": what`
struct member {
  std::string name;
  value what;
};

enum class event_kind { message, network, note };

/// What happened: one line of a trace.
struct record {
  event_kind kind = event_kind::note;
  std::string event; ///< message, network; start, crash, pause, resume, fault, violation, end
  std::uint64_t id = 0;
  std::uint64_t cause = 0; ///< 0: none that is known
  std::uint64_t lamport = 0;
  std::string replica; ///< of a message: who handled it; of a note: whom it is about
  std::string from;    ///< a room; of a network record a replica or client
  std::string to;
  std::string type;
  std::int64_t sent = 0;  ///< ns; of a message, all three; others have only `begin`
  std::int64_t begin = 0; ///< taken up, or happened
  std::int64_t end = 0;
  std::uint64_t depth = 0;
  std::string fate;    ///< of a network record
  std::string mid;     ///< of a network record
  std::string text;    ///< of a note
  std::string content; ///< of a message, as JSON
  std::string raft;    ///< what changed in raft's state, as JSON; empty: nothing
  std::size_t line = 0;
  std::size_t file = 0;
};

/// The JSON in `content` or `raft`.
value parse(const std::string& json);

struct recording {
  std::string path;
  std::string mode;
  std::string program;
  std::string scenario;
  std::string replica;
  std::string command;
  std::uint64_t seed = 0;
  std::int64_t began = 0; ///< ns; when the run did, or the process
  std::uint64_t replicas = 0;
  std::vector<std::string> members; ///< of a replica's cluster, itself among them; empty: it is not said
  std::vector<record> records;
  /// Where and why reading ended before the end of the text; empty if it did not.
  std::string damage;
  bool complete = false; ///< the last record says that it is
};

/// Text that is no trace; `what()` is one line that says why.
struct read_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads up to the first damage. Throws read_error if not even the first line is that of a trace that this
/// program understands.
recording read(std::string_view text, std::string path = {});

/// One line; for a file that grows. Throws read_error.
record read_line(std::string_view line);

/// Why files cannot be of one run: the file that is not, and why; empty if they can. On virtual time one file
/// has a whole run, and a run of real processes has one simulator, which begins first, and one cluster.
std::string why_not_one_run(const std::vector<recording>& files);

/// Whose files are missing, of those that belong to the same cluster: `0000, 0002`; empty if none is.
std::string missing_members(const std::vector<recording>& files);

/// All that happened in one run, in order, with what caused what.
class story {
 public:
  /// Files of several processes are put in order by time; what one process sent and another received is found
  /// by what it says.
  explicit story(std::vector<recording> files);

  const std::vector<recording>& files() const { return files_; }
  const std::vector<record>& records() const { return records_; }
  /// When the run began, in ns: the earliest that its files say.
  std::int64_t began() const;
  const record* find(std::uint64_t id) const;
  const record* cause_of(const record& r) const { return find(r.cause); }
  /// In the order they happened in.
  std::vector<const record*> effects_of(const record& r) const;
  /// From the first cause that is known to the record itself.
  std::vector<const record*> path_to(const record& r) const;

 private:
  void number_anew();
  void join_processes();

  std::vector<recording> files_;
  std::vector<record> records_;
  std::unordered_map<std::uint64_t, std::size_t> by_id_;
  std::unordered_multimap<std::uint64_t, std::size_t> by_cause_;
};

} // namespace troupe::trace
