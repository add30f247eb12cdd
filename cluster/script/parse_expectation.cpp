// What clients do, and what is expected.

#include "cluster/script/parser.hpp"

#include <algorithm>
#include <array>

namespace troupe::script {

namespace {

constexpr std::uint64_t most_messages = 1'000'000'000;

kv::operation read_operation(reader& r) {
  static constexpr std::array verbs{"gets", "puts", "appends", "swaps", "deletes"};
  const auto verb = r.one_of(verbs, "wish of a client (or \"asks again\")");
  auto key = r.text("a key");
  if (verb == 0)
    return kv::get{std::move(key)};
  if (verb == 4)
    return kv::erase{std::move(key)};
  if (verb == 3) {
    r.require("from");
    auto before = r.text("the value that is expected");
    r.require("to");
    return kv::cas{std::move(key), std::move(before), r.text("the new value")};
  }
  r.require("=");
  auto value = r.text("a value");
  if (verb == 1)
    return kv::put{std::move(key), std::move(value)};
  return kv::append{std::move(key), std::move(value)};
}

/// `1 1 4`, or `[3] 4` for a log whose entries up to 3 a snapshot has replaced.
std::string read_terms(reader& r) {
  std::string terms;
  if (r.accept("[")) {
    terms = fmt::format("[{}]", r.number("an index", 1, UINT64_MAX));
    r.require("]");
  }
  while (!r.done())
    terms += fmt::format("{}{}", terms.empty() ? "" : " ", r.number("an entry's term", 1, UINT64_MAX));
  return terms;
}

std::string read_property_value(property p, reader& r) {
  static constexpr std::array roles{"follower", "pre_candidate", "candidate", "leader"};
  switch (p) {
  case property::role:
    return roles[r.one_of(roles, "role")];
  case property::term:
  case property::commit:
    return std::to_string(r.number("a number", 0, UINT64_MAX));
  case property::vote:
  case property::follows:
    return r.accept("nobody") ? "nobody" : std::to_string(number_of(r.replica()));
  case property::log:
    return read_terms(r);
  }
  return "";
}

action read_property(property p, reader& r) {
  expect_property e{p, r.replicas(), {}, {}};
  r.require(":");
  if (r.accept("same")) {
    r.require("as");
    e.same_as = r.replica();
  } else
    e.value = read_property_value(p, r);
  return e;
}

std::string read_answer(reader& r) {
  static constexpr std::array answers{"none", "ok", "refused", "redirect", "fail"};
  switch (r.one_of(answers, "answer")) {
  case 1:
    return r.done() ? "ok" : fmt::format("ok {}", r.text("a value"));
  case 2:
    return fmt::format("refused, holds {}", r.text("a value"));
  case 3:
    r.require("to");
    return fmt::format("redirect to {}", number_of(r.replica()));
  case 4:
    return "fail";
  default:
    return "none";
  }
}

action read_expected_answer(reader& r) {
  auto client = r.word("a client's name");
  r.require(":");
  return expect_answer{std::move(client), read_answer(r)};
}

action read_expected_answers(reader& r) {
  auto client = r.word("a client's name");
  r.require(":");
  return expect_answers{std::move(client), r.number("how many", 0, most_messages)};
}

action read_expected_value(reader& r) {
  expect_value e;
  e.key = r.text("a key");
  r.require("at");
  e.replicas = r.replicas();
  r.require(":");
  e.value = r.text("a value");
  return e;
}

action read_expected_messages(std::uint64_t count, reader& r) {
  expect_messages e{count, r.selection(), r.accept("sent")};
  if (!e.sent) {
    r.require("on");
    r.require("the");
    r.require("way");
  }
  return e;
}

} // namespace

action read_client(reader& r) {
  auto client = r.word("a client's name");
  if (r.accept("asks")) {
    r.require("again");
    r.require("at");
    return ask_again{std::move(client), r.replica()};
  }
  auto operation = read_operation(r);
  r.require("at");
  return ask{std::move(client), std::move(operation), r.replica()};
}

action read_expectation(reader& r) {
  if (r.sees_number())
    return read_expected_messages(r.number("how many", 0, most_messages), r);
  if (r.accept("no")) {
    if (r.accept("leader"))
      return expect_leader{nobody};
    return read_expected_messages(0, r);
  }
  static constexpr std::array names{"role",  "term",   "vote",    "follows", "log",      "commit",
                                    "value", "answer", "answers", "leader",  "violation"};
  const auto found = r.one_of(names, "thing to expect (or a number of messages, or \"no\")");
  switch (found) {
  case 6:
    return read_expected_value(r);
  case 7:
    return read_expected_answer(r);
  case 8:
    return read_expected_answers(r);
  case 9:
    return expect_leader{r.replica()};
  case 10:
    return expect_violation{r.text("a part of what is said")};
  default:
    return read_property(static_cast<property>(found), r);
  }
}

} // namespace troupe::script
