#include "protocol/wire/parser.hpp"

#include "protocol/utf8.hpp"

#include <fmt/format.h>
#include <optional>
#include <rapidjson/error/en.h>

namespace troupe::wire {
namespace {

/// Builds the document, but not too deep, and only of strings that are UTF-8. RapidJSON, even when it is told
/// to validate, lets through the second halves of surrogate pairs: a leader could then store what no follower
/// would take from it.
class guard {
 public:
  explicit guard(rapidjson::Document& document) : document_(document) {}

  /// Why the guard stopped the parser, if it did.
  std::optional<decode_problem> problem() const { return problem_; }

  bool Null() { return document_.Null(); }
  bool Bool(bool b) { return document_.Bool(b); }
  bool Int(int n) { return document_.Int(n); }
  bool Uint(unsigned n) { return document_.Uint(n); }
  bool Int64(std::int64_t n) { return document_.Int64(n); }
  bool Uint64(std::uint64_t n) { return document_.Uint64(n); }
  bool Double(double n) { return document_.Double(n); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool copy) {
    return document_.RawNumber(text, size, copy);
  }
  bool String(const char* text, rapidjson::SizeType size, bool copy) {
    return whole(text, size) && document_.String(text, size, copy);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) {
    return whole(text, size) && document_.Key(text, size, copy);
  }
  bool StartObject() { return enter() && document_.StartObject(); }
  bool EndObject(rapidjson::SizeType members) {
    --depth_;
    return document_.EndObject(members);
  }
  bool StartArray() { return enter() && document_.StartArray(); }
  bool EndArray(rapidjson::SizeType elements) {
    --depth_;
    return document_.EndArray(elements);
  }

 private:
  bool stop(decode_problem why) {
    problem_ = why;
    return false;
  }

  bool enter() { return ++depth_ <= max_depth || stop(decode_problem::too_deep); }

  bool whole(const char* text, rapidjson::SizeType size) {
    return is_utf8({text, size}) || stop(decode_problem::not_utf8);
  }

  rapidjson::Document& document_;
  std::size_t depth_ = 0;
  std::optional<decode_problem> problem_;
};

decode_problem kind_of(rapidjson::ParseErrorCode code) {
  return code == rapidjson::kParseErrorStringUnicodeSurrogateInvalid ? decode_problem::not_utf8
                                                                     : decode_problem::malformed;
}

} // namespace

std::variant<const json*, decode_error> codec::parser::parse(std::string_view bytes) {
  if (bytes.size() > max_bytes) {
    return decode_error{decode_problem::too_long, fmt::format("{} bytes in one message", bytes.size())};
  }
  text_.assign(bytes.begin(), bytes.end());
  text_.push_back('\0');
  document_.SetNull();
  pool_.Clear();

  guard handler(document_);
  rapidjson::InsituStringStream stream(text_.data());
  rapidjson::ParseResult result;
  auto generate = [&](rapidjson::Document&) {
    result = reader_.Parse<rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag>(stream, handler);
    return !result.IsError();
  };
  document_.Populate(generate);
  if (handler.problem()) {
    return decode_error{*handler.problem(),
                        fmt::format("{} at byte {}", to_string(*handler.problem()), stream.Tell())};
  }
  if (result.IsError()) {
    return decode_error{kind_of(result.Code()), fmt::format("at byte {}: {}", result.Offset(),
                                                            rapidjson::GetParseError_En(result.Code()))};
  }
  if (stream.Tell() != bytes.size()) {
    return decode_error{decode_problem::malformed, fmt::format("at byte {}: a NUL", stream.Tell())};
  }
  return &document_;
}

} // namespace troupe::wire
