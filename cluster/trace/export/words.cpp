#include "cluster/trace/export/words.hpp"

#include "protocol/utf8.hpp"
#include "protocol/wire/json_writer.hpp"
#include "trace/recorder.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace troupe::trace {

namespace {

/// What an actor's message carries says more than its own name.
bool carries_another(const record& r) {
  return r.type == "received" || r.type == "outbound" || r.type == "client_request" ||
         r.type == "client_answer";
}

std::string title_of_message(const record& r) {
  const auto carried = carries_another(r) ? glance(r.content, "type") : std::string_view();
  return carried.empty() ? r.type : fmt::format("{} {}", r.type, carried);
}

std::string title_of_network(const record& r) {
  const auto what = r.mid.empty() ? r.type : fmt::format("{} {}", r.type, r.mid);
  if (r.fate == "dead" || r.fate == "full")
    return fmt::format("{} from {}: {}", what, r.from, r.fate);
  if (names_client(r.to))
    return fmt::format("{} from {}", what, r.from);
  return r.fate == "sent" ? fmt::format("{} to {}", what, r.to)
                          : fmt::format("{} to {}: {}", what, r.to, r.fate);
}

} // namespace

bool names_client(std::string_view name) { return name.size() == 4 && name >= "C000" && name <= "FFFE"; }

const std::string& process_of(const record& r) {
  if (r.kind != event_kind::network)
    return r.replica;
  return names_client(r.to) || r.fate == "dead" || r.fate == "full" ? r.to : r.from;
}

std::string title_of(const record& r) {
  std::string title;
  switch (r.kind) {
  case event_kind::message:
    title = title_of_message(r);
    break;
  case event_kind::network:
    title = title_of_network(r);
    break;
  case event_kind::note:
    title = r.text.empty() ? r.event : fmt::format("{}: {}", r.event, r.text);
    break;
  }
  std::replace_if(
      title.begin(), title.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  return title;
}

std::string json_text(std::string_view text) {
  std::string readable(text);
  if (!is_utf8(text))
    std::replace_if(
        readable.begin(), readable.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  std::string quoted;
  wire::json_writer(quoted).string(readable);
  std::string safe;
  safe.reserve(quoted.size());
  for (const char c : quoted)
    switch (c) {
    case '<': // so that no </script> is in it
      safe += "\\u003c";
      break;
    case '>':
      safe += "\\u003e";
      break;
    case '&':
      safe += "\\u0026";
      break;
    default:
      safe += c;
    }
  return safe;
}

} // namespace troupe::trace
