// Is an export what ShiViz reads? Its log is parsed as ShiViz does it, with the expression of the first line.

#include "test/trace/exported.hpp"

#include <doctest/doctest.h>
#include <map>
#include <regex>
#include <set>

using namespace troupe;
using namespace troupe::test;

namespace {

using vector_clock = std::map<std::string, std::uint64_t>;

struct event {
  std::string host;
  vector_clock clock;
  std::string text;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != text.npos; begin = end + 1, end = text.find('\n', begin))
    lines.push_back(text.substr(begin, end - begin));
  CHECK(begin == text.size());
  return lines;
}

/// ECMAScript of the standard library has no names for groups, and wants braces escaped.
std::regex expression_of(std::string line) {
  for (const auto* name : {"?<host>", "?<clock>", "?<event>"}) {
    REQUIRE(line.find(name) != line.npos);
    line.erase(line.find(name), std::string(name).size());
  }
  return std::regex(std::regex_replace(line, std::regex("[{}]"), "\\$&"));
}

vector_clock clock_of(const std::string& json) {
  vector_clock clock;
  const auto d = parsed(json);
  REQUIRE(d.IsObject());
  bool right = true; // one word for all of them: checks are dear
  for (const auto& m : d.GetObject()) {
    right = right && m.value.IsUint64() && m.value.GetUint64() > 0 &&
            clock.emplace(m.name.GetString(), m.value.GetUint64()).second;
  }
  CHECK_MESSAGE(right, json);
  return clock;
}

std::vector<event> read_log(const std::string& text) {
  const auto lines = lines_of(text);
  REQUIRE(lines.size() > 2);
  CHECK(lines[0] == "(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)");
  CHECK(lines[1].empty()); // no delimiter between runs
  REQUIRE(lines.size() % 2 == 0);
  const auto expression = expression_of(lines[0]);
  std::vector<event> events;
  for (std::size_t i = 2; i < lines.size(); i += 2) {
    std::smatch match;
    const auto both = lines[i] + '\n' + lines[i + 1];
    REQUIRE_MESSAGE(std::regex_match(both, match, expression), both);
    events.push_back({match[1], clock_of(match[2]), match[3]});
    CHECK(!events.back().host.empty());
    CHECK(!events.back().text.empty());
  }
  return events;
}

bool covers(const vector_clock& a, const vector_clock& b) {
  return std::all_of(b.begin(), b.end(), [&](const auto& entry) {
    const auto mine = a.find(entry.first);
    return mine != a.end() && mine->second >= entry.second;
  });
}

void merge(vector_clock& a, const vector_clock& b) {
  for (const auto& [host, n] : b)
    a[host] = std::max(a[host], n);
}

/// As its own viewer judges it: each host counts its events from 1, and whatever a clock knows of another
/// host it knows with all that this knew.
void check_clocks(const std::vector<event>& events) {
  std::map<std::string, std::vector<vector_clock>> told; // by host, of its events in order
  bool transitive = true;
  for (const auto& e : events) {
    auto& mine = told[e.host];
    REQUIRE(e.clock.contains(e.host));
    CHECK(e.clock.at(e.host) == mine.size() + 1);
    if (!mine.empty())
      CHECK(covers(e.clock, mine.back()));
    for (const auto& [host, n] : e.clock) {
      if (host == e.host)
        continue;
      const auto& others = told[host];
      transitive = transitive && n <= others.size() && covers(e.clock, others[n - 1]);
    }
    mine.push_back(e.clock);
  }
  CHECK(transitive);
}

/// Against the trace: a clock is that of the host's event before and that of the cause, and counts itself.
/// So no cause is missing, and none is made up.
void check_causes(const std::vector<event>& events, const std::vector<trace::record>& records) {
  std::map<std::string, vector_clock> last;
  std::map<std::uint64_t, vector_clock> by_id;
  std::size_t at = 0;
  for (const auto& r : records) {
    if (r.event == "end")
      continue;
    REQUIRE(at < events.size());
    const auto& e = events[at++];
    auto expected = last[e.host];
    if (r.cause != 0) {
      REQUIRE(by_id.contains(r.cause));
      merge(expected, by_id[r.cause]);
    }
    ++expected[e.host];
    CHECK(e.clock == expected);
    last[e.host] = by_id[r.id] = e.clock;
  }
  CHECK(at == events.size());
}

std::set<std::string> hosts_of(const std::vector<event>& events) {
  std::set<std::string> hosts;
  for (const auto& e : events)
    hosts.insert(e.host);
  return hosts;
}

} // namespace

TEST_CASE("shiviz: every line is one that its parser takes, and the clocks are right") {
  for (const auto& run : traced_runs())
    for (const auto t : {target::shiviz, target::shiviz_actors}) {
      CAPTURE(run.name);
      const auto out = export_as(t, run.story);
      const auto events = read_log(out.text);
      check_clocks(events);
      check_causes(events, out.records);
    }
}

TEST_CASE("shiviz: hosts are replicas and clients, or actors if that is wanted") {
  const auto& run = traced_runs().front();
  const auto hosts = hosts_of(read_log(export_as(target::shiviz, run.story).text));
  for (const auto* name : {"0000", "0004", "C000", "C007", "world"})
    CHECK_MESSAGE(hosts.contains(name), name);
  CHECK(hosts.size() == 5 + 8 + 1);
  const auto actors = hosts_of(read_log(export_as(target::shiviz_actors, run.story).text));
  for (const auto* name : {"0000/network", "0000/router", "0000/raft", "0000/log_store", "C000"})
    CHECK_MESSAGE(actors.contains(name), name);
  CHECK_FALSE(actors.contains("0000/"));
}

TEST_CASE("shiviz: an answer's clock knows of the client's request") {
  const auto events = read_log(export_as(target::shiviz, traced_runs().front().story).text);
  std::size_t answers = 0;
  for (const auto& e : events)
    if (e.host.starts_with("C0") && e.text.starts_with("ok ")) {
      ++answers;
      CHECK(e.clock.at(e.host) > 1);
      CHECK(e.clock.size() > 2); // itself, who answered and who helped
    }
  CHECK(answers > 250);
}
