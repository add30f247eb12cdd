#include "cluster/history/quoted.hpp"
#include "cluster/history/readers.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

namespace troupe::history {

namespace {

constexpr std::array written_kinds{operation_kind::get, operation_kind::put, operation_kind::append,
                                   operation_kind::cas, operation_kind::erase};
constexpr std::array written_endings{ending::ok, ending::refused, ending::unknown};

/// One line: an object whose fields are asked for one by one, and none may be left over.
class json_line {
 public:
  json_line(const rapidjson::Value& object, std::size_t number) : object_(object), number_(number) {
    if (!object.IsObject())
      refuse("is not an object");
  }

  [[noreturn]] void refuse(const std::string& why) const { throw read_error(number_, why); }

  std::optional<std::string> text_if_there(const char* name) {
    const auto* value = find(name);
    if (value == nullptr)
      return std::nullopt;
    if (!value->IsString())
      refuse(fmt::format("{} must be a string", name));
    return std::string(value->GetString(), value->GetStringLength());
  }

  std::string text(const char* name) {
    auto value = text_if_there(name);
    if (!value)
      refuse(fmt::format("{} is missing", name));
    return std::move(*value);
  }

  std::int64_t number(const char* name) {
    const auto* value = find(name);
    if (value == nullptr)
      refuse(fmt::format("{} is missing", name));
    if (!value->IsInt64())
      refuse(fmt::format("{} must be a whole number of 64 bits", name));
    return value->GetInt64();
  }

  bool truth(const char* name, bool otherwise) {
    const auto* value = find(name);
    if (value != nullptr && !value->IsBool())
      refuse(fmt::format("{} must be true or false", name));
    return value == nullptr ? otherwise : value->GetBool();
  }

  template <class Choice, std::size_t count>
  Choice one_of(const char* name, const std::array<Choice, count>& choices) {
    const auto given = text(name);
    for (const auto choice : choices)
      if (to_string(choice) == given)
        return choice;
    std::string names;
    for (const auto choice : choices)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", to_string(choice));
    refuse(fmt::format("{} must be one of {}", name, names));
  }

  /// To be asked last: whatever was not asked for has no business here.
  void expect_no_more(std::string_view kind, std::string_view how) const {
    for (const auto& member : object_.GetObject()) {
      const std::string_view name(member.name.GetString(), member.name.GetStringLength());
      if (std::find(asked_.begin(), asked_.end(), name) == asked_.end())
        refuse(fmt::format("{} is not a field of a {} that ends with {}", quoted(name, 40), kind, how));
    }
    if (object_.MemberCount() != found_)
      refuse("a field is there twice");
  }

 private:
  const rapidjson::Value* find(const char* name) {
    asked_.emplace_back(name);
    const auto member = object_.FindMember(name);
    if (member == object_.MemberEnd())
      return nullptr;
    ++found_;
    return &member->value;
  }

  const rapidjson::Value& object_;
  std::size_t number_;
  std::vector<std::string_view> asked_;
  std::size_t found_ = 0;
};

void read_values(json_line& line, operation& o) {
  if (o.kind == operation_kind::cas)
    o.expected = line.text("expected");
  if (o.kind != operation_kind::get && o.kind != operation_kind::erase)
    o.value = line.text("value");
}

void read_answer(json_line& line, operation& o) {
  if (o.kind == operation_kind::get) {
    o.result = line.text("result");
    return;
  }
  o.applied = line.truth("applied", true);
  if (!o.applied)
    o.result = line.text_if_there("result");
}

void read_times(json_line& line, operation& o) {
  o.call = line.number("call");
  if (o.ending == ending::unknown)
    return;
  o.done = line.number("done");
  if (o.done < o.call)
    line.refuse(fmt::format("done at {}, before its call at {}", o.done, o.call));
}

operation read_operation(json_line& line, std::size_t number) {
  operation o;
  o.line = number;
  o.client = line.text_if_there("client").value_or("");
  o.id = line.text_if_there("id").value_or("");
  o.kind = line.one_of("op", written_kinds);
  o.key = line.text("key");
  o.ending = line.one_of("end", written_endings);
  read_values(line, o);
  read_times(line, o);
  if (o.ending == ending::ok)
    read_answer(line, o);
  line.expect_no_more(to_string(o.kind), to_string(o.ending));
  return o;
}

/// RapidJSON with memory that is used again for each line.
class json_parser {
 public:
  const rapidjson::Value& parse(std::string_view line, std::size_t number) {
    document_.SetNull();
    pool_.Clear();
    // Iterative: a line of nothing but brackets is refused, not a stack overflow.
    document_.Parse<rapidjson::kParseIterativeFlag>(line.data(), line.size());
    if (document_.HasParseError())
      throw read_error(number, fmt::format("at byte {}: {}", document_.GetErrorOffset() + 1,
                                           rapidjson::GetParseError_En(document_.GetParseError())));
    return document_;
  }

 private:
  std::vector<char> memory_ = std::vector<char>(std::size_t{16} << 10U);
  rapidjson::MemoryPoolAllocator<> pool_{memory_.data(), memory_.size()};
  rapidjson::Document document_{&pool_};
};

} // namespace

operations read_troupe(std::string_view text) {
  operations history;
  json_parser parser;
  for_each_line(text, [&](std::string_view content, std::size_t number) {
    json_line line(parser.parse(content, number), number);
    history.push_back(read_operation(line, number));
  });
  return history;
}

} // namespace troupe::history
