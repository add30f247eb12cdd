#include "cluster/history/read.hpp"

#include "cluster/history/quoted.hpp"
#include "cluster/history/readers.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace troupe::history {

namespace {

std::string_view first_line(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  return begin == text.npos ? std::string_view{} : text.substr(begin, text.find('\n', begin) - begin);
}

/// All strings of a history are shown or written again, so all of it is checked once.
void check_utf8(std::string_view text) {
  if (is_utf8(text))
    return;
  for_each_line(text, [](std::string_view line, std::size_t number) {
    if (!is_utf8(line))
      throw read_error(number, "is not UTF-8 text");
  });
}

operations read_as(std::string_view text, format f) {
  switch (f) {
  case format::troupe:
    return read_troupe(text);
  case format::jepsen:
    return read_jepsen(text);
  case format::edn:
    return read_edn(text);
  }
  return {};
}

} // namespace

std::string_view to_string(format f) {
  switch (f) {
  case format::troupe:
    return "troupe";
  case format::jepsen:
    return "jepsen";
  case format::edn:
    return "edn";
  }
  return "";
}

std::optional<format> recognise(std::string_view text) {
  const auto line = first_line(text);
  if (line.find("jepsen.util - ") != line.npos)
    return format::jepsen;
  if (!line.starts_with('{'))
    return std::nullopt;
  const auto next = line.find_first_not_of(" \t,", 1);
  if (next == line.npos)
    return std::nullopt;
  return line[next] == ':'   ? std::optional(format::edn)
         : line[next] == '"' ? std::optional(format::troupe)
                             : std::nullopt;
}

operations read(std::string_view text, std::optional<format> as) {
  const auto first = first_line(text);
  if (first.empty())
    throw read_error(1, "there is nothing in it");
  check_utf8(text);
  if (!as)
    as = recognise(text);
  if (!as) {
    const auto before = text.substr(0, static_cast<std::size_t>(first.data() - text.data()));
    throw read_error(1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')),
                     fmt::format("begins like no history: {}", quoted(first, 40)));
  }
  auto history = read_as(text, *as);
  if (history.empty())
    throw read_error(1, "there is no operation in it");
  return history;
}

} // namespace troupe::history
