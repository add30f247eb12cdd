// What things weigh as JSON, without writing them.

#include "protocol/wire/codec.hpp"
#include "protocol/wire/json_writer.hpp"
#include "protocol/wire/keys.hpp"

namespace troupe::wire {
namespace {

/// `,[` and `]`, and the longest term.
constexpr std::size_t entry_frame_bytes = 3 + 20;

/// `,[` and `]`, and the ids with their commas but one.
std::size_t list_bytes(const std::vector<replica_id>& ids) {
  return 3 + ids.size() * voter_bytes - (ids.empty() ? 0 : 1);
}

template <class T>
std::size_t values_bytes(const T& object) {
  std::size_t bytes = 0;
  for_each_field(object, [&](std::string_view, const std::string& text) { bytes += 1 + json_bytes(text); });
  return bytes;
}

struct payload_bytes {
  std::size_t operator()(const raft::no_op&) const { return 1 + json_bytes(entry_names::no_op); }
  std::size_t operator()(const raft::configuration& c) const {
    return 1 + json_bytes(entry_names::configuration) + list_bytes(c.voters) + list_bytes(c.learners);
  }
  std::size_t operator()(const kv::command& c) const {
    return values_bytes(c.id) +
           std::visit([](const auto& write) { return 1 + json_bytes(write.type_name) + values_bytes(write); },
                      c.operation);
  }
};

/// Where the character ends that begins at `at`, in valid UTF-8.
std::size_t character_end(std::string_view text, std::size_t at) {
  ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) {
    ++at;
  }
  return at;
}

} // namespace

std::size_t wire_bytes(const raft::payload& payload) {
  return entry_frame_bytes + std::visit(payload_bytes{}, payload);
}

std::size_t wire_bytes(const kv::command& command) { return entry_frame_bytes + payload_bytes{}(command); }

std::size_t json_bytes(std::string_view text) {
  std::size_t bytes = 2;
  if (needs_no_escape(text))
    return bytes + text.size();
  for (const char c : text) {
    bytes += escaped_bytes(c);
  }
  return bytes;
}

std::size_t fitting_prefix(std::string_view text, std::size_t max_bytes) {
  std::size_t used = 2;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = character_end(text, at);
    used += end - at == 1 ? escaped_bytes(text[at]) : end - at;
    if (used > max_bytes) {
      break;
    }
    at = end;
  }
  return at;
}

} // namespace troupe::wire
