#include "cluster/history/orders.hpp"
#include "test/cluster/history_support.hpp"

#include <doctest/doctest.h>
#include <random>
#include <set>

using namespace troupe;
using namespace troupe::test;
using history::find_orders;
using history::verdict;

namespace {

std::vector<std::size_t> places(const history::key_order& k) {
  std::vector<std::size_t> all;
  for (const auto& o : k.order)
    all.push_back(o.operation);
  return all;
}

/// A few operations on one key with few values, some of which are explained by nothing.
operations random_history(std::uint32_t seed) {
  std::minstd_rand random(seed);
  const auto below = [&](std::uint32_t n) { return static_cast<int>(random() % n); };
  const auto some_value = [&] { return std::to_string(below(3)); };
  operations history;
  const auto count = 2 + below(7);
  for (int i = 0; i < count; ++i) {
    const auto call = below(12);
    const auto done = call + 1 + below(6);
    switch (below(5)) {
    case 0:
      history.push_back(put(call, done, some_value()));
      break;
    case 1:
      history.push_back(append(call, done, below(4) == 0 ? "" : some_value()));
      break;
    case 2:
      history.push_back(cas(call, done, some_value(), some_value(), below(2) == 0));
      break;
    case 3:
      history.push_back(erase(call, done));
      break;
    default:
      history.push_back(get(call, done, below(3) == 0 ? "" : some_value()));
    }
    if (below(4) == 0)
      history.back() = unanswered(history.back());
  }
  return history;
}

/// What the key holds; nothing if the operation cannot have been told what it was.
std::optional<std::string> play(const operation& o, const std::string& held) {
  const bool answered = o.ending == ending::ok;
  if (o.kind == operation_kind::get)
    return !answered || o.result == held ? std::optional(held) : std::nullopt;
  if (o.kind == operation_kind::cas) {
    const bool applies = held == o.expected;
    if (answered && applies != o.applied)
      return std::nullopt;
    return applies ? o.value : held;
  }
  return o.kind == operation_kind::append ? held + o.value : o.kind == operation_kind::put ? o.value : "";
}

/// Each operation once, with its answer, none before one that was over before its call.
void check_order(const operations& history, const history::key_order& k) {
  std::set<std::size_t> seen;
  std::string held;
  for (std::size_t i = 0; i < k.order.size(); ++i) {
    const auto& o = history[k.order[i].operation];
    CHECK(seen.insert(k.order[i].operation).second);
    for (std::size_t before = 0; before < i; ++before)
      if (o.ending == ending::ok)
        CHECK(o.done >= history[k.order[before].operation].call);
    const auto next = play(o, held);
    REQUIRE(next.has_value());
    held = *next;
    CHECK(k.order[i].held == held);
  }
}

} // namespace

TEST_CASE("orders: the one that explains the answers, whatever the times of the writes suggest") {
  const operations h{put(1, 10, "a"), put(2, 9, "b"), get(11, 12, "a")};
  const auto keys = find_orders(h, {});
  REQUIRE(keys.size() == 1);
  CHECK(keys[0].verdict == verdict::linearizable);
  CHECK(places(keys[0]) == std::vector<std::size_t>{1, 0, 2});
  CHECK(keys[0].order.back().held == "a");
}

TEST_CASE("orders: what was never answered comes where it is needed, or last") {
  const operations h{unanswered(put(1, 2, "a")), unanswered(put(1, 2, "b")), get(5, 6, "b")};
  const auto keys = find_orders(h, {});
  CHECK(places(keys[0]) == std::vector<std::size_t>{1, 2, 0});
}

TEST_CASE("orders: what changes nothing and says nothing has its place too") {
  const operations h{append(1, 2, ""), put(3, 4, "a"), append(5, 6, ""), unanswered(put(5, 9, "b")),
                     get(7, 8, "a")};
  const auto keys = find_orders(h, {});
  CHECK(places(keys[0]) == std::vector<std::size_t>{0, 1, 2, 4, 3});
}

TEST_CASE("orders: where there is none, a beginning up to what cannot be explained") {
  const operations h{put(1, 2, "a"), get(3, 4, "a"), get(5, 6, "b"), get(7, 8, "a")};
  const auto keys = find_orders(h, {});
  CHECK(keys[0].verdict == verdict::not_linearizable);
  CHECK(places(keys[0]) == std::vector<std::size_t>{0, 1});
}

TEST_CASE("orders: each key has its own") {
  auto h = operations{put(1, 2, "a"), put(1, 2, "b"), get(3, 4, "a"), get(3, 4, "b")};
  h[1].key = h[3].key = "other";
  const auto keys = find_orders(h, {});
  REQUIRE(keys.size() == 2);
  CHECK(places(keys[0]) == std::vector<std::size_t>{0, 2});
  CHECK(places(keys[1]) == std::vector<std::size_t>{1, 3});
}

TEST_CASE("orders: without time for a search, the order of the log as far as it goes") {
  operations h{put(1, 20, "a"), put(1, 20, "b"), put(1, 20, "c")};
  for (int i = 0; i < 40; ++i) // as many orders as there can be
    h.push_back(cas(2, 19, std::to_string(i % 5), std::to_string(i % 7)));
  history::check_limits limits;
  limits.memory_bytes = 1;
  const auto keys = find_orders(h, {2, 0, 1}, limits);
  CHECK(keys[0].verdict == verdict::unknown);
  CHECK(places(keys[0]) == std::vector<std::size_t>{2, 0, 1});
}

TEST_CASE("orders: of random histories, whole where the checker says linearizable and right in any case") {
  std::size_t whole = 0;
  std::size_t partial = 0;
  for (std::uint32_t seed = 1; seed <= 4000; ++seed) {
    CAPTURE(seed);
    const auto h = random_history(seed);
    const auto keys = find_orders(h, {});
    REQUIRE(keys.size() == 1);
    check_order(h, keys[0]);
    CHECK(keys[0].verdict == history::check(h).verdict);
    const bool is_whole = keys[0].order.size() == h.size();
    CHECK(is_whole == (keys[0].verdict == verdict::linearizable));
    whole += is_whole ? 1 : 0;
    partial += !is_whole && !keys[0].order.empty() ? 1 : 0;
  }
  CHECK(whole > 500);
  CHECK(partial > 500);
}
