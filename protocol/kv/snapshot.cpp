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

#include "protocol/invariant.hpp"
#include "protocol/kv/saving.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <utility>

namespace troupe::kv {
namespace {

constexpr std::string_view header = "troupe-state 1\n";
constexpr std::string_view values_word = "values ";
constexpr std::string_view clients_word = "clients ";
constexpr std::string_view footer = "end\n";

} // namespace

// ---- writing

state_machine::saving::saving(const state_machine& s, std::size_t expected_bytes) {
  out_.reserve(expected_bytes);
  out_ += header;
  out_ += values_word;
  line(s.values_.size());
  sessions_.reserve(s.sessions_.size());
  for (const auto& one : s.sessions_)
    sessions_.push_back(&one);
}

bool state_machine::saving::go_on(const state_machine& s, std::size_t bytes) {
  const auto stop = out_.size() + std::min(bytes, out_.max_size() - out_.size());
  if (!all_values_)
    write_values(s.values_, stop);
  while (all_values_ && at_session_ < sessions_.size() && out_.size() < stop)
    write_requests(stop);
  if (!all_values_ || at_session_ < sessions_.size())
    return false;
  out_ += footer;
  return true;
}

/// In the order of the keys, those that have changed since as they were.
void state_machine::saving::write_values(const value_map& now, std::size_t stop) {
  auto next = written_up_to_ ? now.upper_bound(*written_up_to_) : now.begin();
  while (out_.size() < stop) {
    const auto was = before_.begin();
    const bool changed = was != before_.end() && (next == now.end() || was->first <= next->first);
    if (!changed && next == now.end()) {
      all_values_ = true;
      written_up_to_.reset();
      out_ += clients_word;
      return line(sessions_.size());
    }
    const auto& key = changed ? was->first : next->first;
    const auto* value = !changed ? &next->second : was->second ? &*was->second : nullptr;
    if (value) {
      text(key);
      text(*value);
    }
    if (out_.size() >= stop)
      written_up_to_ = key;
    if (next != now.end() && next->first == key)
      ++next;
    if (changed)
      before_.erase(was);
  }
}

/// Of one client, and at least one: nobody is remembered for nothing.
void state_machine::saving::write_requests(std::size_t stop) {
  const auto& s = *sessions_[at_session_];
  const auto changed = changed_.find(&s);
  const auto count = changed == changed_.end() ? s.requests.size() : changed->second.count;
  const auto gone = changed == changed_.end() ? 0 : changed->second.forgotten.size();
  if (at_request_ == 0) {
    text(s.client);
    line(count);
  }
  do {
    const auto& request =
        at_request_ < gone ? changed->second.forgotten[at_request_] : s.requests[at_request_ - gone];
    text(request.mid);
    line(request.result().applied ? 1 : 0);
    text(request.result().value);
  } while (++at_request_ < count && out_.size() < stop);
  if (at_request_ < count)
    return;
  ++at_session_;
  at_request_ = 0;
}

void state_machine::saving::changing(const state_machine& s, const std::string& key) {
  if (all_values_ || (written_up_to_ && key <= *written_up_to_) || before_.contains(key))
    return;
  const auto found = s.values_.find(key);
  before_.emplace(key, found == s.values_.end() ? std::nullopt : std::optional(found->second));
}

void state_machine::saving::remembering(const session& s) {
  auto& kept = changed_.try_emplace(&s, changed_session{s.requests.size(), {}}).first->second;
  if (s.requests.is_full() && kept.forgotten.size() < kept.count)
    kept.forgotten.push_back(s.requests[0]);
}

void state_machine::saving::forgetting(session_list& all) {
  forgotten_.splice(forgotten_.end(), all, all.begin());
}

void state_machine::saving::line(std::size_t number) {
  const fmt::format_int digits(number);
  out_.append(digits.data(), digits.size()) += '\n';
}

void state_machine::saving::text(std::string_view bytes) {
  const fmt::format_int digits(bytes.size());
  (((out_.append(digits.data(), digits.size()) += ' ') += bytes) += '\n');
}

std::string state_machine::serialise() const {
  saving all(*this, 0);
  all.go_on(*this, std::string::npos);
  return all.take();
}

void state_machine::begin_saving(std::size_t expected_bytes) {
  require(!saving_, "the state is being saved already");
  saving_ = std::make_unique<saving>(*this, expected_bytes);
}

std::optional<std::string> state_machine::save_some(std::size_t bytes) {
  require(saving_ != nullptr, "the state is not being saved");
  if (!saving_->go_on(*this, bytes))
    return std::nullopt;
  auto text = saving_->take();
  saving_.reset();
  return text;
}

// ---- reading

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
        state.index(state.values_.emplace_hint(state.values_.end(), key, value));
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
      requests(state.make_session(client).requests);
    }
  }

  void requests(remembered_requests& all) {
    std::size_t left = bounded(max_remembered_per_client, "too many requests of one client");
    if (left == 0) {
      fail("a client without requests");
    }
    for (; left > 0 && !failed(); --left) {
      const auto mid = text();
      const bool applied = bounded(1, "neither 0 nor 1") == 1;
      const auto value = text();
      if (all.find(mid)) {
        fail("a request twice");
      } else if (value.size() > max_value_bytes) {
        fail("a value that is too long");
      } else {
        all.add(mid, {applied, std::string(value)});
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
