#include "cluster/history/quoted.hpp"
#include "cluster/history/readers.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace troupe::history {

namespace {

constexpr std::string_view logger = "jepsen.util - ";
constexpr std::string_view spaces = " \t";
/// The logs are about one register and do not name it.
constexpr std::string_view register_name = "register";
constexpr std::string_view timed_out = ":timed-out";

std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(spaces), rest.size()));
  const auto word = rest.substr(0, rest.find_first_of(spaces));
  rest.remove_prefix(word.size());
  return word;
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
  return text.substr(0, text.find_last_not_of(spaces) + 1);
}

/// One spelling for each number, so that equal values are equal strings.
bool is_number(std::string_view text) {
  if (text.starts_with('-'))
    text.remove_prefix(1);
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && (text.size() == 1 || text[0] != '0');
}

class jepsen_line {
 public:
  jepsen_line(std::string_view line, std::size_t number) : number_(number) {
    const auto start = line.find(logger);
    if (start == line.npos)
      refuse(fmt::format("is not a line of jepsen.util: {}", quoted(line, 40)));
    auto rest = line.substr(start + logger.size());
    process = take_word(rest);
    type = take_word(rest);
    function = take_word(rest);
    value = trimmed(rest);
  }

  [[noreturn]] void refuse(const std::string& why) const { throw read_error(number_, why); }

  operation_kind kind() const {
    if (function == ":read")
      return operation_kind::get;
    if (function == ":write")
      return operation_kind::put;
    if (function == ":cas")
      return operation_kind::cas;
    refuse(fmt::format("{} is neither :read nor :write nor :cas", quoted(function, 40)));
  }

  std::string one_value(std::string_view text) const {
    if (text == "nil")
      return "";
    if (!is_number(text))
      refuse(fmt::format("{} is neither a number nor nil", quoted(text, 40)));
    return std::string(text);
  }

  /// The values of a write, or of a cas: [from to].
  void read_values(operation& o) const {
    if (o.kind == operation_kind::put)
      o.value = one_value(value);
    if (o.kind != operation_kind::cas)
      return;
    if (!value.starts_with('[') || !value.ends_with(']'))
      refuse(fmt::format("{} is not the [from to] of a cas", quoted(value, 40)));
    auto inner = value.substr(1, value.size() - 2);
    o.expected = one_value(take_word(inner));
    o.value = one_value(take_word(inner));
    if (!trimmed(inner).empty())
      refuse(fmt::format("{} is not the [from to] of a cas", quoted(value, 40)));
  }

  std::string_view process;
  std::string_view type;
  std::string_view function;
  std::string_view value;

 private:
  std::size_t number_;
};

operation begun(const jepsen_line& line) {
  operation o;
  o.client = line.process;
  o.key = register_name;
  o.kind = line.kind();
  line.read_values(o);
  return o;
}

/// What a `:fail` says: a cas did not meet what it expected. Anything else that failed had no effect, but a
/// write that failed because time was over may well have had one.
ending how_it_failed(const jepsen_line& line) {
  const auto kind = line.kind();
  if (kind == operation_kind::get)
    return ending::refused;
  if (line.value == timed_out)
    return ending::unknown;
  return kind == operation_kind::cas ? ending::ok : ending::refused;
}

void end(const jepsen_line& line, std::size_t number, ending how, line_pairing& pairs) {
  auto& o = pairs.end(number, std::string(line.process), line.kind(), register_name, how);
  if (how != ending::ok)
    return;
  if (o.kind == operation_kind::get) {
    o.result = line.one_value(line.value);
    return;
  }
  o.applied = line.type == ":ok";
  auto answered = o;
  line.read_values(answered);
  if (answered != o)
    line.refuse(
        fmt::format("{} is not the value with which line {} begins it", quoted(line.value, 40), o.line));
}

} // namespace

operations read_jepsen(std::string_view text) {
  line_pairing pairs;
  for_each_line(text, [&](std::string_view content, std::size_t number) {
    const jepsen_line line(content, number);
    if (line.process == ":nemesis")
      return; // what was done to the servers
    if (line.type == ":invoke")
      pairs.begin(number, begun(line));
    else if (line.type == ":ok")
      end(line, number, ending::ok, pairs);
    else if (line.type == ":fail")
      end(line, number, how_it_failed(line), pairs);
    else if (line.type == ":info")
      end(line, number, ending::unknown, pairs);
    else
      line.refuse(fmt::format("{} is none of :invoke, :ok, :fail and :info", quoted(line.type, 40)));
  });
  return pairs.take();
}

} // namespace troupe::history
