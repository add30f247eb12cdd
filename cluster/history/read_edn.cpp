#include "cluster/history/quoted.hpp"
#include "cluster/history/readers.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace troupe::history {

namespace {

/// A value of EDN, of the few kinds that there are in histories.
struct edn_value {
  enum class kind { nil, keyword, number, text };
  edn_value::kind type = kind::nil;
  std::string content; ///< a keyword with its colon

  bool operator==(const edn_value&) const = default;
};

class edn_reader {
 public:
  edn_reader(std::string_view line, std::size_t number) : rest_(line), number_(number) {}

  [[noreturn]] void refuse(const std::string& why) const { throw read_error(number_, why); }

  bool at(char c) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t,"), rest_.size()));
    return rest_.starts_with(c);
  }

  void expect(char c) {
    if (!at(c))
      refuse(fmt::format("{} where a {} should be", here(), c));
    rest_.remove_prefix(1);
  }

  void expect_end() {
    at(' ');
    if (!rest_.empty())
      refuse(fmt::format("{} after the end of the map", here()));
  }

  edn_value value() {
    if (at('"'))
      return {edn_value::kind::text, text()};
    const auto word = rest_.substr(0, rest_.find_first_of(" \t,{}[]()\""));
    edn_value v{edn_value::kind::number, std::string(word)};
    if (word == "nil")
      v = {};
    else if (word.size() > 1 && word[0] == ':')
      v.type = edn_value::kind::keyword;
    else if (word.empty() || word.size() > 20 ||
             word.find_first_not_of("0123456789", word[0] == '-') != word.npos)
      refuse(fmt::format("{} is neither a string, a number, a keyword nor nil", here()));
    rest_.remove_prefix(word.size());
    return v;
  }

 private:
  std::string here() const { return rest_.empty() ? "the end of the line" : quoted(rest_, 40); }

  std::string text() {
    std::string out;
    for (rest_.remove_prefix(1);;) {
      const auto plain = std::min(rest_.find_first_of("\"\\"), rest_.size());
      out += rest_.substr(0, plain);
      rest_.remove_prefix(plain);
      if (rest_.size() < 2 && !rest_.starts_with('"'))
        refuse("a string has no end");
      if (rest_[0] == '"') {
        rest_.remove_prefix(1);
        return out;
      }
      out += escaped(rest_[1]);
      rest_.remove_prefix(2);
    }
  }

  char escaped(char c) const {
    switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '"':
    case '\\':
      return c;
    default:
      refuse(fmt::format("{} is not an escape that is understood", quoted(std::string{'\\', c})));
    }
  }

  std::string_view rest_;
  std::size_t number_;
};

/// The map of one line: the fields of a history, each at most once.
class edn_line {
 public:
  edn_line(std::string_view line, std::size_t number) : reader_(line, number) {
    reader_.expect('{');
    while (!reader_.at('}'))
      read_field();
    reader_.expect('}');
    reader_.expect_end();
  }

  [[noreturn]] void refuse(const std::string& why) const { reader_.refuse(why); }

  const edn_value& at(std::string_view name) const {
    const auto found = fields_.find(name);
    if (found == fields_.end())
      refuse(fmt::format("{} is missing", name));
    return found->second;
  }

  std::string process() const {
    const auto& v = at(":process");
    if (v.type != edn_value::kind::number && v.type != edn_value::kind::keyword)
      refuse(":process must be a number or a keyword");
    return v.content;
  }

  std::string text(std::string_view name) const {
    const auto& v = at(name);
    if (v.type != edn_value::kind::text)
      refuse(fmt::format("{} must be a string", name));
    return v.content;
  }

  /// Which of these keywords a field is.
  template <std::size_t count>
  std::size_t one_of(std::string_view name, const std::array<std::string_view, count>& keywords) const {
    const auto& v = at(name);
    const auto found = std::find(keywords.begin(), keywords.end(), v.content);
    if (v.type != edn_value::kind::keyword || found == keywords.end())
      refuse(fmt::format("{} must be one of {}", name, fmt::join(keywords, ", ")));
    return static_cast<std::size_t>(found - keywords.begin());
  }

 private:
  void read_field() {
    static constexpr std::array<std::string_view, 8> names{":process", ":type", ":f",     ":key",
                                                           ":value",   ":time", ":index", ":error"};
    const auto name = reader_.value();
    if (name.type != edn_value::kind::keyword ||
        std::find(names.begin(), names.end(), name.content) == names.end())
      refuse(fmt::format("{} is not a field of an operation", quoted(name.content, 40)));
    if (!fields_.emplace(name.content, reader_.value()).second)
      refuse(fmt::format("{} is there twice", name.content));
  }

  edn_reader reader_;
  std::map<std::string, edn_value, std::less<>> fields_;
};

enum line_type : std::size_t { invoke, ok, fail, info };
constexpr std::array<std::string_view, 4> types{":invoke", ":ok", ":fail", ":info"};
constexpr std::array<std::string_view, 3> functions{":get", ":put", ":append"};
constexpr std::array kinds{operation_kind::get, operation_kind::put, operation_kind::append};
constexpr std::array endings{ending::unknown, ending::ok, ending::refused, ending::unknown};

void begin(const edn_line& line, std::size_t number, operation_kind kind, line_pairing& pairs) {
  operation o;
  o.client = line.process();
  o.kind = kind;
  o.key = line.text(":key");
  if (kind != operation_kind::get)
    o.value = line.text(":value");
  pairs.begin(number, std::move(o));
}

void end(const edn_line& line, std::size_t number, operation_kind kind, ending how, line_pairing& pairs) {
  const auto process = line.process();
  auto& o = pairs.end(number, process, kind, line.text(":key"), how);
  if (how != ending::ok)
    return;
  const auto value = line.text(":value");
  if (kind == operation_kind::get)
    o.result = value;
  else if (o.value != value)
    line.refuse(fmt::format("{} is not the value with which line {} begins it", quoted(value, 40), o.line));
}

} // namespace

operations read_edn(std::string_view text) {
  line_pairing pairs;
  for_each_line(text, [&](std::string_view content, std::size_t number) {
    const edn_line line(content, number);
    const auto type = line.one_of(":type", types);
    const auto kind = kinds[line.one_of(":f", functions)];
    if (type == invoke)
      begin(line, number, kind, pairs);
    else
      end(line, number, kind, endings[type], pairs);
  });
  return pairs.take();
}

} // namespace troupe::history
