#include "trace/read.hpp"

#include "trace/recorder.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace troupe::trace {

namespace {

using json = rapidjson::Value;

std::string print_json(const json& v) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  v.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

value convert(const json& v) {
  value result;
  if (v.IsObject()) {
    for (const auto& m : v.GetObject())
      result.members.push_back({std::string(m.name.GetString(), m.name.GetStringLength()), convert(m.value)});
  } else if (v.IsArray()) {
    for (const auto& item : v.GetArray())
      result.items.push_back(convert(item));
  } else if (v.IsString()) {
    result.text.assign(v.GetString(), v.GetStringLength());
    result.is_text = true;
  } else {
    result.text = print_json(v);
  }
  return result;
}

constexpr unsigned how = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
constexpr std::size_t longest_line_bytes = std::size_t{64} << 20U;
constexpr std::size_t deepest_nesting = 100; // ours is below ten

/// Whoever looks at a value calls itself for what is in it: a million brackets must not become as many frames
/// of the stack.
bool nests_too_deep(std::string_view line) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_text && c == '\\')
      ++i; // what it escapes ends nothing
    else if (in_text)
      in_text = c != '"';
    else if (c == '"')
      in_text = true;
    else if ((c == '{' || c == '[') && ++depth > deepest_nesting)
      return true;
    else if ((c == '}' || c == ']') && depth > 0)
      --depth;
  }
  return false;
}

void parse_line(rapidjson::Document& d, std::string_view line) {
  if (line.size() > longest_line_bytes)
    throw read_error("is longer than any record");
  if (nests_too_deep(line))
    throw read_error("nests deeper than any record");
  d.Parse<how>(line.data(), line.size());
  if (d.HasParseError())
    throw read_error(fmt::format("is not JSON: {} (at byte {})",
                                 rapidjson::GetParseError_En(d.GetParseError()), d.GetErrorOffset()));
  if (!d.IsObject())
    throw read_error("is not an object");
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd())
    return {};
  if (!found->value.IsString())
    throw read_error(fmt::format("{} must be a string", name));
  return {found->value.GetString(), found->value.GetStringLength()};
}

std::uint64_t number_of(const json& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd())
    return 0;
  if (!found->value.IsUint64())
    throw read_error(fmt::format("{} must be a whole number", name));
  return found->value.GetUint64();
}

/// Differences of such times are numbers too.
constexpr std::int64_t longest_time_ns = 100LL * 366 * 86'400 * 1'000'000'000;

std::int64_t time_of(const json& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || !found->value.IsInt64())
    throw read_error(fmt::format("{} must be a whole number of nanoseconds", name));
  const auto t = found->value.GetInt64();
  if (t < -longest_time_ns || t > longest_time_ns)
    throw read_error(fmt::format("{} is beyond a century", name));
  return t;
}

record to_record(const json& d) {
  record r;
  r.event = text_of(d, "event");
  if (r.event.empty())
    throw read_error("event is missing");
  r.id = number_of(d, "id");
  r.cause = number_of(d, "cause");
  r.lamport = number_of(d, "lamport");
  r.replica = text_of(d, "replica");
  r.from = text_of(d, "from");
  r.to = text_of(d, "to");
  r.type = text_of(d, "type");
  r.fate = text_of(d, "fate");
  r.mid = text_of(d, "MID");
  r.text = text_of(d, "text");
  r.depth = number_of(d, "depth");
  if (r.event == "message") {
    r.kind = event_kind::message;
    r.sent = time_of(d, "sent");
    r.begin = time_of(d, "begin");
    r.end = time_of(d, "end");
    if (const auto c = d.FindMember("content"); c != d.MemberEnd())
      r.content = print_json(c->value);
    if (const auto c = d.FindMember("raft"); c != d.MemberEnd())
      r.raft = print_json(c->value);
  } else {
    r.kind = r.event == "network" ? event_kind::network : event_kind::note;
    r.sent = r.begin = r.end = time_of(d, "at");
  }
  return r;
}

void read_header(recording& to, std::string_view line) {
  rapidjson::Document d;
  try {
    parse_line(d, line);
    if (text_of(d, "event") != "header" || !d.HasMember("format"))
      throw read_error("no header");
  } catch (const read_error&) {
    throw read_error("is no trace: its first line is no header of one");
  }
  const auto version = number_of(d, "format");
  if (version != format_version)
    throw read_error(
        fmt::format("is a trace of format {}; this program reads format {}", version, format_version));
  to.mode = text_of(d, "mode");
  to.program = text_of(d, "program");
  to.scenario = text_of(d, "scenario");
  to.replica = text_of(d, "replica");
  to.command = text_of(d, "command");
  to.seed = number_of(d, "seed");
  to.replicas = number_of(d, "replicas");
  if (const auto members = d.FindMember("members"); members != d.MemberEnd() && members->value.IsArray())
    for (const auto& id : members->value.GetArray())
      if (id.IsString())
        to.members.emplace_back(id.GetString(), id.GetStringLength());
  to.began = d.HasMember("began") ? time_of(d, "began") : 0;
}

} // namespace

const value& value::operator[](std::string_view name) const {
  static const value nothing;
  for (const auto& [key, v] : members)
    if (key == name)
      return v;
  return nothing;
}

bool value::has(std::string_view name) const {
  return std::any_of(members.begin(), members.end(), [name](const auto& m) { return m.name == name; });
}

std::uint64_t value::number() const {
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::string value::print() const {
  const auto braced = [](const value& v) {
    return v.members.empty() ? v.print() : fmt::format("{{{}}}", v.print());
  };
  std::string out;
  if (!members.empty()) {
    for (const auto& [name, v] : members)
      out += fmt::format("{}{}={}", out.empty() ? "" : " ", name, braced(v));
    return out;
  }
  if (!items.empty()) {
    for (const auto& item : items)
      out += fmt::format("{}{}", out.empty() ? "" : ", ", braced(item));
    return fmt::format("[{}]", out);
  }
  if (!is_text)
    return text.empty() ? "[]" : text;
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > ' ' && c != '"' && c != '=' && c != 0x7F;
  });
  if (plain)
    return text;
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

value parse(const std::string& text) {
  rapidjson::Document d;
  d.Parse<how>(text.data(), text.size());
  return d.HasParseError() ? value{} : convert(d);
}

record read_line(std::string_view line) {
  rapidjson::Document d;
  parse_line(d, line);
  return to_record(d);
}

recording read(std::string_view text, std::string path) {
  recording result;
  result.path = std::move(path);
  std::size_t number = 0;
  while (!text.empty() && result.damage.empty()) {
    const auto newline = text.find('\n');
    const auto line = text.substr(0, newline);
    text.remove_prefix(newline == text.npos ? text.size() : newline + 1);
    if (++number == 1) {
      read_header(result, line);
      continue;
    }
    try {
      if (newline == text.npos)
        throw read_error("is cut off");
      result.records.push_back(read_line(line));
      result.records.back().line = number;
    } catch (const read_error& error) {
      result.damage = fmt::format("line {} {}: read up to there", number, error.what());
    }
  }
  if (number == 0)
    throw read_error("is empty");
  result.complete = result.damage.empty() && !result.records.empty() && result.records.back().event == "end";
  return result;
}

} // namespace troupe::trace
