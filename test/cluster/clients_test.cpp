#include "cluster/course/clients.hpp"

#include "test/cluster/message_support.hpp"

#include <doctest/doctest.h>
#include <map>
#include <set>

using namespace troupe;
using namespace troupe::course;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

const std::vector<replica_id> five{{0}, {1}, {2}, {3}, {4}};

/// Clients, and the store that a perfect replica would have.
struct fixture {
  explicit fixture(double mix, std::uint64_t seed = 1) : all(mix, {seed, 1}, log) {}

  std::optional<seen_request> ask(instant now = {}) {
    const auto out = all.generate(living, now);
    return out ? std::optional(read_request(out->bytes)) : std::nullopt;
  }
  std::optional<seen_request> answer(const seen_request& r, const std::string& type, replica_id leader,
                                     std::optional<std::string> value = {}, instant now = {}) {
    wire::envelope m;
    m.src = {0};
    m.dst = *wire::parse_id(r.client);
    m.leader = leader;
    m.kind = type == "ok"         ? wire::message_kind::ok
             : type == "redirect" ? wire::message_kind::redirect
                                  : wire::message_kind::fail;
    m.type = type;
    m.mid = r.mid;
    m.value = std::move(value);
    const auto out = all.receive(m, {0}, living, now);
    return out ? std::optional(read_request(out->bytes)) : std::nullopt;
  }
  /// Does what is asked.
  void serve(const seen_request& r, replica_id leader = {0}) {
    if (r.type == "put")
      store[r.key] = r.value;
    answer(r, "ok", leader, r.type == "get" ? std::optional(store[r.key]) : std::nullopt);
  }

  record log;
  clients all;
  std::vector<replica_id> living = five;
  std::map<std::string, std::string> store;
};

} // namespace

TEST_CASE("eight clients ask, with keys of their own and MIDs that never repeat") {
  fixture f(0.5);
  std::set<std::string> who, mids;
  std::map<std::string, std::string> owner;
  for (int i = 0; i < 1000; ++i) {
    const auto r = f.ask();
    if (!r)
      continue;
    who.insert(r->client);
    CHECK(mids.insert(r->mid).second);
    CHECK(owner.emplace(r->key, r->client).first->second == r->client);
    f.serve(*r);
  }
  CHECK(who.size() == 8);
  CHECK(f.log.figures.incorrect == 0);
}

TEST_CASE("gets are that part of the requests which mix says") {
  fixture f(0.3);
  for (int i = 0; i < 5000; ++i)
    if (const auto r = f.ask())
      f.serve(*r);
  const auto gets = f.log.figures.gets + f.log.figures.gets_not_generated;
  CHECK(gets > 1350);
  CHECK(gets < 1650);
  CHECK(f.log.figures.puts == 5000 - f.log.figures.gets);
  CHECK(f.log.figures.gets_ok == f.log.figures.gets);
  CHECK(f.log.figures.puts_ok == f.log.figures.puts);
}

TEST_CASE("a get of a client that has stored nothing is counted as not generated, and becomes a put") {
  fixture f(1);
  const auto r = f.ask();
  REQUIRE(r);
  CHECK(r->type == "put");
  CHECK(f.log.figures.gets_not_generated == 1);
  CHECK(f.log.figures.gets == 0);
  CHECK(f.log.figures.puts == 1);

  // Unanswered puts give nothing to read; answered ones do, to their own client alone.
  for (int i = 0; i < 100; ++i)
    CHECK(f.ask()->type == "put");
  f.serve(*r);
  for (int i = 0; i < 100; ++i) {
    const auto next = f.ask();
    CHECK((next->type == "get") == (next->client == r->client));
  }
}

TEST_CASE("a put writes a new key or one that the client has, and always another value") {
  fixture f(0);
  std::set<std::string> keys, values;
  for (int i = 0; i < 400; ++i) {
    const auto r = f.ask();
    REQUIRE(r);
    keys.insert(r->key);
    CHECK(values.insert(r->value).second);
    f.serve(*r);
  }
  CHECK(keys.size() > 120);
  CHECK(keys.size() < 280);
}

TEST_CASE("without a known leader a random living replica is asked") {
  fixture f(0);
  f.living = {{1}, {3}};
  std::set<std::string> asked;
  for (int i = 0; i < 100; ++i) {
    const auto r = f.ask();
    REQUIRE(r);
    CHECK(r->leader == "FFFF");
    asked.insert(r->replica);
  }
  CHECK(asked == std::set<std::string>{"0001", "0003"});
}

TEST_CASE("a client asks the leader of its last answer while it lives, and no other client does") {
  fixture f(0);
  const auto first = f.ask();
  f.answer(*first, "ok", {2});
  std::set<std::string> others;
  for (int i = 0; i < 200; ++i) {
    const auto r = f.ask();
    if (r->client != first->client) {
      others.insert(r->replica);
      continue;
    }
    CHECK(r->replica == "0002");
    CHECK(r->leader == "0002");
  }
  CHECK(others.size() == 5);
  std::erase(f.living, replica_id{2});
  for (int i = 0; i < 50; ++i)
    CHECK(f.ask()->replica != "0002");
}

TEST_CASE("every answer counts for the leader, even one too many") {
  fixture f(0);
  const auto first = f.ask();
  f.answer(*first, "ok", {2});
  f.answer(*first, "ok", {4});
  for (int i = 0; i < 100; ++i)
    if (const auto r = f.ask(); r->client == first->client)
      CHECK(r->replica == "0004");
}

TEST_CASE("clients that forget the leader ask anybody") {
  fixture f(0);
  for (int i = 0; i < 100; ++i)
    f.serve(*f.ask(), {2});
  f.all.forget_leader();
  std::set<std::string> asked;
  for (int i = 0; i < 100; ++i) {
    const auto r = f.ask();
    CHECK(r->leader == "FFFF");
    asked.insert(r->replica);
  }
  CHECK(asked.size() == 5);
}

TEST_CASE("a redirect makes the client ask its leader at once, the same thing under a new MID") {
  fixture f(0);
  const auto r = f.ask();
  const auto again = f.answer(*r, "redirect", {3});
  REQUIRE(again);
  CHECK(again->replica == "0003");
  CHECK(again->client == r->client);
  CHECK(again->type == "put");
  CHECK(again->key == r->key);
  CHECK(again->value == r->value);
  CHECK(again->mid != r->mid);
  f.answer(*again, "ok", {3});
  f.all.finish({});
  CHECK(f.log.figures.redirects == 1);
  CHECK(f.log.figures.fails == 0);
  CHECK(f.log.figures.puts == 1);
  CHECK(f.log.figures.puts_ok == 1);
  CHECK(f.log.figures.failures() == 0);
}

TEST_CASE("a fail is counted and asked again at once") {
  fixture f(0);
  const auto r = f.ask();
  const auto again = f.answer(*r, "fail", nobody);
  REQUIRE(again);
  CHECK(again->key == r->key);
  CHECK(again->mid != r->mid);
  CHECK(f.log.figures.fails == 1);
  f.answer(*again, "ok", {0});
  f.all.finish({});
  CHECK(f.log.figures.failures() == 1);
}

TEST_CASE("what is not answered ok at the end is unanswered, and never asked again by itself") {
  fixture f(0);
  const auto put = f.ask();
  f.answer(*put, "redirect", {3});
  f.ask();
  f.all.finish({});
  CHECK(f.log.figures.puts_unanswered == 2);
  CHECK(f.log.figures.gets_unanswered == 0);
  // The first one was sent again under another MID, to the leader that it was told of.
  REQUIRE(f.log.figures.unanswered.size() == 2);
  CHECK(f.log.figures.unanswered[0].key == put->key);
  CHECK(f.log.figures.unanswered[0].mid != put->mid);
  CHECK(f.log.figures.unanswered[0].asked == replica_id{3});
}

TEST_CASE("the longest silence may be the last one, for as long as anybody asked") {
  fixture f(0);
  const auto at = [](duration d) { return instant{d}; };
  f.answer(*f.ask(at(1s)), "ok", {0}, {}, at(2s));
  f.answer(*f.ask(at(4s)), "ok", {0}, {}, at(5s));
  f.all.finish({});
  CHECK(f.log.figures.longest_silence == 3s);
  f.ask(at(6s));
  f.ask(at(9s));
  f.all.finish({});
  CHECK(f.log.figures.longest_silence == 4s);
}

TEST_CASE("an answer to what was answered ok is a duplicate and changes nothing else") {
  for (const char* type : {"ok", "redirect", "fail"}) {
    fixture f(0);
    const auto r = f.ask();
    f.answer(*r, "ok", {0});
    CHECK_FALSE(f.answer(*r, type, {1}));
    CHECK(f.log.figures.duplicates == 1);
    CHECK(f.log.figures.incorrect == 0);
    CHECK(f.log.figures.puts_ok == 1);
    CHECK(f.log.figures.redirects == 0);
    CHECK(f.log.figures.fails == 0);
    CHECK(f.log.figures.latencies.puts.size() == 1);
    CHECK(f.log.complaints().at({replica_id{0}, misdeed::second_answer}).count == 1);
  }
}

TEST_CASE("an answer to what was redirected or failed is incorrect") {
  for (const char* no : {"redirect", "fail"})
    for (const char* type : {"ok", "redirect", "fail"}) {
      fixture f(0);
      const auto r = f.ask();
      f.answer(*r, no, {1});
      CHECK_FALSE(f.answer(*r, type, {1}));
      CHECK(f.log.figures.incorrect == 1);
      CHECK(f.log.figures.duplicates == 0);
      CHECK(f.log.figures.puts_ok == 0);
      CHECK(f.log.complaints().count({replica_id{0}, misdeed::answer_after_no}) == 1);
    }
}

TEST_CASE("an answer for an unknown MID, for none, or for another client's is incorrect") {
  fixture f(0);
  auto r = *f.ask();
  auto stranger = r;
  stranger.mid = std::string("?");
  f.answer(stranger, "ok", {0});
  CHECK(f.log.figures.incorrect == 1);
  auto other = r;
  other.client = std::string(r.client == "C000" ? "C001" : "C000");
  f.answer(other, "ok", {0});
  CHECK(f.log.figures.incorrect == 2);
  wire::envelope nameless{{0}, *wire::parse_id(r.client), {0}, wire::message_kind::ok, "ok", {}, {}};
  f.all.receive(nameless, {0}, f.living, {});
  CHECK(f.log.figures.incorrect == 3);
  CHECK(f.log.complaints().at({replica_id{0}, misdeed::unknown_mid}).count == 3);
  CHECK(f.log.figures.puts_ok == 0);
}

TEST_CASE("a get must return the record, whatever else is wrong") {
  for (const auto& value : std::vector<std::optional<std::string>>{std::nullopt, "", "x"}) {
    fixture f(0.5);
    while (f.log.figures.gets < 1) {
      const auto r = f.ask();
      if (r && r->type == "get")
        f.answer(*r, "ok", {0}, value);
      else if (r)
        f.serve(*r);
    }
    CHECK(f.log.figures.incorrect == 1);
    CHECK(f.log.complaints().count({replica_id{0}, misdeed::wrong_value}) == 1);
  }
}

TEST_CASE("a get is compared with the record at the time of its answer") {
  // A put of the same key that is answered while the get is on its way changes what is right.
  fixture f(0.5);
  std::optional<seen_request> get;
  std::string old_value;
  while (f.log.figures.incorrect == 0) {
    const auto r = f.ask();
    if (r && !get && r->type == "get") {
      get = r;
      old_value = f.store[get->key];
    } else if (r) {
      f.serve(*r);
    }
    if (get && f.store[get->key] != old_value)
      f.answer(*get, "ok", {0}, old_value);
  }
  CHECK(f.log.figures.incorrect == 1);

  fixture g(0.5);
  get.reset();
  while (!get || g.store[get->key] == old_value) {
    const auto r = g.ask();
    if (r && !get && r->type == "get") {
      get = r;
      old_value = g.store[get->key];
    } else if (r) {
      g.serve(*r);
    }
  }
  g.answer(*get, "ok", {0}, g.store[get->key]);
  CHECK(g.log.figures.incorrect == 0);
}

TEST_CASE("a put that is not answered does not change the record") {
  fixture f(0.5);
  for (int i = 0; i < 2000; ++i) {
    const auto r = f.ask();
    if (!r || (r->type == "put" && f.store.count(r->key) > 0))
      continue;
    f.serve(*r);
  }
  CHECK(f.log.figures.puts_ok < f.log.figures.puts);
  CHECK(f.log.figures.gets_ok > 100);
  CHECK(f.log.figures.incorrect == 0);
}

TEST_CASE("latency is measured for each MID, redirects and fails included") {
  fixture f(0);
  const instant start{1s};
  const auto r = f.ask(start);
  const auto second = f.answer(*r, "redirect", {1}, {}, start + 1ms);
  const auto third = f.answer(*second, "fail", {1}, {}, start + 3ms);
  f.answer(*third, "ok", {1}, {}, start + 7ms);
  CHECK(f.log.figures.latencies.puts == std::vector<duration>{1ms, 2ms, 4ms});
  CHECK(f.log.figures.latencies.gets.empty());
}

TEST_CASE("a request that is sent round and round is reported") {
  fixture f(0);
  auto r = f.ask();
  for (std::uint64_t i = 0; i < clients::storm_bounces; ++i) {
    CHECK(f.log.complaints().empty());
    r = f.answer(*r, "redirect", {i % 2 ? replica_id{1} : replica_id{2}});
  }
  CHECK(f.log.complaints().count({replica_id{0}, misdeed::redirect_storm}) == 1);
}
