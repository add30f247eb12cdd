#include "cluster/course/record.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace troupe::course {

namespace {

constexpr std::size_t most_reasons = 100;

} // namespace

std::string_view to_string(misdeed kind) {
  switch (kind) {
  case misdeed::exited:
    return "exit";
  case misdeed::no_hello:
    return "no hello";
  case misdeed::garbage:
    return "garbage";
  case misdeed::wrong_source:
    return "wrong source";
  case misdeed::unknown_destination:
    return "unknown destination";
  case misdeed::unknown_leader:
    return "unknown leader";
  case misdeed::unknown_mid:
    return "wrong MID";
  case misdeed::second_answer:
    return "answered twice";
  case misdeed::answer_after_no:
    return "answered after redirect or fail";
  case misdeed::wrong_value:
    return "wrong value";
  case misdeed::message_storm:
    return "message storm";
  case misdeed::redirect_storm:
    return "redirect storm";
  case misdeed::silence:
    return "silence";
  }
  return "?";
}

std::vector<duration> latencies::all() const {
  auto both = gets;
  both.insert(both.end(), puts.begin(), puts.end());
  return both;
}

std::optional<double> median_seconds(std::vector<duration> values) {
  if (values.empty())
    return std::nullopt;
  std::sort(values.begin(), values.end());
  const auto upper = values[values.size() / 2];
  const auto lower = values[(values.size() - 1) / 2];
  return (in_seconds(lower) + in_seconds(upper)) / 2;
}

std::optional<double> p99_seconds(std::vector<duration> values) {
  if (values.empty())
    return std::nullopt;
  const auto rank = (values.size() * 99 + 99) / 100; // from 1, rounded up
  const auto position = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(values.begin(), position, values.end());
  return in_seconds(*position);
}

void record::complain(replica_id who, misdeed kind, const std::string& what, instant now) {
  auto& complaint = complaints_[{who, kind}];
  if (++complaint.count > 1)
    return;
  complaint.first = what;
  tell(now,
       fmt::format("{} {}: {}", who == nobody ? "somebody" : troupe::to_string(who), to_string(kind), what));
}

void record::incorrect(const std::string& reason) {
  ++figures.incorrect;
  if (figures.incorrect_reasons.size() < most_reasons)
    figures.incorrect_reasons.push_back(reason);
}

} // namespace troupe::course
