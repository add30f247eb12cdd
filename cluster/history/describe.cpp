#include "cluster/history/describe.hpp"

#include "cluster/history/quoted.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace troupe::history {

namespace {

constexpr std::size_t most_rows = 20;

/// All moments at which something begins or ends: in a drawing only their order counts.
std::vector<std::int64_t> moments(const operations& shown) {
  std::vector<std::int64_t> times;
  for (const auto& o : shown) {
    times.push_back(o.call);
    if (o.ending != ending::unknown)
      times.push_back(o.done);
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

std::string bar(const operation& o, const std::vector<std::int64_t>& times) {
  const auto column = [&](std::int64_t time) {
    return static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), time) - times.begin()) * 2;
  };
  std::string drawn(times.size() * 2, ' ');
  const auto begin = column(o.call);
  const auto end = o.ending == ending::unknown ? drawn.size() - 1 : column(o.done);
  std::fill(drawn.begin() + static_cast<std::ptrdiff_t>(begin),
            drawn.begin() + static_cast<std::ptrdiff_t>(end), '-');
  drawn[begin] = '|';
  drawn[end] = o.ending == ending::unknown ? '>' : '|';
  return drawn;
}

std::string when(const operation& o, clock times) {
  const bool open = o.ending == ending::unknown;
  if (times == clock::line_numbers)
    return open ? fmt::format("line {}, never ended", o.call) : fmt::format("lines {} to {}", o.call, o.done);
  const auto line = o.line == 0 ? "" : fmt::format("line {}, ", o.line);
  return open ? fmt::format("{}from {}, never ended", line, o.call)
              : fmt::format("{}from {} to {}", line, o.call, o.done);
}

std::string who(const operation& o) {
  return o.client.empty() ? "" : fmt::format("client {}: ", printable(o.client));
}

/// Which one of its kind an operation is.
std::string whose(const operation& o) {
  std::string text;
  if (!o.id.empty())
    text += fmt::format(" {}", printable(o.id));
  if (!o.client.empty())
    text += fmt::format(" of client {}", printable(o.client));
  if (o.line != 0)
    text += fmt::format(" (line {})", o.line);
  return text;
}

std::string row(const operation& o, const std::vector<std::int64_t>& times, clock unit,
                std::string_view remark) {
  return fmt::format("  {} {}{} ({}){}\n", bar(o, times), who(o), what_happened(o), when(o, unit), remark);
}

/// What is shown of a stretch that could not be made small: the operations about the culprit.
std::pair<std::size_t, std::size_t> shown_part(const explanation& what) {
  const auto end = std::min(what.culprit + 1 + most_rows / 4, what.stretch.size());
  return {end - std::min(end, most_rows), end};
}

/// The stretch and the sources on a common time.
std::string drawing(const explanation& what, clock unit) {
  const auto [first, last] = shown_part(what);
  operations shown(what.stretch.begin() + static_cast<std::ptrdiff_t>(first),
                   what.stretch.begin() + static_cast<std::ptrdiff_t>(last));
  shown.insert(shown.end(), what.sources.begin(), what.sources.end());
  const auto times = moments(shown);
  std::string out;
  for (auto i = first; i < last; ++i)
    out += row(what.stretch[i], times, unit, i == what.culprit && what.stretch.size() > 1 ? "  <--" : "");
  if (last - first < what.stretch.size())
    out += fmt::format("and {} others\n", what.stretch.size() - (last - first));
  if (!what.sources.empty())
    out += "that value was written here:\n";
  for (const auto& o : what.sources)
    out += row(o, times, unit, "");
  return out;
}

/// A longer value is hardly seen to be wrong: where it is.
std::string difference(const std::string& told, const std::string& fitting) {
  constexpr std::size_t readable_bytes = 24;
  if (std::max(told.size(), fitting.size()) <= readable_bytes)
    return "";
  const auto [a, b] = std::mismatch(told.begin(), told.end(), fitting.begin(), fitting.end());
  const auto at = static_cast<std::size_t>(a - told.begin());
  const auto from = [&](const std::string& text) {
    return text.size() == at ? "its end" : quoted(std::string_view(text).substr(at, readable_bytes));
  };
  return fmt::format("the two differ from byte {} on: {} here, {} there\n", at + 1, from(told),
                     from(fitting));
}

std::string alternatives(const explanation& what) {
  if (what.would_fit.empty())
    return "";
  std::string list;
  for (const auto& value : what.would_fit)
    list += fmt::format("{}{}", list.empty() ? "" : ", ", quoted(value));
  const auto& culprit = what.stretch[what.culprit];
  if (culprit.kind != operation_kind::get)
    return fmt::format("what the key can have held then: {}\n", list);
  return fmt::format("what would fit instead: {}\n", list) +
         difference(*culprit.result, what.would_fit.front());
}

} // namespace

std::string what_happened(const operation& o) {
  auto text = std::string(to_string(o.kind));
  if (o.kind == operation_kind::cas)
    text += fmt::format(" {} ->", quoted(o.expected));
  if (o.kind != operation_kind::get && o.kind != operation_kind::erase)
    text += fmt::format(" {}", quoted(o.value));
  if (o.ending == ending::refused)
    return text + ", refused";
  if (o.ending == ending::unknown)
    return text + ", no answer";
  if (o.kind == operation_kind::get)
    return o.result ? fmt::format("{} -> {}", text, quoted(*o.result)) : text;
  if (!o.applied)
    text += o.result ? fmt::format(", not applied, found {}", quoted(*o.result)) : ", not applied";
  return text;
}

std::string name_of(const operation& o) { return fmt::format("the {}{}", to_string(o.kind), whose(o)); }

std::string account_of(const operation& o) { return what_happened(o) + whose(o); }

std::string describe(const explanation& what, clock times) {
  auto out = fmt::format("key {}: {}\n", quoted(what.key), what.why);
  if (what.stretch.empty())
    return out;
  out += drawing(what, times) + alternatives(what);
  if (what.cut_short)
    out += "the limits ended the search for a smaller stretch\n";
  return out;
}

} // namespace troupe::history
