// The state machine as text, version 1:
//
//   troupe-state 1
//   values <how many>
//   <key><value>                          for each key, in ascending order
//   clients <how many>
//   <client><requests: how many>\n        for each client, the longest idle first, and after each:
//   <MID><told: 0 to 2>\n<value>          for each request remembered, the oldest first
//   end
//
// Told is 1 for a write that was applied, 0 for one that was refused because of the value, and 2 for one that
// was refused because of a value too long to be remembered.
//
// A text in angle brackets is its length in bytes, a space, its bytes, and a newline. Numbers are decimal
// without leading zeros. There is exactly one text for a state.

#include "protocol/invariant.hpp"
#include "protocol/kv/reading.hpp"
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
    const auto& told = request.result();
    line(told.cut ? 2 : told.applied ? 1 : 0);
    text(told.value);
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

std::optional<snapshot_error> state_machine::reader::read(std::string_view text, bool is_all) {
  text_ = text;
  is_all_ = is_all;
  cut_ = false;
  while (!failed() && !cut_ && (part_ != part::end || at_ != text_.size())) {
    const auto begin = at_;
    read_part();
    if (cut_) // next time from here on
      at_ = begin;
  }
  if (!failed())
    return std::nullopt;
  return snapshot_error{fmt::format("byte {} of a snapshot of {} bytes: {}", at_, text_.size(), problem_)};
}

state_machine state_machine::reader::take() {
  require(part_ == part::end && !failed(), "a snapshot is not read to its end");
  return std::move(state_);
}

/// Changes nothing but `at_` if the text ends before the part does.
void state_machine::reader::read_part() {
  switch (part_) {
  case part::values_head:
    expect(header);
    expect(values_word);
    return begin(part::values, line());
  case part::values:
    return left_ > 0 ? read_value() : begin(part::clients_head, 0);
  case part::clients_head:
    expect(clients_word);
    return begin(part::clients, bounded(max_clients, "too many clients"));
  case part::clients:
    return left_ > 0 ? read_client() : begin(part::footer, 0);
  case part::requests:
    return requests_left_ > 0 ? read_request() : begin(part::clients, left_ - 1);
  case part::footer:
    expect(footer);
    return begin(part::end, 0);
  case part::end:
    return fail("something follows the end");
  }
}

void state_machine::reader::begin(part next, std::size_t left) {
  if (stopped())
    return;
  part_ = next;
  left_ = left;
}

void state_machine::reader::read_value() {
  const auto key = text();
  const auto value = text();
  if (stopped())
    return;
  if (!state_.values_.empty() && key <= state_.values_.rbegin()->first)
    return fail("keys out of order");
  if (value.size() > max_value_bytes)
    return fail("a value that is too long");
  state_.index(state_.values_.emplace_hint(state_.values_.end(), key, value));
  --left_;
}

void state_machine::reader::read_client() {
  const auto client = text();
  const auto requests = bounded(max_remembered_per_client, "too many requests of one client");
  if (stopped())
    return;
  if (state_.session_index_.contains(client))
    return fail("a client twice");
  if (requests == 0)
    return fail("a client without requests");
  requests_ = &state_.make_session(client).requests;
  requests_left_ = requests;
  part_ = part::requests;
}

void state_machine::reader::read_request() {
  const auto mid = text();
  const auto told = bounded(2, "not 0, 1 or 2");
  const auto value = text();
  if (stopped())
    return;
  if (requests_->find(mid))
    return fail("a request twice");
  if (value.size() > (told == 0 ? max_remembered_value_bytes : 0))
    return fail("a value that is too long");
  requests_->add(mid, {told == 1, std::string(value), told == 2});
  --requests_left_;
}

/// Only the first problem counts.
void state_machine::reader::fail(const char* problem) {
  if (!stopped())
    problem_ = problem;
}

/// What is missing may come yet.
void state_machine::reader::fail_at_end(const char* problem) {
  if (is_all_)
    fail(problem);
  else
    cut_ = true;
}

void state_machine::reader::expect(std::string_view word) {
  if (stopped())
    return;
  const auto found = text_.substr(at_, word.size());
  if (found == word)
    at_ += word.size();
  else if (word.starts_with(found))
    fail_at_end("not what belongs here");
  else
    fail("not what belongs here");
}

/// A number and what ends it; 0 after a failure.
std::size_t state_machine::reader::number(std::string_view end) {
  if (stopped())
    return 0;
  std::size_t value = 0;
  const char* from = text_.data() + at_;
  const char* last = text_.data() + text_.size();
  const auto [to, problem] = std::from_chars(from, last, value);
  const auto digits = static_cast<std::size_t>(to - from);
  if (from == last) {
    fail_at_end("no number");
    return 0;
  }
  if (problem != std::errc{} || (*from == '0' && digits > 1)) {
    fail("no number");
    return 0;
  }
  at_ += digits;
  expect(end);
  return value;
}

std::size_t state_machine::reader::bounded(std::size_t most, const char* problem) {
  const std::size_t value = line();
  if (stopped() || value <= most)
    return value;
  fail(problem);
  return 0;
}

std::string_view state_machine::reader::text() {
  const std::size_t bytes = number(" ");
  if (stopped())
    return {};
  if (bytes > text_.size() - at_) {
    fail_at_end("a text that is cut off");
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

std::variant<state_machine, snapshot_error> state_machine::restore(std::string_view text) {
  reader r;
  if (const auto error = r.read(text, true))
    return *error;
  return r.take();
}

} // namespace troupe::kv
