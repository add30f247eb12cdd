#include "cluster/trace/export/ordering.hpp"
#include "test/trace/exported.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <set>

using namespace troupe;
using namespace troupe::test;

namespace {

trace::record happened(std::uint64_t id, std::int64_t at, std::uint64_t cause = 0) {
  trace::record r;
  r.kind = trace::event_kind::network;
  r.event = "network";
  r.id = id;
  r.sent = r.begin = r.end = at;
  r.cause = cause;
  return r;
}

std::vector<std::uint64_t> ordered(const std::vector<trace::record>& records,
                                   std::size_t wait = trace::ordering::usual_wait) {
  std::vector<std::uint64_t> ids;
  trace::ordering o([&](const trace::record& r) { ids.push_back(r.id); }, wait);
  for (const auto& r : records)
    o.take(r);
  o.finish();
  return ids;
}

using ids = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("ordering: by time, and at one moment by number") {
  CHECK(ordered({happened(3, 30), happened(2, 10), happened(1, 10), happened(4, 20)}) == ids{1, 2, 4, 3});
}

TEST_CASE("ordering: no effect before its cause, even where clocks say so") {
  // 2 caused 1 and 1 caused 3: the process of 1 and 3 reads the clock too early.
  CHECK(ordered({happened(1, 10, 2), happened(3, 11, 1), happened(2, 40), happened(4, 30)}) ==
        ids{4, 2, 1, 3});
}

TEST_CASE("ordering: causes that never come and circles are not waited for") {
  CHECK(ordered({happened(1, 10, 77), happened(2, 20, 2)}) == ids{1, 2});
  CHECK(ordered({happened(1, 10, 2), happened(2, 20, 1)}).size() == 2);
}

TEST_CASE("ordering: goes on when enough others came") {
  CHECK(ordered({happened(1, 30), happened(2, 20), happened(3, 10)}, 1) == ids{2, 3, 1});
}

TEST_CASE("ordering: a trace in any order comes out with causes first") {
  for (const auto& run : traced_runs()) {
    CAPTURE(run.name);
    std::vector<trace::record> records = run.story.records();
    for (std::size_t i = 0; i + 64 <= records.size(); i += 64)
      std::reverse(records.begin() + static_cast<std::ptrdiff_t>(i),
                   records.begin() + static_cast<std::ptrdiff_t>(i + 64));
    std::set<std::uint64_t> seen;
    trace::ordering o([&](const trace::record& r) {
      CHECK((r.cause == 0 || seen.contains(r.cause)));
      seen.insert(r.id);
    });
    for (auto& r : records)
      o.take(std::move(r));
    o.finish();
  }
}

TEST_CASE("export: times and names that nobody can reckon with do no harm") {
  std::string text = "{\"event\":\"header\",\"format\":1}\n";
  for (const auto* at : {"3162240000000000000", "-3162240000000000000", "0"})
    text += fmt::format(
        "{{\"event\":\"message\",\"id\":7,\"cause\":7,\"replica\":\"a "
        "b\\n<\",\"from\":\"\\\"\",\"to\":\"\\u0000\","
        "\"type\":\"</script>\",\"sent\":{0},\"begin\":{0},\"end\":{0},\"content\":[1],\"raft\":[]}}\n"
        "{{\"event\":\"x\\ny\",\"at\":{0},\"text\":\"\\n\"}}\n",
        at);
  const auto s = story_of(text);
  const auto d = parsed(export_as(target::perfetto, s).text);
  CHECK(d["traceEvents"].Size() > 6);
  for (const auto& e : d["traceEvents"].GetArray())
    if (std::string(e["ph"].GetString()) == "X")
      CHECK(e["dur"].GetDouble() > 0);
  const auto log = export_as(target::shiviz_actors, s).text;
  CHECK(std::count(log.begin(), log.end(), '\n') == 2 + 2 * 6);
}
