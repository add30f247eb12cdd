#include "trace/recorder.hpp"

#include "protocol/wire/json_writer.hpp"
#include "trace/content.hpp"
#include "trace/context.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>

namespace troupe::trace {

std::string format(const header& h) {
  std::string line;
  wire::json_writer json(line);
  json.open('{');
  json.member("event", "header");
  json.key("format");
  json.number(format_version);
  json.member("program", h.program);
  json.member("mode", h.mode);
  if (!h.scenario.empty())
    json.member("scenario", h.scenario);
  if (!h.replica.empty())
    json.member("replica", h.replica);
  json.key("replicas");
  json.number(h.replicas);
  json.key("seed");
  json.number(h.seed);
  json.member("command", h.command);
  json.close('}');
  return line += '\n';
}

// ---- where lines go

void ring::take(std::string_view line) {
  if (line.size() > buffer_.size()) {
    ++dropped_;
    return;
  }
  while (size_ + line.size() > buffer_.size())
    drop_oldest();
  put(line);
}

void ring::put(std::string_view bytes) {
  const auto at = (begin_ + size_) % buffer_.size();
  const auto first = std::min(bytes.size(), buffer_.size() - at);
  std::memcpy(buffer_.data() + at, bytes.data(), first);
  std::memcpy(buffer_.data(), bytes.data() + first, bytes.size() - first);
  size_ += bytes.size();
}

void ring::drop_oldest() {
  const auto* from = buffer_.data() + begin_;
  const auto ahead = std::min(size_, buffer_.size() - begin_);
  const auto* newline = static_cast<const char*>(std::memchr(from, '\n', ahead));
  auto length = newline ? static_cast<std::size_t>(newline - from) + 1 : ahead;
  if (!newline) {
    newline = static_cast<const char*>(std::memchr(buffer_.data(), '\n', size_ - ahead));
    length += static_cast<std::size_t>(newline - buffer_.data()) + 1;
  }
  begin_ = (begin_ + length) % buffer_.size();
  size_ -= length;
  ++dropped_;
}

std::string ring::text() const {
  const auto first = std::min(size_, buffer_.size() - begin_);
  std::string all(buffer_.data() + begin_, first);
  return all.append(buffer_.data(), size_ - first);
}

namespace {
constexpr std::size_t piece_bytes = 1 << 16;
}

file::file(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "wb")) {
  if (!file_)
    throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
  std::setvbuf(file_.get(), nullptr, _IONBF, 0); // the buffer is ours
}

file::~file() { file::flush(); }

void file::take(std::string_view line) {
  buffer_ += line;
  if (buffer_.size() >= piece_bytes)
    file::flush();
}

void file::flush() {
  if (!buffer_.empty() && error_.empty() &&
      std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size())
    error_ = fmt::format("{}: {}", path_, std::strerror(errno));
  buffer_.clear();
}

// ---- records

std::string_view glance(std::string_view message, std::string_view member) {
  for (auto at = message.find(member); at != message.npos; at = message.find(member, at + 1)) {
    const auto begin = at + member.size() + 3;
    if (at > 0 && message[at - 1] == '"' && message.substr(at + member.size(), 3) == "\":\"")
      return message.substr(begin, message.find('"', begin) - begin);
  }
  return {};
}

void recorder::take(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (!ended_)
    sink_.take(line);
}

void recorder::flush() {
  const std::lock_guard lock(mutex_);
  sink_.flush();
}

void recorder::note(const passage& p, instant at) {
  const auto id = next_id();
  std::string line;
  wire::json_writer json(line);
  json.open('{');
  json.member("event", "network");
  json.key("id");
  json.number(id);
  if (current.cause != 0) {
    json.key("cause");
    json.number(current.cause);
  }
  json.key("lamport");
  json.number(++current.lamport);
  json.key("at");
  json.signed_number(at.since_start.count());
  json.member("from", p.from);
  json.member("to", p.to);
  json.member("fate", p.fate);
  json.member("type", p.type);
  if (!p.mid.empty()) {
    json.key("MID");
    write_text(json, p.mid);
  }
  json.key("bytes");
  json.number(p.bytes);
  json.close('}');
  line += '\n';
  take(line);
  current.cause = id;
  current.room = "edge";
}

void recorder::note(std::string_view event, std::string_view who, std::string_view text, instant at) {
  std::string line;
  wire::json_writer json(line);
  json.open('{');
  json.member("event", event);
  json.key("id");
  json.number(next_id());
  json.key("at");
  json.signed_number(at.since_start.count());
  if (!who.empty())
    json.member("replica", who);
  json.key("text");
  write_text(json, text);
  json.close('}');
  line += '\n';
  take(line);
}

void recorder::end(instant at) {
  note("end", "", "", at);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  sink_.flush();
}

} // namespace troupe::trace
