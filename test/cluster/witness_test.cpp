#include "cluster/history/linearizable.hpp"
#include "cluster/history/witness.hpp"

#include "test/support/property.hpp"

#include <algorithm>
#include <numeric>

using troupe::test::check_property;
using namespace troupe::history;

namespace {

operation put(const char* value, std::int64_t call, std::int64_t done, ending how = ending::ok) {
  operation o;
  o.kind = operation_kind::put;
  o.key = "k";
  o.value = value;
  o.call = call;
  o.done = done;
  o.ending = how;
  return o;
}

operation get(const char* value, std::int64_t call, std::int64_t done) {
  auto o = put("", call, done);
  o.kind = operation_kind::get;
  o.result = value;
  return o;
}

bool explains(const operations& h, const std::vector<std::size_t>& writes) { return !find_misfit(h, writes); }

} // namespace

TEST_CASE("witness: an order that keeps to times and answers explains a history") {
  const operations h{put("a", 0, 10), put("b", 5, 15), get("b", 6, 8), get("a", 16, 17)};
  CHECK(explains(h, {1, 0}));
  CHECK_FALSE(explains(h, {0, 1}));
}

TEST_CASE("witness: what was answered has taken effect") {
  CHECK_FALSE(explains({put("a", 0, 1)}, {}));
  CHECK(explains({put("a", 0, 1, ending::unknown)}, {}));
  CHECK(explains({put("a", 0, 1, ending::unknown), get("a", 5, 6)}, {0}));
  CHECK_FALSE(explains({put("a", 0, 1, ending::refused), get("a", 5, 6)}, {0}));
}

TEST_CASE("witness: nothing takes effect before it is asked for or after it is answered") {
  CHECK_FALSE(explains({put("a", 10, 20), put("b", 0, 5)}, {0, 1}));
  CHECK_FALSE(explains({put("a", 10, 20), get("a", 0, 5)}, {0}));
  CHECK_FALSE(explains({put("a", 0, 1), put("b", 2, 3), get("a", 4, 5)}, {0, 1}));
  CHECK(explains({put("a", 0, 1), put("b", 2, 9), get("a", 4, 5)}, {0, 1}));
}

TEST_CASE("witness: reads do not go back") {
  const operations h{put("a", 0, 100), put("b", 0, 100), get("b", 1, 2), get("a", 3, 4)};
  CHECK_FALSE(explains(h, {0, 1}));
  CHECK(explains(h, {1, 0}));
}

TEST_CASE("witness: a cas answers for what it found") {
  auto cas = put("b", 2, 3);
  cas.kind = operation_kind::cas;
  cas.expected = "a";
  CHECK(explains({put("a", 0, 1), cas, get("b", 4, 5)}, {0, 1}));
  CHECK_FALSE(explains({cas}, {0}));
  cas.applied = false;
  cas.result = "x";
  CHECK_FALSE(explains({put("a", 0, 1), cas}, {0, 1}));
  CHECK_FALSE(explains({put("z", 0, 1), cas}, {0, 1}));
  CHECK(explains({put("x", 0, 1), cas}, {0, 1}));
}

TEST_CASE("witness: agrees with the search: some order explains a history just if it is linearizable") {
  check_property("orders and histories", [] {
    operations h;
    const auto size = *rc::gen::inRange(0, 6);
    for (int i = 0; i < size; ++i) {
      operation o;
      o.kind = *rc::gen::element(operation_kind::get, operation_kind::put, operation_kind::append,
                                 operation_kind::cas, operation_kind::erase);
      o.key = *rc::gen::element<std::string>("k", "l");
      o.value = *rc::gen::element<std::string>("a", "b");
      o.expected = *rc::gen::element<std::string>("", "a", "b");
      o.call = *rc::gen::inRange(0, 20);
      o.done = o.call + *rc::gen::inRange(1, 10);
      o.ending = *rc::gen::element(ending::ok, ending::ok, ending::unknown);
      if (o.kind == operation_kind::get)
        o.result = *rc::gen::element<std::string>("", "a", "b", "ab");
      if (o.kind == operation_kind::cas)
        o.applied = *rc::gen::arbitrary<bool>();
      h.push_back(o);
    }
    // All orders of all choices of writes.
    std::vector<std::size_t> writes;
    for (std::size_t i = 0; i < h.size(); ++i)
      if (h[i].kind != operation_kind::get)
        writes.push_back(i);
    bool explained = false;
    for (std::size_t chosen = 0; chosen < std::size_t{1} << writes.size(); ++chosen) {
      std::vector<std::size_t> order;
      for (std::size_t i = 0; i < writes.size(); ++i)
        if ((chosen >> i & 1U) != 0)
          order.push_back(writes[i]);
      do
        explained = explained || explains(h, order);
      while (std::next_permutation(order.begin(), order.end()));
    }
    RC_ASSERT(explained == (check(h).verdict == verdict::linearizable));
  });
}

TEST_CASE("witness: says what does not fit") {
  auto late = get("a", 4, 5);
  late.id = "M7";
  late.client = "C001";
  CHECK(find_misfit({put("a", 0, 1), put("b", 2, 3), late}, {0, 1}) ==
        "key k: the get M7 of client C001 read \"a\", which had been replaced before");
  late.result = "z";
  CHECK(find_misfit({put("a", 0, 1), late}, {0}) ==
        "key k: the get M7 of client C001 read \"z\", which the key never held");
}
