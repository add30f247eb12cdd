// The trace event format of Chrome, which Perfetto reads: what an actor handles is a slice, and an arrow
// leads to it from the slice in which its message was sent.

#include "cluster/trace/export/exporter.hpp"
#include "cluster/trace/export/words.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <set>
#include <unordered_map>

namespace troupe::trace {

namespace {

// Perfetto takes process 0 for the idle one, so replica 0000 is 1000. What is about nobody comes first.
constexpr std::uint64_t world_pid = 1;
constexpr std::uint64_t first_pid = 1000;
constexpr std::uint64_t first_other_pid = 100'000;

/// A thread's number is that of its process and one of these.
constexpr std::uint64_t threads_of_a_process = 100;
constexpr std::string_view threads[] = {"role", "network", "router", "raft", "log_store", "wire"};
constexpr std::size_t role_thread = 0;
constexpr std::size_t wire_thread = 5;

/// Viewers add begin and length as floating point, and would let a slice that ends where the next one begins
/// reach into it. So the last nanosecond before the end is left empty, and no slice takes less than two.
constexpr std::int64_t gap_ns = 1;
constexpr std::int64_t shortest_ns = 2;

/// Nanoseconds as microseconds.
std::string micros(std::int64_t ns) {
  const auto sign = ns < 0 ? "-" : "";
  const auto n = ns < 0 ? -static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  return fmt::format("{}{}.{:03}", sign, n / 1000, n % 1000);
}

class perfetto : public exporter {
 public:
  explicit perfetto(std::string& out) : out_(out) {
    out_ += "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
    name_process(world_pid, "world");
  }

  void take(const record& r) override {
    latest_ = std::max({latest_, r.begin, r.end});
    if (r.kind == event_kind::note)
      return befall(r);
    const auto pid = pid_of(process_of(r));
    const auto t = thread_of(pid, r.kind == event_kind::network ? threads[wire_thread] : r.to);
    const auto from = r.from == "timer" ? slices_.end() : slices_.find(r.cause);
    const bool has_arrow = r.cause != 0 && from != slices_.end();
    const auto s = place(r, pid, t, has_arrow ? &from->second : nullptr);
    write_slice(r, s);
    if (has_arrow)
      write_arrow(r.id, from->second, s);
    if (r.id != 0)
      slices_[r.id] = s;
    if (r.kind == event_kind::message)
      count_waiting(r, s);
    if (!r.raft.empty())
      follow_raft(parse(r.raft), s);
  }

  void finish() override {
    for (auto& [pid, s] : standings_)
      end_role(pid, s, latest_ + gap_ns);
    out_ += "\n]}\n";
  }

 private:
  struct slice {
    std::uint64_t pid = 0;
    std::uint64_t tid = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };
  struct standing {
    std::string role;
    std::uint64_t term = 0;
    std::int64_t since = 0;
  };

  // ---- who

  std::uint64_t pid_of(const std::string& name) {
    if (name.empty())
      return world_pid;
    const auto [entry, is_new] = pids_.try_emplace(name, 0);
    if (is_new) {
      std::uint64_t number = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number, 16);
      const bool is_number = name.size() == 4 && error == std::errc() && end == name.data() + name.size();
      entry->second = is_number ? first_pid + number : first_other_pid + pids_.size();
      name_process(entry->second, (names_client(name) ? "client " : "replica ") + name);
    }
    return entry->second;
  }

  std::uint64_t thread_of(std::uint64_t pid, std::string_view name) {
    const auto known = std::find(std::begin(threads), std::end(threads), name);
    auto number = static_cast<std::uint64_t>(known - std::begin(threads));
    if (known == std::end(threads)) // an actor that came later than this table
      number +=
          others_.try_emplace(std::string(name), others_.size() % (threads_of_a_process - std::size(threads)))
              .first->second;
    const auto tid = pid * threads_of_a_process + number;
    if (named_.insert(tid).second) {
      write_name("thread_name", pid, tid, fmt::format("\"name\":{}", json_text(name)));
      write_name("thread_sort_index", pid, tid, fmt::format("\"sort_index\":{}", number));
    }
    return tid;
  }

  void name_process(std::uint64_t pid, const std::string& name) {
    write_name("process_name", pid, pid * threads_of_a_process, fmt::format("\"name\":{}", json_text(name)));
    write_name("process_sort_index", pid, pid * threads_of_a_process, fmt::format("\"sort_index\":{}", pid));
  }

  void write_name(const char* what, std::uint64_t pid, std::uint64_t tid, const std::string& args) {
    write(fmt::format(R"("ph":"M","name":"{}","pid":{},"tid":{},"args":{{{}}})", what, pid, tid, args));
  }

  // ---- when

  /// Handling takes no time on virtual time, and clocks of processes are not read at once. So that a viewer
  /// can tell slices apart, and none begins before what caused it, one takes some nanoseconds at least and
  /// waits for the one before.
  slice place(const record& r, std::uint64_t pid, std::uint64_t tid, const slice* cause) {
    auto& busy_until = busy_until_.try_emplace(tid, INT64_MIN).first->second;
    auto begin = std::max(r.begin, busy_until);
    if (cause)
      begin = std::max(begin, cause->begin + 1);
    busy_until = std::max(r.end, begin + shortest_ns);
    latest_ = std::max(latest_, busy_until);
    return {pid, tid, begin, busy_until};
  }

  // ---- what

  void write(const std::string& members) {
    out_ += first_ ? "\n{" : ",\n{";
    out_ += members;
    out_ += '}';
    first_ = false;
  }

  static std::string at(const slice& s) {
    return fmt::format(R"("pid":{},"tid":{},"ts":{})", s.pid, s.tid, micros(s.begin));
  }

  void write_slice(const record& r, const slice& s) {
    auto args = fmt::format(R"("id":{})", r.id);
    if (s.begin != r.begin)
      args += fmt::format(R"(,"begin_ns":{})", r.begin);
    if (r.kind == event_kind::message)
      args += fmt::format(R"(,"waited_us":{},"from":{})", micros(r.begin - r.sent), json_text(r.from));
    if (r.content.size() > 2 && is_utf8(r.content)) // {} says nothing
      args += fmt::format(R"(,"content":{})", r.content);
    if (!r.raft.empty() && is_utf8(r.raft))
      args += fmt::format(R"(,"raft":{})", r.raft);
    write(fmt::format(R"("ph":"X",{},"dur":{},"cat":"{}","name":{},"args":{{{}}})", at(s),
                      micros(s.end - s.begin - gap_ns), r.kind == event_kind::network ? "network" : "actor",
                      json_text(title_of(r)), args));
  }

  void write_arrow(std::uint64_t id, const slice& from, const slice& to) {
    constexpr auto what = R"("ph":"{}",{},"id":{},"cat":"cause","name":"cause"{})";
    write(fmt::format(what, 's', at(from), id, ""));
    write(fmt::format(what, 'f', at(to), id, R"(,"bp":"e")"));
  }

  void count(const slice& s, const std::string& name, std::uint64_t value) {
    write(fmt::format(R"("ph":"C",{},"name":{},"args":{{"value":{}}})", at(s), json_text(name), value));
  }

  void count_waiting(const record& r, const slice& s) {
    const auto [known, is_new] = depths_.try_emplace(s.tid, r.depth);
    if (!is_new && known->second == r.depth)
      return;
    known->second = r.depth;
    count(s, "mailbox depth of " + r.to, r.depth);
  }

  void follow_raft(const value& change, const slice& s) {
    if (change.has("commit"))
      count(s, "commit index", change["commit"].number());
    if (!change.has("role") && !change.has("term"))
      return;
    auto& now = standings_[s.pid];
    end_role(s.pid, now, s.begin);
    if (change.has("role"))
      now.role = change["role"].text;
    if (change.has("term"))
      now.term = change["term"].number();
    now.since = s.begin;
  }

  void end_role(std::uint64_t pid, standing& s, std::int64_t t) {
    if (s.role.empty() || t < s.since + shortest_ns)
      return;
    const slice role{pid, thread_of(pid, threads[role_thread]), s.since, t};
    write(fmt::format(R"("ph":"X",{},"dur":{},"cat":"role","name":{},"args":{{"term":{}}})", at(role),
                      micros(t - s.since - gap_ns), json_text(fmt::format("{}, term {}", s.role, s.term)),
                      s.term));
  }

  /// Faults, deaths, violations.
  void befall(const record& r) {
    if (r.event == "end")
      return;
    const auto pid = pid_of(r.replica);
    const slice s{pid, thread_of(pid, threads[role_thread]), r.begin, r.begin};
    write(fmt::format(R"("ph":"i",{},"s":"{}","cat":"fault","name":{})", at(s), r.replica.empty() ? 'g' : 'p',
                      json_text(title_of(r))));
    if (r.event != "crash")
      return;
    auto& now = standings_[pid];
    end_role(pid, now, std::max(r.begin, now.since + shortest_ns));
    now = {};
  }

  std::string& out_;
  bool first_ = true;
  std::int64_t latest_ = INT64_MIN / 2;
  std::map<std::string, std::uint64_t> pids_;
  std::map<std::string, std::uint64_t> others_; ///< rooms that are not among `threads`
  std::set<std::uint64_t> named_;
  std::unordered_map<std::uint64_t, std::int64_t> busy_until_; ///< by thread
  std::unordered_map<std::uint64_t, slice> slices_;            ///< by the number of the record
  std::unordered_map<std::uint64_t, std::uint64_t> depths_;    ///< by thread
  std::map<std::uint64_t, standing> standings_;                ///< by process
};

} // namespace

std::unique_ptr<exporter> to_perfetto(std::string& out) { return std::make_unique<perfetto>(out); }

} // namespace troupe::trace
