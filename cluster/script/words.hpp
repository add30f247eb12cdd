#pragma once
// A line of a script, word by word.

#include "protocol/types.hpp"

#include <cstdint>
#include <fmt/format.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::script {

/// A script that cannot be played; `what()` is one line: `FILE:LINE: what is wrong`.
struct script_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Where a line comes from, for complaints about it.
struct place {
  std::string origin; ///< the file, as it was named
  std::size_t line = 0;
};
[[noreturn]] void complain(const place& where, const std::string& what);

/// A text as it can be shown in one line: quoted, shortened, with escapes for what cannot be printed.
std::string in_quotes(std::string_view text);

/// The words of one line, to be taken one after the other. Whoever asks for something that is not there
/// gets a script_error that says what was wanted.
///
/// A word is a run of letters, digits, `_` and `-`; a text in quotes; `..`; or one of `: = [ ]`. Commas part
/// words like spaces, and `#` begins a comment.
class words {
 public:
  words(std::string_view line, place where);

  bool done() const { return next_ == words_.size(); }
  const place& where() const { return where_; }
  [[noreturn]] void complain(const std::string& what) const { script::complain(where_, what); }

  /// Takes the next word if it is this one.
  bool accept(std::string_view word);
  /// True if the next word is this one.
  bool sees(std::string_view word) const;
  void require(std::string_view word);
  /// Complains about what is left.
  void finish() const;

  /// Any word, or a text in quotes. `what` says in complaints what it would have meant.
  std::string text(std::string_view what);
  /// One word, no quotes.
  std::string word(std::string_view what);
  /// A whole number from `least` to `most`.
  std::uint64_t number(std::string_view what, std::uint64_t least, std::uint64_t most);
  bool sees_number() const;
  /// `20 us`, `500 ms`, `2 s`, `1 min`; at most an hour.
  duration time(std::string_view what);
  /// One of the words that `names` lists. Returns its place in the list.
  template <class Names>
  std::size_t one_of(const Names& names, std::string_view what) {
    const auto found = word(what);
    std::size_t i = 0;
    std::string known;
    for (const auto& name : names) {
      if (found == name)
        return i;
      ++i;
      known += (known.empty() ? "" : ", ") + std::string(name);
    }
    complain(fmt::format("unknown {} {}; known are: {}", what, in_quotes(found), known));
  }

 private:
  struct token {
    std::string text;
    bool is_quoted = false;
  };
  const token& take(std::string_view what);

  place where_;
  std::vector<token> words_;
  std::size_t next_ = 0;
};

} // namespace troupe::script
