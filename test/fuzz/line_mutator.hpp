#pragma once
// Changes inputs that are lines of JSON in ways that leave most of them readable: a changed byte is hardly
// ever a message, a changed number is always one.

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::test {

class line_mutator {
 public:
  /// @param examples  lines that may be put in
  line_mutator(std::string_view text, const std::vector<std::string>& examples, unsigned seed)
      : examples_(examples), random_(seed) {
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      lines_.emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  std::string mutated() {
    for (auto changes = 1 + below(3); changes > 0; --changes)
      change();
    std::string text;
    for (const auto& l : lines_)
      text += l + "\n";
    return text;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }

  void change() {
    const auto kind = below(8);
    const auto place = lines_.begin() + static_cast<std::ptrdiff_t>(below(lines_.size() + 1));
    if (lines_.empty() || kind == 0)
      lines_.insert(place, examples_[below(examples_.size())]);
    else if (kind == 1)
      lines_.insert(place, std::string(lines_[below(lines_.size())]));
    else if (kind == 2)
      lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(below(lines_.size())));
    else if (kind == 3)
      std::swap(lines_[below(lines_.size())], lines_[below(lines_.size())]);
    else
      change_number(lines_[below(lines_.size())]);
  }

  /// Of an id too: its digits are numbers between quotes.
  void change_number(std::string& line) {
    std::vector<std::pair<std::size_t, std::size_t>> numbers;
    const auto is_digit = [&](std::size_t i) {
      return std::isdigit(static_cast<unsigned char>(line[i])) != 0;
    };
    for (std::size_t start = 0; start < line.size(); ++start) {
      if (!is_digit(start))
        continue;
      auto end = start;
      while (end < line.size() && is_digit(end))
        ++end;
      numbers.emplace_back(start, end - start);
      start = end;
    }
    if (numbers.empty())
      return;
    const auto [start, length] = numbers[below(numbers.size())];
    const auto old = line.substr(start, length);
    std::string made;
    if (length == 4 && old[0] == '0')
      made = "000" + std::to_string(below(4));
    else if (below(16) == 0)
      made = "4611686018427387903"; // the largest term and index
    else if (length > 9 || below(2) == 0)
      made = std::to_string(below(8));
    else
      made = std::to_string(std::stoul(old) + below(3));
    line.replace(start, length, made);
  }

  const std::vector<std::string>& examples_;
  std::minstd_rand random_;
  std::vector<std::string> lines_;
};

} // namespace troupe::test
