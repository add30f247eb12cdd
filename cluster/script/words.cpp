#include "cluster/script/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace troupe::script {

namespace {

constexpr std::size_t most_shown = 40;
constexpr duration longest_time = std::chrono::hours(1);

struct time_unit {
  std::string_view name;
  duration length;
};
constexpr std::array<time_unit, 4> time_units{{{"us", std::chrono::microseconds(1)},
                                               {"ms", std::chrono::milliseconds(1)},
                                               {"s", std::chrono::seconds(1)},
                                               {"min", std::chrono::minutes(1)}}};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size())
    return std::nullopt;
  return value;
}

} // namespace

void complain(const place& where, const std::string& what) {
  throw script_error(fmt::format("{}:{}: {}", where.origin, where.line, what));
}

std::string in_quotes(std::string_view text) {
  std::string shown = "\"";
  for (const char c : text.substr(0, most_shown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F)
      shown += fmt::format("\\x{:02x}", byte);
    else
      shown += c;
  }
  return shown + (text.size() > most_shown ? "...\"" : "\"");
}

words::words(std::string_view line, place where) : where_(std::move(where)) {
  constexpr std::string_view space = " \t\r,";
  constexpr std::string_view alone = ":=[]";
  while (!line.empty() && line.front() != '#') {
    const char c = line.front();
    std::size_t length = 1;
    if (space.find(c) != space.npos) {
      line.remove_prefix(1);
      continue;
    }
    if (c == '"') {
      const auto end = line.find('"', 1);
      if (end == line.npos)
        complain(fmt::format("the text that begins with {} has no closing quote", in_quotes(line.substr(1))));
      words_.push_back({std::string(line.substr(1, end - 1)), true});
      line.remove_prefix(end + 1);
      continue;
    }
    if (is_letter(c))
      length = static_cast<std::size_t>(std::find_if_not(line.begin(), line.end(), is_letter) - line.begin());
    else if (line.starts_with(".."))
      length = 2;
    else if (alone.find(c) == alone.npos)
      complain(fmt::format("{} means nothing here", in_quotes(line.substr(0, 1))));
    words_.push_back({std::string(line.substr(0, length)), false});
    line.remove_prefix(length);
  }
}

bool words::sees(std::string_view word) const {
  return !done() && !words_[next_].is_quoted && words_[next_].text == word;
}

bool words::accept(std::string_view word) {
  if (!sees(word))
    return false;
  ++next_;
  return true;
}

void words::require(std::string_view word) {
  if (accept(word))
    return;
  if (done())
    complain(fmt::format("{} is missing at the end of the line", in_quotes(word)));
  complain(fmt::format("{} is wanted, not {}", in_quotes(word), in_quotes(words_[next_].text)));
}

void words::finish() const {
  if (!done())
    complain(fmt::format("the line should end before {}", in_quotes(words_[next_].text)));
}

const words::token& words::take(std::string_view what) {
  if (done())
    complain(fmt::format("{} is missing at the end of the line", what));
  return words_[next_++];
}

std::string words::text(std::string_view what) { return take(what).text; }

std::string words::word(std::string_view what) {
  const auto& t = take(what);
  if (t.is_quoted || !is_letter(t.text.front()))
    complain(fmt::format("{} is wanted, not {}", what, in_quotes(t.text)));
  return t.text;
}

bool words::sees_number() const {
  return !done() && !words_[next_].is_quoted && is_digit(words_[next_].text.front());
}

std::uint64_t words::number(std::string_view what, std::uint64_t least, std::uint64_t most) {
  const auto& t = take(what);
  const auto value = t.is_quoted ? std::nullopt : to_number(t.text);
  if (!value || *value < least || *value > most)
    complain(
        fmt::format("{} must be a whole number from {} to {}, not {}", what, least, most, in_quotes(t.text)));
  return *value;
}

duration words::time(std::string_view what) {
  const auto& t = take(what);
  const auto digits =
      static_cast<std::size_t>(std::find_if_not(t.text.begin(), t.text.end(), is_digit) - t.text.begin());
  const auto count = t.is_quoted ? std::nullopt : to_number(std::string_view(t.text).substr(0, digits));
  const auto unit = digits < t.text.size() ? t.text.substr(digits) : done() ? "" : words_[next_++].text;
  const auto known = std::find_if(time_units.begin(), time_units.end(),
                                  [&unit](const time_unit& u) { return u.name == unit; });
  if (!count || known == time_units.end() ||
      *count > static_cast<std::uint64_t>(longest_time / known->length))
    complain(fmt::format("{} must be a time up to an hour, like 20 us, 500 ms, 2 s or 1 min", what));
  return static_cast<duration::rep>(*count) * known->length;
}

} // namespace troupe::script
