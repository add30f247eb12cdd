// Is an export what Porcupine's page draws, and is the order that it draws a right one? And is the history
// the one that troupe-check judges?

#include "cluster/history/linearizable.hpp"
#include "cluster/history/orders.hpp"
#include "cluster/history/read.hpp"
#include "cluster/history/witness.hpp"
#include "cluster/trace/history_of.hpp"
#include "test/trace/exported.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <map>
#include <set>

using namespace troupe;
using namespace troupe::test;

namespace {

using json = rapidjson::Value;
using history::operation_kind;

const json& member(const json& object, const char* name) {
  REQUIRE_MESSAGE((object.IsObject() && object.HasMember(name)), name);
  return object[name];
}

std::string text(const json& object, const char* name) {
  const auto& m = member(object, name);
  REQUIRE_MESSAGE(m.IsString(), name);
  return {m.GetString(), m.GetStringLength()};
}

std::int64_t number(const json& object, const char* name) {
  const auto& m = member(object, name);
  REQUIRE_MESSAGE(m.IsInt64(), name);
  return m.GetInt64();
}

void check_members(const json& object, const std::set<std::string>& names) {
  std::set<std::string> found;
  for (const auto& m : object.GetObject())
    found.insert(m.name.GetString());
  CHECK(found == names);
}

void check_annotation(const json& a) {
  check_members(a, {"ClientId", "Tag", "Start", "End", "OriginalStart", "OriginalEnd", "Description",
                    "Details", "Annotation", "TextColor", "BackgroundColor"});
  CHECK(!text(a, "Tag").empty());
  CHECK(number(a, "Start") <= number(a, "End"));
  CHECK(!text(a, "Description").empty());
  text(a, "Details");
  CHECK(member(a, "Annotation").IsTrue());
  CHECK(text(a, "TextColor").empty());
  CHECK(text(a, "BackgroundColor").empty());
}

void check_operation(const json& o) {
  check_members(o, {"ClientId", "Start", "End", "OriginalStart", "OriginalEnd", "Description", "Metadata"});
  CHECK(number(o, "ClientId") >= 0);
  CHECK(number(o, "Start") <= number(o, "End"));
  CHECK(!text(o, "OriginalStart").empty());
  CHECK(!text(o, "OriginalEnd").empty());
  CHECK(!text(o, "Description").empty());
  CHECK(!text(o, "Metadata").empty());
}

/// Indices into the history, each once; `Largest` says which order has one.
void check_orders(const json& partition) {
  const auto count = member(partition, "History").Size();
  const auto& orders = member(partition, "PartialLinearizations");
  REQUIRE(orders.IsArray());
  std::map<std::string, std::set<rapidjson::SizeType>> of;
  for (rapidjson::SizeType i = 0; i < orders.Size(); ++i) {
    CHECK(!orders[i].Empty()); // the page asks for the last one
    std::set<std::int64_t> seen;
    for (const auto& step : orders[i].GetArray()) {
      check_members(step, {"Index", "StateDescription"});
      const auto index = number(step, "Index");
      CHECK(index >= 0);
      CHECK(index < count);
      CHECK(seen.insert(index).second);
      of[std::to_string(index)].insert(i);
      text(step, "StateDescription");
    }
  }
  const auto& largest = member(partition, "Largest");
  REQUIRE(largest.IsObject());
  CHECK(largest.MemberCount() == of.size());
  for (const auto& m : largest.GetObject())
    CHECK(of[m.name.GetString()].contains(m.value.GetUint()));
}

/// In a row of the page nothing overlaps.
void check_rows(const json& partitions) {
  std::map<std::int64_t, std::vector<std::pair<std::int64_t, std::int64_t>>> rows;
  for (const auto& p : partitions.GetArray())
    for (const auto& o : p["History"].GetArray())
      rows[number(o, "ClientId")].emplace_back(number(o, "Start"), number(o, "End"));
  for (auto& [row, times] : rows) {
    std::sort(times.begin(), times.end());
    for (std::size_t i = 1; i < times.size(); ++i)
      CHECK(times[i].first > times[i - 1].second);
  }
  CHECK(rows.rbegin()->first + 1 == static_cast<std::int64_t>(rows.size()));
}

void check_grammar(const rapidjson::Document& d) {
  check_members(d, {"Partitions", "Annotations"});
  for (const auto& a : member(d, "Annotations").GetArray())
    check_annotation(a);
  for (const auto& p : member(d, "Partitions").GetArray()) {
    check_members(p, {"History", "PartialLinearizations", "Largest"});
    for (const auto& o : member(p, "History").GetArray())
      check_operation(o);
    check_orders(p);
  }
  check_rows(member(d, "Partitions"));
}

/// A key of a store, as simple as it can be.
struct one_key {
  std::string held;
  /// False if the answer says something else.
  bool play(const history::operation& o) {
    const bool answered = o.ending == history::ending::ok;
    if (o.kind == operation_kind::get)
      return !answered || o.result.value_or("") == held;
    if (o.kind == operation_kind::cas) {
      const bool applies = held == o.expected;
      if (answered && applies != o.applied)
        return false;
      if (applies)
        held = o.value;
      return true;
    }
    if (answered && !o.applied)
      return true;
    held = o.kind == operation_kind::append ? held + o.value : o.kind == operation_kind::put ? o.value : "";
    return true;
  }
};

/// Every operation of the trace is in a partition; the order has all of them, keeps to their times and gives
/// them their answers.
void check_against(const rapidjson::Document& d, const history::operations& told) {
  std::map<std::string, const history::operation*> by_name;
  for (const auto& o : told)
    by_name[o.client + " " + o.id] = &o;
  std::size_t count = 0;
  for (const auto& p : d["Partitions"].GetArray()) {
    const auto& all = p["History"];
    count += all.Size();
    REQUIRE(p["PartialLinearizations"].Size() == 1);
    const auto& order = p["PartialLinearizations"][0];
    CHECK(order.Size() == all.Size());
    one_key key;
    std::int64_t latest_call = -1;
    for (const auto& step : order.GetArray()) {
      const auto& o = all[step["Index"].GetUint()];
      CHECK(number(o, "End") >= latest_call);
      latest_call = std::max(latest_call, number(o, "Start"));
      REQUIRE(by_name.contains(text(o, "Metadata")));
      const auto& meant = *by_name[text(o, "Metadata")];
      CHECK(text(o, "Description").starts_with(to_string(meant.kind)));
      CHECK(text(o, "OriginalStart") == std::to_string(meant.call));
      CHECK(key.play(meant));
      if (key.held.size() < 30)
        CHECK(text(step, "StateDescription") == "\"" + key.held + "\"");
    }
  }
  CHECK(count == told.size());
}

std::string message(int id, const std::string& type, const std::string& content) {
  return fmt::format(
      R"({{"event":"message","id":{0},"replica":"0000","from":"x","to":"router","sent":{0},"begin":{0},"end":{0},"type":"{1}","content":{2}}})"
      "\n",
      id, type, content);
}

std::string asked(int id, const std::string& what, const std::string& key, const std::string& value) {
  return message(
      id, "client_request",
      fmt::format(
          R"({{"id":{{"client":"C000","MID":"{}"}},"operation":{{"type":"{}","key":"{}","value":"{}"}}}})",
          id, what, key, value));
}

std::string answered(int id, int request, const std::string& value) {
  return message(
      id, "client_answer",
      fmt::format(
          R"({{"reply":{{"type":"client_ok","id":{{"client":"C000","MID":"{}"}},"value":"{}","applied":true}}}})",
          request, value));
}

} // namespace

TEST_CASE("porcupine: a run is what its page draws, with an order that explains every answer") {
  for (const auto& run : traced_runs()) {
    CAPTURE(run.name);
    const auto out = export_as(target::porcupine, run.story).text;
    const auto d = parsed(out);
    check_grammar(d);
    check_against(d, trace::history_of(run.story).operations);
    for (const auto c : {'<', '>', '&'}) // it becomes a part of a page
      CHECK(out.find(c) == out.npos);
  }
}

TEST_CASE("porcupine: what befell replicas is there, and when clients asked") {
  const auto d = parsed(export_as(target::porcupine, traced_runs().front().story).text);
  int crashes = 0;
  bool leads = false;
  for (const auto& a : d["Annotations"].GetArray()) {
    crashes += text(a, "Tag").starts_with("replica ") && text(a, "Description") == "crash" ? 1 : 0;
    leads = leads || text(a, "Description").find("leads") != std::string::npos;
  }
  CHECK(leads);
  CHECK(crashes == 2);
  // Small numbers, in the order of the true ones.
  std::map<std::int64_t, std::int64_t> times;
  for (const auto& p : d["Partitions"].GetArray())
    for (const auto& o : p["History"].GetArray())
      times[std::stoll(text(o, "OriginalStart"))] = number(o, "Start");
  std::int64_t before = -1;
  for (const auto& [original, t] : times) {
    CHECK(t > before);
    CHECK(t % 100 == 0);
    before = t;
  }
}

TEST_CASE("porcupine: a history that nothing explains is drawn up to where it can be explained") {
  const auto& run = traced_runs().front();
  auto text = run.text;
  // The last get reads what no write made.
  const auto answer = text.rfind("\"type\":\"client_ok\"", text.rfind("\"value\":\""));
  const auto value = text.find("\"value\":\"", answer);
  REQUIRE(value != text.npos);
  text.insert(value + 9, "never written ");
  const auto story = story_of(text);
  const auto d = parsed(export_as(target::porcupine, story).text);
  check_grammar(d);
  std::size_t missing = 0;
  for (const auto& p : d["Partitions"].GetArray())
    if (p["PartialLinearizations"].Empty() || p["PartialLinearizations"][0].Size() < p["History"].Size())
      ++missing;
  CHECK(missing == 1);
  const auto operations = history::read(export_as(target::history, story).text);
  CHECK(history::check(operations).verdict == history::verdict::not_linearizable);
}

TEST_CASE("porcupine: whatever clients wrote does no harm to the page, and no order is empty") {
  const std::string nasty = "</script><b>&amp;";
  const auto out =
      export_as(target::porcupine,
                story_of("{\"event\":\"header\",\"format\":1}\n" + asked(1, "put", nasty, nasty) +
                         answered(2, 1, nasty) + asked(3, "get", "k", "") + answered(4, 3, "never written")))
          .text;
  CHECK(out.find('<') == out.npos);
  const auto d = parsed(out);
  check_grammar(d);
  const auto& partitions = d["Partitions"];
  REQUIRE(partitions.Size() == 2);
  CHECK(text(partitions[0]["History"][0], "Description") == "put \"" + nasty + "\" \"" + nasty + "\"");
  CHECK(text(partitions[0]["PartialLinearizations"][0][0], "StateDescription") ==
        "\"&lt;/script&gt;&lt;b&gt;&amp;amp;\"");
  CHECK(partitions[1]["PartialLinearizations"].Empty());
}

TEST_CASE("history: what an export says is what the checker reads, and judges") {
  for (const auto& run : traced_runs()) {
    CAPTURE(run.name);
    auto read = history::read(export_as(target::history, run.story).text, history::format::troupe);
    const auto told = trace::history_of(run.story).operations;
    REQUIRE(read.size() == told.size());
    for (std::size_t i = 0; i < told.size(); ++i) {
      CHECK(read[i].line == i + 1);
      CHECK(read[i].client == told[i].client);
      CHECK(read[i].id == told[i].id);
      CHECK(read[i].kind == told[i].kind);
      CHECK(read[i].key == told[i].key);
      CHECK(read[i].call == told[i].call);
      CHECK(read[i].ending == told[i].ending);
      if (told[i].ending != history::ending::unknown)
        CHECK(read[i].done == told[i].done);
    }
    CHECK_FALSE(history::find_misfit(read, trace::history_of(run.story).writes_in_log));
  }
  const auto read = history::read(export_as(target::history, traced_runs().front().story).text);
  CHECK(history::check(read).verdict == history::verdict::linearizable);
}

TEST_CASE("export: a trace without clients has no history") {
  const auto nothing =
      story_of("{\"event\":\"header\",\"format\":1}\n{\"event\":\"end\",\"id\":1,\"at\":5,\"text\":\"\"}\n");
  CHECK_THROWS_AS(export_as(target::history, nothing), trace::export_error);
  CHECK_THROWS_AS(export_as(target::porcupine, nothing), trace::export_error);
  CHECK(parsed(export_as(target::perfetto, nothing).text)["traceEvents"].IsArray());
}
