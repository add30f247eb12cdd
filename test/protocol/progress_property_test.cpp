// What a leader knows of a follower, whatever is sent and answered in whatever order.

#include "protocol/raft/options.hpp"
#include "protocol/raft/progress.hpp"
#include "test/support/property.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

raft::options small_window() {
  raft::options o;
  o.window_messages = 6;
  o.max_append_bytes = 1'024;
  o.window_bytes = 4'000;
  return o;
}

/// A progress and the leader's side of what is done with it.
struct played {
  raft::options o = small_window();
  raft::progress p;
  instant now{1s};
  std::uint64_t sequence = 0;

  played() { p.next = {1}; }

  void act() {
    now = now + duration(*rc::gen::inRange<std::int64_t>(0, 5'000'000));
    switch (*rc::gen::weightedElement<int>({{4, 0}, {3, 1}, {2, 2}})) {
    case 0:
      p.sent({{++sequence}, now, p.next - 1, *rc::gen::inRange<std::size_t>(0, 1'024)}, o);
      break;
    case 1: // any answer: old, repeated, invented
      p.answer({*rc::gen::inRange<std::uint64_t>(0, sequence + 3)}, now);
      break;
    default:
      p.raise_match({*rc::gen::inRange<std::uint64_t>(0, 50)});
    }
  }
};

std::size_t bytes_on_their_way(const raft::progress& p) {
  std::size_t sum = 0;
  for (const auto& f : p.flights)
    sum += f.bytes;
  return sum;
}

} // namespace

TEST_SUITE_BEGIN("progress: properties");

TEST_CASE("trap 12: match only grows, and next is above it, whatever is answered") {
  check_property("match and next", [] {
    played all;
    const auto acts = *rc::gen::inRange(1, 80);
    for (int i = 0; i < acts; ++i) {
      const auto before = all.p.match;
      all.act();
      RC_ASSERT(all.p.match >= before);
      RC_ASSERT(all.p.next > all.p.match);
    }
  });
}

TEST_CASE("trap 17: what is on its way is counted right and bounded in messages") {
  check_property("flights", [] {
    played all;
    const auto acts = *rc::gen::inRange(1, 80);
    for (int i = 0; i < acts; ++i) {
      all.act();
      const auto& flights = all.p.flights;
      RC_ASSERT(flights.size() <= all.o.window_messages);
      RC_ASSERT(all.p.flight_bytes == bytes_on_their_way(all.p));
      RC_ASSERT(std::is_sorted(flights.begin(), flights.end(),
                               [](const auto& a, const auto& b) { return a.sequence < b.sequence; }));
      RC_ASSERT(all.p.window_is_full(all.o) ==
                (flights.size() >= all.o.window_messages || all.p.flight_bytes >= all.o.window_bytes));
    }
  });
}

TEST_CASE("trap 20: an answer counts once, for the message that it answers, from when that was sent") {
  check_property("answer", [] {
    played all;
    const auto acts = *rc::gen::inRange(1, 40);
    for (int i = 0; i < acts; ++i)
      all.act();
    const sequence_number asked{*rc::gen::inRange<std::uint64_t>(0, all.sequence + 3)};
    const auto sent = std::find_if(all.p.flights.begin(), all.p.flights.end(),
                                   [&](const auto& f) { return f.sequence == asked; });
    const bool on_its_way = sent != all.p.flights.end();
    const auto sent_at = on_its_way ? sent->sent_at : instant{};
    const auto before = all.p.answered;
    const auto found = all.p.answer(asked, all.now);
    RC_ASSERT(found.has_value() == on_its_way);
    RC_ASSERT(all.p.answered == (on_its_way ? std::max(before, asked) : before));
    if (on_its_way)
      RC_ASSERT(all.p.answered_sent_at >= sent_at);
    RC_ASSERT_FALSE(all.p.answer(asked, all.now).has_value());
  });
}

TEST_CASE("retries wait longer and longer, up to the pace of heartbeats") {
  check_property("retry_at", [] {
    raft::options o;
    raft::progress p;
    const auto samples = *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange(0, 300'000'000));
    for (const auto s : samples)
      p.trip.add(duration(s));
    p.last_sent = instant{1s};
    auto before = p.last_sent;
    for (p.retries = 0; p.retries < 40; ++p.retries) {
      const auto at = p.retry_at(o);
      RC_ASSERT(at >= before);
      RC_ASSERT(at > p.last_sent);
      RC_ASSERT(at <= p.last_sent + o.heartbeat_interval);
      before = at;
    }
    RC_ASSERT(before == p.last_sent + o.heartbeat_interval);
  });
}

TEST_CASE("no answer is late that takes as long as all before it") {
  check_property("late_at", [] {
    raft::options o;
    raft::progress p;
    const duration trip(*rc::gen::inRange<std::int64_t>(0, 300'000'000));
    const auto samples = *rc::gen::inRange(1, 50);
    for (int i = 0; i < samples; ++i)
      p.trip.add(trip);
    p.sent({{1}, instant{1s}, {}}, o);
    RC_ASSERT_FALSE(p.is_late(instant{1s} + trip, o));
    RC_ASSERT(p.is_late(instant{1s} + o.heartbeat_interval, o));
  });
}

TEST_SUITE_END();
