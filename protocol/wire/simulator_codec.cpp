#include "protocol/wire/simulator_codec.hpp"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace troupe::wire {

namespace {

/// Keeps the strings at the top of the object that have a name of ours; walks past everything else.
class envelope_handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, envelope_handler> {
 public:
  std::optional<std::string> src, dst, leader, type, mid, value;
  std::optional<bool> applied;
  bool is_object = false;

  bool Default() {
    forget();
    return true;
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ == 1 && wanted_ != nullptr)
      wanted_->emplace(text, length);
    wanted_ = nullptr;
    return true;
  }
  bool Bool(bool said) {
    if (depth_ == 1 && at_applied_)
      applied = said;
    return Default();
  }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ == 1) {
      wanted_ = slot({text, length});
      at_applied_ = std::string_view(text, length) == "applied";
    }
    return true;
  }
  bool StartObject() {
    is_object = is_object || depth_ == 0;
    return enter();
  }
  bool StartArray() { return enter(); }
  bool EndObject(rapidjson::SizeType) { return leave(); }
  bool EndArray(rapidjson::SizeType) { return leave(); }

 private:
  std::optional<std::string>* slot(std::string_view key) {
    if (key == "src")
      return &src;
    if (key == "dst")
      return &dst;
    if (key == "leader")
      return &leader;
    if (key == "type")
      return &type;
    if (key == "MID")
      return &mid;
    return key == "value" ? &value : nullptr;
  }
  /// A repeated key counts as it stands last, even where it is no string.
  void forget() {
    if (depth_ == 1 && wanted_ != nullptr)
      wanted_->reset();
    wanted_ = nullptr;
  }
  bool enter() {
    forget();
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::optional<std::string>* wanted_ = nullptr;
  bool at_applied_ = false;
  std::size_t depth_ = 0;
};

message_kind kind_of(std::string_view type) {
  if (type == "hello")
    return message_kind::hello;
  if (type == "ok")
    return message_kind::ok;
  if (type == "redirect")
    return message_kind::redirect;
  return type == "fail" ? message_kind::fail : message_kind::other;
}

std::optional<replica_id> id_field(const std::optional<std::string>& text, std::string_view name,
                                   std::string& error) {
  const auto id = text ? parse_id(*text) : std::nullopt;
  if (!id)
    error = fmt::format("{} is {}", name, text ? "not four hexadecimal digits" : "missing");
  return id;
}

int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

using text_writer = rapidjson::Writer<rapidjson::StringBuffer>;

void write_header(text_writer& writer, const request_header& header, const std::string& type) {
  writer.StartObject();
  writer.Key("src");
  writer.String(to_string(header.client));
  writer.Key("dst");
  writer.String(to_string(header.replica));
  writer.Key("leader");
  writer.String(to_string(header.leader));
  writer.Key("type");
  writer.String(type);
  writer.Key("MID");
  writer.String(header.mid);
}

} // namespace

std::optional<replica_id> parse_id(std::string_view text) {
  if (text.size() != 4)
    return std::nullopt;
  int value = 0;
  for (char c : text) {
    if (digit(c) < 0)
      return std::nullopt;
    value = value * 16 + digit(c);
  }
  return replica_id{static_cast<std::uint16_t>(value)};
}

std::optional<envelope> parse_envelope(std::string_view datagram, std::string& error) {
  // In place of a copy: strings without escapes, nearly all of them, then need not be copied one by one.
  static thread_local std::string copy;
  copy.assign(datagram);
  rapidjson::InsituStringStream stream(copy.data());
  rapidjson::Reader reader;
  envelope_handler handler;
  // Iterative, because 65,507 opening brackets must not become as many stack frames.
  const auto result =
      reader.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseInsituFlag>(stream, handler);
  if (result.IsError()) {
    error =
        fmt::format("not JSON: {} (at byte {})", rapidjson::GetParseError_En(result.Code()), result.Offset());
    return std::nullopt;
  }
  if (!handler.is_object) {
    error = "not a JSON object";
    return std::nullopt;
  }
  const auto src = id_field(handler.src, "src", error);
  const auto dst = src ? id_field(handler.dst, "dst", error) : std::nullopt;
  const auto leader = dst ? id_field(handler.leader, "leader", error) : std::nullopt;
  if (!leader)
    return std::nullopt;
  if (!handler.type) {
    error = "type is missing or not a string";
    return std::nullopt;
  }
  const auto kind = kind_of(*handler.type);
  return envelope{*src,
                  *dst,
                  *leader,
                  kind,
                  std::move(*handler.type),
                  std::move(handler.mid),
                  std::move(handler.value),
                  handler.applied.value_or(true)};
}

std::string write_request(const request_header& header, const kv::operation& operation) {
  rapidjson::StringBuffer buffer;
  text_writer writer(buffer);
  std::visit(
      [&](const auto& what) {
        write_header(writer, header, std::string(what.type_name));
        for_each_field(what, [&](std::string_view name, const std::string& text) {
          writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
          writer.String(text);
        });
      },
      operation);
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

} // namespace troupe::wire
