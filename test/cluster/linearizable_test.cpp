#include "cluster/history/describe.hpp"
#include "cluster/history/linearizable.hpp"
#include "test/cluster/history_support.hpp"

#include <doctest/doctest.h>
#include <numeric>
#include <random>
#include <stdexcept>

using namespace troupe;
using namespace troupe::test;
using history::check;
using history::verdict;

namespace {

verdict judged(const operations& history) { return check(history).verdict; }

operation on(std::string key, operation o) {
  o.key = std::move(key);
  return o;
}

/// Clients that write and read in turns, one after the other.
operations long_history(std::int64_t length) {
  operations history;
  for (std::int64_t i = 0; i < length; i += 2) {
    history.push_back(put(2 * i, 2 * i + 1, std::to_string(i)));
    history.push_back(get(2 * i + 2, 2 * i + 3, std::to_string(i)));
  }
  return history;
}

/// A time that passes by a second whenever somebody looks.
history::check_limits hurried(std::chrono::seconds limit) {
  history::check_limits limits;
  limits.time = limit;
  limits.now = [time = std::chrono::nanoseconds(0)]() mutable { return time += std::chrono::seconds(1); };
  return limits;
}

/// Every cas between five values, twice, all at the same time: there are very many orders, and all of them
/// end where they began, which is not where the get finds the key.
operations hard_history() {
  operations history{put(1, 2, "0")};
  for (int i = 0; i < 50; ++i)
    if (i / 5 % 5 != i % 5)
      history.push_back(cas(3 + i, 100 + i, std::to_string(i / 5 % 5), std::to_string(i % 5)));
  history.push_back(get(200, 201, "1"));
  return history;
}

/// So many clients, each with one operation after the other: writes of ever new values, and reads of what was
/// there at a moment between call and end.
operations busy_history(std::int64_t clients, std::int64_t length) {
  std::minstd_rand random(1);
  const auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(random()) % n; };
  operations history;
  std::vector<std::int64_t> moments;
  std::vector<std::int64_t> free(static_cast<std::size_t>(clients), 0);
  for (std::int64_t i = 0; i < length; ++i) {
    auto& start = free[static_cast<std::size_t>(i % clients)];
    const auto call = start + 1 + below(20);
    moments.push_back(call + below(50));
    start = moments.back() + below(50);
    history.push_back(below(2) == 0 ? put(call, start, std::to_string(i)) : get(call, start, ""));
  }
  std::vector<std::size_t> order(history.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return moments[a] < moments[b]; });
  std::string value;
  for (const auto i : order)
    if (history[i].kind == operation_kind::put)
      value = history[i].value;
    else
      history[i].result = value;
  return history;
}

} // namespace

TEST_SUITE_BEGIN("linearizability");

TEST_CASE("nothing at all is linearizable") {
  const auto result = check({});
  CHECK(result.verdict == verdict::linearizable);
  CHECK(result.keys == 0);
}

TEST_CASE("a key that was never written or was deleted holds nothing") {
  CHECK(judged({get(1, 2, "")}) == verdict::linearizable);
  CHECK(judged({get(1, 2, "a")}) == verdict::not_linearizable);
  CHECK(judged({put(1, 2, "a"), erase(3, 4), get(5, 6, "")}) == verdict::linearizable);
  CHECK(judged({put(1, 2, "a"), erase(3, 4), get(5, 6, "a")}) == verdict::not_linearizable);
  CHECK(judged({erase(3, 4), cas(5, 6, "", "b"), get(7, 8, "b")}) == verdict::linearizable);
}

TEST_CASE("a read sees the last write that ended before it, or one that went on at the same time") {
  CHECK(judged({put(1, 2, "a"), put(3, 6, "b"), get(4, 5, "a")}) == verdict::linearizable);
  CHECK(judged({put(1, 2, "a"), put(3, 6, "b"), get(4, 5, "b")}) == verdict::linearizable);
  CHECK(judged({put(1, 2, "a"), put(3, 6, "b"), get(7, 8, "a")}) == verdict::not_linearizable);
}

TEST_CASE("what was read once by somebody cannot be unread") {
  CHECK(judged({put(1, 10, "a"), get(2, 3, "a"), get(4, 5, "")}) == verdict::not_linearizable);
  CHECK(judged({put(1, 10, "a"), get(2, 3, ""), get(4, 5, "a")}) == verdict::linearizable);
}

TEST_CASE("an append adds to whatever is there when it takes effect") {
  CHECK(judged({append(1, 9, "a"), append(2, 8, "b"), get(10, 11, "ba")}) == verdict::linearizable);
  CHECK(judged({append(1, 2, "a"), append(3, 4, "b"), get(10, 11, "ba")}) == verdict::not_linearizable);
  CHECK(judged({append(1, 2, "a"), append(3, 4, "b"), get(10, 11, "a")}) == verdict::not_linearizable);
  CHECK(judged({append(1, 2, "a"), put(3, 4, ""), append(5, 6, "a"), get(10, 11, "a")}) ==
        verdict::linearizable);
}

TEST_CASE("a cas is applied if and only if it meets what it expects") {
  CHECK(judged({put(1, 2, "a"), cas(3, 4, "a", "b"), get(5, 6, "b")}) == verdict::linearizable);
  CHECK(judged({put(1, 2, "a"), cas(3, 4, "x", "b")}) == verdict::not_linearizable);
  CHECK(judged({put(1, 2, "a"), cas(3, 4, "x", "b", false), get(5, 6, "a")}) == verdict::linearizable);
  CHECK(judged({put(1, 2, "a"), cas(3, 4, "a", "b", false)}) == verdict::not_linearizable);
  CHECK(judged({put(1, 2, "a"), put(3, 9, "b"), cas(4, 5, "a", "c", false)}) == verdict::linearizable);
}

TEST_CASE("what a cas found instead has to have been there, and not be what it expected") {
  CHECK(judged({put(1, 2, "a"), cas_that_found(3, 4, "x", "a")}) == verdict::linearizable);
  CHECK(judged({put(1, 2, "a"), cas_that_found(3, 4, "x", "z")}) == verdict::not_linearizable);
  CHECK(judged({put(1, 2, "x"), cas_that_found(3, 4, "x", "x")}) == verdict::not_linearizable);
}

TEST_CASE("a write that was answered not to be applied changes nothing") {
  auto too_long = put(3, 4, "long");
  too_long.applied = false;
  CHECK(judged({put(1, 2, "a"), too_long, get(5, 6, "a")}) == verdict::linearizable);
  CHECK(judged({put(1, 2, "a"), too_long, get(5, 6, "long")}) == verdict::not_linearizable);
}

TEST_CASE("what was refused had no effect") {
  CHECK(judged({put(1, 2, "a"), refused(put(3, 4, "b")), get(5, 6, "a")}) == verdict::linearizable);
  CHECK(judged({put(1, 2, "a"), refused(put(3, 4, "b")), get(5, 6, "b")}) == verdict::not_linearizable);
}

TEST_CASE("what was not answered may take effect at any time from its call on, once or never") {
  const auto lost = unanswered(put(3, 0, "b"));
  CHECK(judged({put(1, 2, "a"), lost, get(5, 6, "a"), get(7, 8, "a")}) == verdict::linearizable);
  CHECK(judged({put(1, 2, "a"), lost, get(5, 6, "a"), get(7, 8, "b")}) == verdict::linearizable);
  CHECK(judged({put(1, 2, "a"), lost, get(5, 6, "b"), get(7, 8, "a")}) == verdict::not_linearizable);
  CHECK(judged({get(1, 2, "b"), lost}) == verdict::not_linearizable);
  CHECK(judged({unanswered(append(1, 0, "b")), get(5, 6, "bb")}) == verdict::not_linearizable);
}

TEST_CASE("keys have nothing to do with each other") {
  const auto result = check({on("a", put(1, 2, "x")), on("b", get(3, 4, "")), on("a", get(5, 6, "x")),
                             on("b", get(7, 8, "x")), on("c", get(7, 8, ""))});
  CHECK(result.verdict == verdict::not_linearizable);
  REQUIRE(result.explanation);
  CHECK(result.explanation->key == "b");
  CHECK(result.keys == 3);
}

TEST_CASE("what ends in the moment in which another is called counts as concurrent") {
  CHECK(judged({put(1, 5, "a"), get(5, 6, "")}) == verdict::linearizable);
  CHECK(judged({put(1, 4, "a"), get(5, 6, "")}) == verdict::not_linearizable);
}

TEST_CASE("an operation that is done before its call is refused") {
  CHECK_THROWS_AS(check({put(5, 4, "a")}), std::invalid_argument);
  CHECK(judged({unanswered(put(5, 4, "a"))}) == verdict::linearizable);
}

TEST_CASE("the order in which a history is told does not matter") {
  CHECK(judged({get(5, 6, "b"), put(3, 4, "b"), put(1, 2, "a")}) == verdict::linearizable);
  CHECK(judged({get(5, 6, "a"), put(3, 4, "b"), put(1, 2, "a")}) == verdict::not_linearizable);
}

TEST_CASE("a long history of one key is judged without deep recursion, and looks at each operation once") {
  const auto history = long_history(100'000);
  const auto result = check(history);
  CHECK(result.verdict == verdict::linearizable);
  CHECK(result.configurations <= history.size());
  auto wrong = long_history(10'000);
  wrong.push_back(get(1'000'000, 1'000'001, "16"));
  const auto explained = check(wrong);
  REQUIRE(explained.verdict == verdict::not_linearizable);
  CHECK(explained.explanation->stretch.size() == 2);
}

TEST_CASE("writes of which nothing was seen cost nothing, however many there are") {
  auto history = long_history(100);
  for (int i = 0; i < 300; ++i)
    history.push_back(unanswered(put(i, 0, fmt::format("lost {}", i))));
  history.push_back(cas(500, 501, "never written", "x", false));
  const auto result = check(history);
  CHECK(result.verdict == verdict::linearizable);
  CHECK(result.configurations < 1000);
}

TEST_CASE("many clients that write at once are told apart by what was read") {
  const auto result = check(busy_history(100, 2000));
  CHECK(result.verdict == verdict::linearizable);
  CHECK(result.configurations < 5000);
}

TEST_CASE("of appends and puts at the same time those that made what was read find their places") {
  operations history;
  for (int i = 0; i < 20; ++i) {
    history.push_back(put(i, 200 - i, fmt::format("v{}.", i)));
    history.push_back(append(20 + i, 150 - i, fmt::format("+{}.", i)));
  }
  for (const auto* read : {"v3.+7.+1.", "v5.+2.", "v5.+2.+19.", "v8.+4.+11.+9.", "v13.+0."})
    history.push_back(get(50, 60, read));
  history.push_back(get(300, 301, "v6.+18."));
  const auto result = check(history);
  CHECK(result.verdict == verdict::linearizable);
  CHECK(result.configurations < 100);
  history.push_back(append(160, 161, "!"));
  history.push_back(get(302, 303, "v4.+18.!"));
  const auto spoiled = check(history);
  CHECK(spoiled.verdict == verdict::not_linearizable);
  CHECK(spoiled.configurations < 10'000);
}

TEST_CASE("a write that only those meet that can read at once is in nobody's way") {
  operations history;
  for (int i = 0; i < 30; ++i) {
    history.push_back(put(i, 200 - i, fmt::format("v{}", i)));
    history.push_back(get(30 + i, 100 - i, fmt::format("v{}", i)));
    history.push_back(put(i, 200 - i, fmt::format("never read {}", i)));
  }
  history.push_back(put(300, 301, "w"));
  CHECK(check(history).verdict == verdict::linearizable);
  history.push_back(get(302, 303, "v3"));
  const auto result = check(history);
  CHECK(result.verdict == verdict::not_linearizable);
  CHECK(result.configurations < 10'000);
}

TEST_CASE("when the time is over the verdict is unknown, and says so") {
  const auto result = check(hard_history(), hurried(std::chrono::seconds(3)));
  CHECK(result.verdict == verdict::unknown);
  CHECK(result.undecided == "key \"k\": the time is over");
}

TEST_CASE("when the memory is used up the verdict is unknown, and says so") {
  auto limits = hurried(std::chrono::hours(1000));
  limits.memory_bytes = 100'000;
  const auto result = check(hard_history(), limits);
  CHECK(result.verdict == verdict::unknown);
  CHECK(result.undecided == "key \"k\": the memory is used up");
}

TEST_CASE("a key that cannot be judged does not hide another one that cannot be explained") {
  auto history = hard_history();
  history.push_back(on("z", get(1, 2, "never written")));
  auto limits = hurried(std::chrono::hours(1000));
  limits.memory_bytes = 100'000;
  const auto result = check(history, limits);
  CHECK(result.verdict == verdict::not_linearizable);
  CHECK(result.explanation->key == "z");
  CHECK(result.undecided.empty());
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("linearizability: explanations");

TEST_CASE("a stale read is explained by the write that it should have seen") {
  auto history = long_history(200);
  history.push_back(get(1000, 1001, "100"));
  const auto result = check(history);
  REQUIRE(result.explanation);
  const auto& e = *result.explanation;
  REQUIRE(e.stretch.size() == 2);
  CHECK(history::what_happened(e.stretch[0]) == "get -> \"198\"");
  CHECK(history::what_happened(e.stretch[1]) == "get -> \"100\"");
  CHECK(e.culprit == 1);
  REQUIRE(e.sources.size() == 1);
  CHECK(history::what_happened(e.sources[0]) == "put \"100\"");
  CHECK(e.would_fit == std::vector<std::string>{"198"});
  CHECK(e.why == "the get of client c1000 cannot have read \"100\": after get -> \"198\" of client c398 no "
                 "write makes that value in time");
}

TEST_CASE("a value that nobody wrote explains itself") {
  auto history = long_history(20);
  history.push_back(get(1000, 1001, "x"));
  history.push_back(get(1002, 1003, "18"));
  const auto result = check(history);
  REQUIRE(result.explanation);
  CHECK(result.explanation->stretch.size() == 1);
  CHECK(result.explanation->why == "the get of client c1000 cannot have read \"x\": no choice of the writes "
                                   "called before its end, in any order, makes that value");
}

TEST_CASE("an operation that cannot have met what it says is named, whatever it is") {
  const auto why = [](const operations& history) { return check(history).explanation->why; };
  CHECK(why({put(1, 2, "a"), cas(3, 4, "x", "b")}).find("the cas of client c3 cannot have met the \"x\"") ==
        0);
  CHECK(why({put(1, 2, "a"), cas(3, 4, "a", "b", false)}).find("anything but the \"a\" that it expected") !=
        std::string::npos);
  CHECK(why({put(1, 2, "a"), cas_that_found(3, 4, "x", "z")})
            .find("the cas of client c3 cannot have found \"z\"") == 0);
}

TEST_CASE("an explanation is drawn over time") {
  const auto result = check({put(1, 2, "a"), put(3, 40, "b"), get(5, 6, "b"), get(7, 8, "a")});
  REQUIRE(result.explanation);
  CHECK(
      history::describe(*result.explanation, history::clock::counter) ==
      R"(key "k": the get of client c7 cannot have read "a": after get -> "b" of client c5 no write makes that value in time
      |-|      client c5: get -> "b" (from 5 to 6)
          |-|  client c7: get -> "a" (from 7 to 8)  <--
that value was written here:
  |-|          client c1: put "a" (from 1 to 2)
what would fit instead: "b"
)");
}

TEST_CASE("of long values the place is shown where they differ") {
  const std::string text(200, 'x');
  const auto result =
      check({put(1, 2, fmt::format("{0}a{0}", text)), get(5, 6, fmt::format("{0}b{0}", text))});
  REQUIRE(result.explanation);
  const auto shown = history::describe(*result.explanation, history::clock::counter);
  CHECK(shown.find("differ from byte 201 on: \"bxx") != std::string::npos);
  CHECK(shown.find(std::string(100, 'x')) == std::string::npos);
}

TEST_CASE("what comes from outside is shown in printable characters") {
  const auto result = check({on("k\n\x1b", get(1, 2, "\x07\xFF\xC3\xA4"))});
  REQUIRE(result.explanation);
  const auto shown = history::describe(*result.explanation, history::clock::counter);
  CHECK(shown.find("key \"k\\n\\x1b\": ") == 0);
  CHECK(shown.find("\\x07\\xff") != std::string::npos);
}

TEST_SUITE_END();
