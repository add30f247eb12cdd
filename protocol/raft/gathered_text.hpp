#pragma once
// A text that grows to any length without a stop.

#include <algorithm>
#include <string>
#include <string_view>

namespace troupe::raft {

/// A string that grows moves all of itself now and then, which takes milliseconds for tens of megabytes. This
/// one moves a little with each piece: when it is full, the larger place is nearly filled already.
class gathered_text {
 public:
  const std::string& text() const { return text_; }
  std::size_t size() const { return text_.size(); }

  void append(std::string_view piece) {
    if (text_.size() + piece.size() > text_.capacity()) {
      copy(text_.size());
      larger_.reserve(text_.size() + piece.size());
      text_.swap(larger_);
      larger_ = {};
      larger_.reserve(std::max(2 * text_.capacity(), least_bytes));
    }
    text_ += piece;
    copy(bytes_for_each * piece.size());
  }

  std::string take() {
    larger_ = {};
    return std::move(text_);
  }

 private:
  static constexpr std::size_t least_bytes = std::size_t{1} << 20;
  /// Half of the text came since the last move, and all of it goes.
  static constexpr std::size_t bytes_for_each = 3;

  void copy(std::size_t bytes) {
    larger_.append(text_, larger_.size(), std::min(bytes, text_.size() - larger_.size()));
  }

  std::string text_;
  std::string larger_; ///< the first of it
};

} // namespace troupe::raft
