#include "cluster/history/quoted.hpp"
#include "cluster/history/readers.hpp"

#include <fmt/format.h>

namespace troupe::history {

void line_pairing::begin(std::size_t line, operation o) {
  const auto [entry, made] = open_.try_emplace(o.client, open_operation{history_.size()});
  if (!made) {
    const auto& other = history_[entry->second.number];
    throw read_error(line, fmt::format("process {} begins an operation while its {} of line {} is open",
                                       printable(o.client), to_string(other.kind), other.line));
  }
  o.call = static_cast<std::int64_t>(line);
  o.line = line;
  o.ending = ending::unknown;
  history_.push_back(std::move(o));
}

operation& line_pairing::end(std::size_t line, const std::string& process, operation_kind kind,
                             std::string_view key, ending how) {
  const auto entry = open_.find(process);
  if (entry == open_.end() || entry->second.lost)
    throw read_error(line, fmt::format("process {} ends an operation that is not open", printable(process)));
  auto& o = history_[entry->second.number];
  if (o.kind != kind || o.key != key)
    throw read_error(line,
                     fmt::format("process {} ends a {} of key {}, but the open one is the {} of key {} of "
                                 "line {}",
                                 printable(process), to_string(kind), quoted(key), to_string(o.kind),
                                 quoted(o.key), o.line));
  o.ending = how;
  if (how == ending::unknown) {
    entry->second.lost = true; // that process begins nothing more
    return o;
  }
  o.done = static_cast<std::int64_t>(line);
  open_.erase(entry);
  return o;
}

} // namespace troupe::history
