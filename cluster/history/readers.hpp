#pragma once
// The readers of the three formats, and what they share. Private to cluster/history.

#include "cluster/history/read.hpp"

#include <map>

namespace troupe::history {

operations read_troupe(std::string_view text);
operations read_jepsen(std::string_view text);
operations read_edn(std::string_view text);

/// Calls `read_line(line, number)` for each line that is not blank, without what ends it.
template <class ReadLine>
void for_each_line(std::string_view text, ReadLine read_line) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (line.find_first_not_of(" \t,") != line.npos)
      read_line(line, number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// Puts the two lines of an operation together: the one where a process begins it and the one where it ends.
/// The numbers of the lines are the time.
class line_pairing {
 public:
  /// The process begins an operation. Throws read_error if another one of its is open.
  void begin(std::size_t line, operation o);
  /// The process ends its operation, of that kind and on that key; anything else throws read_error.
  operation& end(std::size_t line, const std::string& process, operation_kind kind, std::string_view key,
                 ending how);
  operations take() { return std::move(history_); }

 private:
  struct open_operation {
    std::size_t number = 0; ///< in the history
    bool lost = false;      ///< its end will never be known
  };

  operations history_;
  std::map<std::string, open_operation, std::less<>> open_;
};

} // namespace troupe::history
