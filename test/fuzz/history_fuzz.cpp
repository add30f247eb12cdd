// Arbitrary bytes are taken for a history, in each of the three formats. Either they are refused with a line
// and a reason, or they can be judged, and in our own format they are judged the same.

#include "cluster/history/describe.hpp"
#include "cluster/history/read.hpp"
#include "cluster/history/write.hpp"
#include "test/fuzz/fuzz.hpp"

#include <algorithm>
#include <sstream>

using namespace troupe::history;
using troupe::test::require;

namespace {

/// Few configurations are enough to try everything, and no clock decides what a run covers.
check_limits limits() {
  check_limits few;
  few.memory_bytes = std::size_t{64} << 10U;
  few.now = [] { return std::chrono::nanoseconds(0); };
  return few;
}

bool printable(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; });
}

void require_fields_that_count(const explanation& e) {
  require(e.culprit < e.stretch.size(), "the culprit is one of the stretch");
  require(!e.why.empty() && printable(e.why), "the reason can be printed");
  auto shown = describe(e, clock::counter);
  shown.erase(std::remove(shown.begin(), shown.end(), '\n'), shown.end());
  require(printable(shown), "what is shown can be printed");
}

/// What a writer does not write: where an operation stood, and the end of one that has none.
operations without_lines(operations history) {
  for (auto& o : history) {
    o.line = 0;
    if (o.ending == ending::unknown)
      o.done = 0;
  }
  return history;
}

void judge(const operations& history) {
  const auto result = check(history, limits());
  if (result.explanation)
    require_fields_that_count(*result.explanation);
  std::ostringstream written;
  write(history, written);
  const auto again = read(written.str(), format::troupe);
  require(without_lines(again) == without_lines(history), "what is written is read again");
  require(check(again, limits()).verdict == result.verdict, "and judged the same");
}

void try_as(std::string_view text, std::optional<format> as) {
  operations history;
  try {
    history = read(text, as);
  } catch (const read_error& error) {
    const std::string reason = error.what();
    require(error.line >= 1, "an error has a line");
    require(!reason.empty() && reason.size() < 1000 && printable(reason),
            "an error has a reason that can be printed");
    return;
  }
  require(!history.empty(), "a history has operations");
  judge(history);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = troupe::test::as_text(data, size);
  try_as(text, std::nullopt);
  for (const auto as : {format::troupe, format::jepsen, format::edn})
    if (recognise(text) != as)
      try_as(text, as);
  return 0;
}
