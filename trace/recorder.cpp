#include "trace/recorder.hpp"

#include "protocol/wire/json_writer.hpp"
#include "trace/content.hpp"
#include "trace/context.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdexcept>
#include <utility>

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
  if (!h.members.empty()) {
    json.key("members");
    json.open('[');
    for (auto id : h.members)
      json.string(to_string(id));
    json.close(']');
  }
  json.key("seed");
  json.number(h.seed);
  json.key("began");
  json.number(h.began.since_start.count());
  json.member("command", h.command);
  json.close('}');
  return line += '\n';
}

// ---- how records become lines

namespace {

void print_message(unpacker in, packer& line) {
  const auto m = in.raw<message_head>();
  json_writer json(line);
  json.open('{');
  json.plain_member("event", "message");
  json.key("id");
  json.number(m.id);
  if (m.cause != 0) {
    json.key("cause");
    json.number(m.cause);
  }
  json.key("lamport");
  json.number(m.lamport);
  json.key("replica");
  form<replica_id>::print(m.replica, json);
  json.plain_member("from", m.from);
  json.plain_member("to", m.to);
  json.key("sent");
  json.signed_number(m.sent.since_start.count());
  json.key("begin");
  json.signed_number(m.begin.since_start.count());
  json.key("depth");
  json.number(m.depth);
  m.print_content(in, json);
  m.print_changes(in, json);
  json.key("end");
  json.signed_number(m.end.since_start.count());
  json.close('}');
  line += '\n';
}

record_head head_of(std::string_view records) {
  record_head head;
  std::memcpy(&head, records.data(), sizeof head);
  return head;
}

} // namespace

std::string print(std::string_view records) {
  packer lines;
  print(records, lines);
  return std::string(lines.bytes());
}

void print(std::string_view records, packer& lines) {
  while (!records.empty()) {
    const auto head = head_of(records);
    const auto rest = records.substr(sizeof head, head.bytes - sizeof head);
    if (head.kind == record_kind::line)
      lines += rest;
    else
      print_message(unpacker(rest), lines);
    records.remove_prefix(head.bytes);
  }
}

// ---- where records go

void ring::take(std::string_view records) {
  for (; records.size() > buffer_.size(); ++dropped_)
    records.remove_prefix(head_of(records).bytes);
  while (size_ + records.size() > buffer_.size())
    drop_oldest();
  const auto at = wrapped(begin_ + size_);
  const auto first = std::min(records.size(), buffer_.size() - at);
  std::memcpy(buffer_.data() + at, records.data(), first);
  std::memcpy(buffer_.data(), records.data() + first, records.size() - first);
  size_ += records.size();
}

void ring::drop_oldest() {
  record_head head;
  if (begin_ + sizeof head <= buffer_.size()) // nearly always: a copy of known length is two instructions
    std::memcpy(&head, buffer_.data() + begin_, sizeof head);
  else
    copy_out(begin_, &head, sizeof head);
  begin_ = wrapped(begin_ + head.bytes);
  size_ -= head.bytes;
  ++dropped_;
}

void ring::copy_out(std::size_t at, void* to, std::size_t bytes) const {
  const auto first = std::min(bytes, buffer_.size() - at);
  std::memcpy(to, buffer_.data() + at, first);
  std::memcpy(static_cast<char*>(to) + first, buffer_.data(), bytes - first);
}

std::string ring::records() const {
  std::string all(size_, '\0');
  copy_out(begin_, all.data(), size_);
  return all;
}

namespace {
constexpr auto pause_between_writes = std::chrono::milliseconds(10);
constexpr std::size_t enough_to_hurry_bytes = std::size_t{1} << 20U;
constexpr std::size_t most_waiting_bytes = std::size_t{16} << 20U;
} // namespace

namespace {

/// Does not wait for whoever might read from a pipe.
std::FILE* open_to_write(const std::string& path, file::place where) {
  const int how = where == file::place::fresh ? O_EXCL | O_NOFOLLOW : O_TRUNC;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | how, 0666);
  if (descriptor < 0)
    return nullptr;
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
  return ::fdopen(descriptor, "wb");
}

} // namespace

file::file(const std::string& path, const header& h, place where)
    : path_(path), file_(open_to_write(path, where)) {
  if (!file_)
    throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
  std::setvbuf(file_.get(), nullptr, _IONBF, 0); // pieces are large
  error_ = write_out(format(h));
  writer_ = std::thread([this] { write_on(); });
}

file::~file() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  something_to_do_.notify_one();
  writer_.join();
}

void file::take(std::string_view records) {
  std::unique_lock lock(mutex_);
  progress_.wait(lock, [&] { return waiting_.size() < most_waiting_bytes; });
  const bool was_empty = waiting_.empty();
  waiting_ += records;
  if (was_empty || (waiting_.size() >= enough_to_hurry_bytes && !std::exchange(has_to_hurry_, true)))
    something_to_do_.notify_one();
}

void file::flush() {
  std::unique_lock lock(mutex_);
  has_to_hurry_ = true;
  something_to_do_.notify_one();
  progress_.wait(lock, [&] { return waiting_.empty() && !is_writing_; });
}

std::string file::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void file::write_on() {
  // Kept from one time to the next: fresh memory costs more than what is written into it.
  std::string records;
  packer text;
  std::unique_lock lock(mutex_);
  for (;;) {
    something_to_do_.wait(lock, [&] { return !waiting_.empty() || ends_; });
    // More will come: a thread that is woken for each record costs more than the record.
    something_to_do_.wait_for(lock, pause_between_writes, [&] { return has_to_hurry_ || ends_; });
    if (waiting_.empty())
      return;
    records.clear();
    records.swap(waiting_);
    is_writing_ = true;
    has_to_hurry_ = false;
    const bool works = error_.empty();
    lock.unlock(); // the disk may take its time, and nobody else has to wait for it
    text.clear();
    print(records, text);
    const auto failed = works ? write_out(text.bytes()) : std::string();
    lock.lock();
    if (!failed.empty())
      error_ = failed;
    is_writing_ = false;
    progress_.notify_all();
  }
}

/// Why it could not be written; empty if it was.
std::string file::write_out(std::string_view text) const {
  return std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size()
             ? std::string()
             : fmt::format("{}: {}", path_, std::strerror(errno));
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

namespace {

constexpr std::size_t enough_to_hand_on_bytes = std::size_t{16} << 10U;

/// What this thread has recorded, and for whom.
struct batch {
  recorder* to = nullptr;
  packer records;
};

std::string_view finish_line(packer& record) {
  record += '\n';
  record.patch(0, record_head{record_kind::line, static_cast<std::uint32_t>(record.bytes().size())});
  return record.bytes();
}

batch& own_batch() {
  static thread_local batch b;
  return b;
}

} // namespace

unbroken::~unbroken() {
  own_watch.is_unbroken = before_;
  if (auto& b = own_batch(); !before_ && b.to)
    b.to->hand_on();
}

void recorder::take(std::string_view record) {
  if (!own_watch.is_unbroken)
    return pass(record);
  auto& b = own_batch();
  if (b.to && b.to != this)
    b.to->hand_on();
  b.to = this;
  b.records.bytes_of(record);
  if (b.records.bytes().size() >= enough_to_hand_on_bytes)
    hand_on();
}

void recorder::hand_on() {
  auto& b = own_batch();
  if (b.to != this)
    return;
  pass(b.records.bytes());
  b.records.clear();
  b.to = nullptr;
}

void recorder::pass(std::string_view records) {
  const std::lock_guard lock(mutex_);
  if (!ended_)
    sink_.take(records);
}

void recorder::flush() {
  hand_on();
  const std::lock_guard lock(mutex_);
  sink_.flush();
}

void recorder::note(const passage& p, instant at) {
  const auto id = next_id();
  packer record;
  record.raw(record_head{});
  json_writer json(record);
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
  take(finish_line(record));
  current.cause = id;
  current.room = "edge";
}

void recorder::note(std::string_view event, std::string_view who, std::string_view text, instant at,
                    const context& why) {
  packer record;
  record.raw(record_head{});
  json_writer json(record);
  json.open('{');
  json.member("event", event);
  json.key("id");
  json.number(next_id());
  if (why.cause != 0) {
    json.key("cause");
    json.number(why.cause);
    json.key("lamport");
    json.number(why.lamport + 1);
  }
  json.key("at");
  json.signed_number(at.since_start.count());
  if (!who.empty())
    json.member("replica", who);
  json.key("text");
  write_text(json, text);
  json.close('}');
  take(finish_line(record));
}

void recorder::take_unfinished() {
  if (!unfinished.record)
    return;
  auto& record = *unfinished.record;
  auto head = *unfinished.head;
  head.print_changes = [](unpacker&, json_writer&) {};
  head.end = head.begin;
  seal(record, head);
  take(record.bytes());
}

void seal(packer& record, const message_head& head) {
  record.patch(0, record_head{record_kind::message, static_cast<std::uint32_t>(record.bytes().size())});
  record.patch(sizeof(record_head), head);
}

void recorder::end(instant at) {
  note("end", "", "", at);
  hand_on();
  const std::lock_guard lock(mutex_);
  ended_ = true;
  sink_.flush();
}

} // namespace troupe::trace
