// The state machine as text, version 1:
//
//   troupe-state 1
//   values <how many>
//   <key><value>                          for each key, in ascending order
//   clients <how many>
//   <client><requests: how many>\n        for each client, the longest idle first, and after each:
//   <MID><applied: 0 or 1>\n<value>       for each request remembered, the oldest first
//   end
//
// A text in angle brackets is its length in bytes, a space, its bytes, and a newline. Numbers are decimal
// without leading zeros. There is exactly one text for a state.

#include "protocol/kv/state_machine.hpp"

#include "protocol/utf8.hpp"

#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <utility>

namespace troupe::kv {
namespace {

constexpr std::string_view header = "troupe-state 1\n";
constexpr std::string_view values_word = "values ";
constexpr std::string_view clients_word = "clients ";
constexpr std::string_view footer = "end\n";

class writer {
 public:
  void word(std::string_view text) { out_ += text; }
  void line(std::size_t number) { fmt::format_to(std::back_inserter(out_), "{}\n", number); }
  void text(std::string_view bytes) {
    fmt::format_to(std::back_inserter(out_), "{} {}\n", bytes.size(), bytes);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

} // namespace

std::string state_machine::serialise() const {
  writer w;
  w.word(header);
  w.word(values_word);
  w.line(values_.size());
  for (const auto& [key, value] : values_) {
    w.text(key);
    w.text(value);
  }
  w.word(clients_word);
  w.line(sessions_.size());
  for (const auto& s : sessions_) {
    w.text(s.client);
    w.line(s.requests.size());
    for (const auto& request : s.requests) {
      w.text(request.mid);
      w.line(request.result.applied ? 1 : 0);
      w.text(request.result.value);
    }
  }
  w.word(footer);
  return w.take();
}

/// Reads a snapshot up to the first thing that is wrong; from there on it reads nothing.
class state_machine::reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}

  bool failed() const { return problem_ != nullptr; }
  snapshot_error error() const {
    return {fmt::format("byte {} of a snapshot of {} bytes: {}", at_, text_.size(), problem_)};
  }

  state_machine state() {
    state_machine state;
    expect(header);
    values(state);
    clients(state);
    expect(footer);
    if (!failed() && at_ != text_.size()) {
      fail("something follows the end");
    }
    return state;
  }

 private:
  void values(state_machine& state) {
    expect(values_word);
    for (std::size_t left = line(); left > 0 && !failed(); --left) {
      const auto key = text();
      const auto value = text();
      if (!state.values_.empty() && key <= state.values_.rbegin()->first) {
        fail("keys out of order");
      } else if (value.size() > max_value_bytes) {
        fail("a value that is too long");
      } else {
        state.values_.emplace_hint(state.values_.end(), key, value);
      }
    }
  }

  void clients(state_machine& state) {
    expect(clients_word);
    for (std::size_t left = bounded(max_clients, "too many clients"); left > 0 && !failed(); --left) {
      const auto client = text();
      if (state.session_index_.contains(client)) {
        fail("a client twice");
        return;
      }
      requests(state.session_of(client));
    }
  }

  void requests(session& s) {
    std::size_t left = bounded(max_remembered_per_client, "too many requests of one client");
    if (left == 0) {
      fail("a client without requests");
    }
    for (; left > 0 && !failed(); --left) {
      const auto mid = text();
      const bool applied = bounded(1, "neither 0 nor 1") == 1;
      const auto value = text();
      if (s.index.contains(mid)) {
        fail("a request twice");
      } else if (value.size() > max_value_bytes) {
        fail("a value that is too long");
      } else {
        s.remember(mid, {applied, std::string(value)});
      }
    }
  }

  /// Only the first problem counts.
  void fail(const char* problem) {
    if (!failed()) {
      problem_ = problem;
    }
  }

  void expect(std::string_view word) {
    if (failed()) {
      return;
    }
    if (text_.substr(at_, word.size()) != word) {
      fail("not what belongs here");
      return;
    }
    at_ += word.size();
  }

  /// A number and what ends it; 0 after a failure.
  std::size_t number(std::string_view end) {
    if (failed()) {
      return 0;
    }
    std::size_t value = 0;
    const char* from = text_.data() + at_;
    const auto [to, problem] = std::from_chars(from, text_.data() + text_.size(), value);
    const auto digits = static_cast<std::size_t>(to - from);
    if (problem != std::errc{} || (*from == '0' && digits > 1)) {
      fail("no number");
      return 0;
    }
    at_ += digits;
    expect(end);
    return value;
  }

  std::size_t line() { return number("\n"); }

  std::size_t bounded(std::size_t most, const char* problem) {
    const std::size_t value = line();
    if (value > most) {
      fail(problem);
      return 0;
    }
    return value;
  }

  std::string_view text() {
    const std::size_t bytes = number(" ");
    if (failed()) {
      return {};
    }
    if (bytes > text_.size() - at_) {
      fail("a text that is cut off");
      return {};
    }
    const auto found = text_.substr(at_, bytes);
    if (!is_utf8(found)) {
      fail("a text that is no UTF-8");
      return {};
    }
    at_ += bytes;
    expect("\n");
    return found;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  const char* problem_ = nullptr;
};

std::variant<state_machine, snapshot_error> state_machine::restore(std::string_view text) {
  reader r(text);
  auto state = r.state();
  if (r.failed()) {
    return r.error();
  }
  return state;
}

} // namespace troupe::kv
