// The actor around the core: it carries out effects in order, keeps promises back until they are stored, and
// keeps the time.

#include "actors/raft.hpp"
#include "protocol/invariant.hpp"
#include "test/support/stage.hpp"
#include "trace/read.hpp"
#include "trace/recorder.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

using namespace troupe;
using namespace troupe::test;
using namespace troupe::actors;

namespace {

raft_setup setup_of(raft::options o = {}) { return {self, {{self, other, third}, {}}, o, {}}; }

/// What is stored is reported only when the test says so.
struct raft_stage : stage {
  explicit raft_stage(raft_setup setup = setup_of(), const std::function<void(actors::host&)>& change = {})
      : actor(put<raft_runner>(&rooms::raft, std::move(setup), changed_host(change))) {
    tell(rooms().raft, start{});
  }
  actors::host changed_host(const std::function<void(actors::host&)>& change) {
    auto h = host();
    if (change)
      change(h);
    return h;
  }

  raft_runner& actor;

  template <class Message>
  void says(replica_id from, Message m) {
    tell(rooms().raft, raft::received{from, std::move(m)});
  }
  /// Reports the writes that have arrived at the log store.
  void all_is_stored() {
    for (const auto& w : heard<actors::write>()) {
      const auto last = w.what.entries.empty() ? nullptr : w.what.entries.back();
      tell(rooms().raft,
           write_done{w.number, last ? last->index : log_index{}, last ? last->term : term_number{}});
    }
  }
  /// What left for other replicas, of one kind.
  template <class Message>
  std::vector<Message> left() {
    std::vector<Message> list;
    for (const auto& o : heard<outbound>())
      for (const auto& m : o.messages)
        if (const auto* wanted = std::get_if<Message>(&m.message))
          list.push_back(*wanted);
    return list;
  }
  void becomes_leader() {
    advance(1700ms); // the quiet start and the longest random wait
    says(other, pre_vote_reply{{}, {1}, true});
    all_is_stored();
    says(other, vote_reply{{1}, true, {}});
    REQUIRE(actor.core().role() == raft::role_kind::leader);
  }
  /// A leader whose first entry is committed, and of which nothing is on its way.
  void leads() {
    becomes_leader();
    all_is_stored();
    const auto last = left<append_request>().back();
    says(other, append_accepted{{1}, {last.sequence.value}, {1}});
    says(third, append_accepted{{1}, {last.sequence.value}, {1}});
    REQUIRE(actor.core().commit_index() == log_index{1});
    all();
  }
  propose proposal(const std::string& mid) { return {{{{{"00F1", mid}, kv::put{"k", "v"}}, 100}}}; }
};

append_request heartbeat(std::uint64_t sequence) { return {{1}, {sequence}, {}, {}, {}, {}}; }

append_request append_of_one(std::uint64_t sequence) {
  auto m = heartbeat(sequence);
  m.entries.push_back(
      std::make_shared<raft::entry>(raft::entry{{1}, {1}, raft::no_op{}, raft::no_op_wire_bytes}));
  return m;
}

} // namespace

TEST_CASE("raft: tells where it stands at the start, and then is quiet for a second") {
  raft_stage s;
  CHECK(s.heard<standing_changed>().size() == 2); // to the network and to the router
  CHECK(s.all().empty());
  s.advance(999ms);
  CHECK(s.all().empty());
}

TEST_CASE("raft: campaigns at its deadline") {
  raft_stage s;
  s.all();
  // In small steps: who does not answer is soon asked again.
  std::size_t asked = 0;
  for (auto waited = 0ms; asked == 0 && waited < 1600ms; waited += 10ms) {
    s.advance(10ms);
    asked = s.left<pre_vote_request>().size();
  }
  CHECK(asked == 2);
}

// ---- proposals

TEST_CASE("raft: proposals that are in the mailbox together leave in one append") {
  raft_stage s;
  s.leads();
  s.flush_way();
  s.tell(s.rooms().raft, s.proposal("1"), s.proposal("2"), s.proposal("3"));
  // One flush, behind whatever is on the way that requests take.
  CHECK(s.flush_way() == std::vector<std::string_view>{"network", "router"});
  const auto out = s.only<outbound>();
  REQUIRE(out.messages.size() == 1);
  CHECK(std::get<append_request>(out.messages.front().message).entries.size() == 3);
  const auto results = s.only<outcomes>().list;
  REQUIRE(results.size() == 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    CHECK(results[i].index == log_index{2 + i});
    CHECK(results[i].refusal == raft::refusal::none);
  }
  CHECK(s.only<actors::write>().what.entries.size() == 3);
}

TEST_CASE("raft: the router learns what is committed before any other replica can") {
  raft::options o;
  o.window_messages = 1;
  raft_stage s(setup_of(o));
  s.leads();
  for (const auto* mid : {"1", "2", "3"})
    s.tell(s.rooms().raft, s.proposal(mid));
  s.all_is_stored();
  const auto first = s.left<append_request>().front();
  s.all();
  s.says(other, append_accepted{{1}, first.sequence, {2}});
  const auto heard = s.all();
  const auto told = [&](auto is_it) {
    return std::find_if(heard.begin(), heard.end(), is_it) - heard.begin();
  };
  const auto router = told([](const auto& m) { return std::holds_alternative<committed>(m); });
  const auto others = told([](const auto& m) {
    const auto* out = std::get_if<outbound>(&m);
    return out && std::get<append_request>(out->messages.front().message).commit == log_index{2};
  });
  CHECK(static_cast<std::size_t>(others) < heard.size());
  CHECK(router < others);
}

TEST_CASE("raft: a proposal that comes alone leaves at once, without a flush; others may follow it") {
  raft_stage s;
  s.leads();
  s.flush_way();
  s.tell(s.rooms().raft, s.proposal("1"));
  CHECK(s.flush_way().empty());
  CHECK(s.left<append_request>().size() == 1);
  const std::vector<std::string_view> whole_way{"network", "router"};
  s.pretend_depth(s.rooms().network, 1);
  s.tell(s.rooms().raft, s.proposal("2"));
  CHECK(s.flush_way() == whole_way);
  s.pretend_depth(s.rooms().network, 0);
  s.pretend_depth(s.rooms().router, 1);
  s.tell(s.rooms().raft, s.proposal("3"));
  CHECK(s.flush_way() == whole_way);
  s.pretend_depth(s.rooms().router, 0);
  s.tell(s.rooms().raft, s.proposal("4"));
  CHECK(s.flush_way().empty());
  CHECK(s.left<append_request>().size() == 3);
}

TEST_CASE("raft: what is sent at once leaves before the write of the same step") {
  raft_stage s;
  s.leads();
  s.all();
  s.tell(s.rooms().raft, s.proposal("1"));
  const auto said = s.all();
  const auto first = [&]<class Message>(const Message*) {
    return std::find_if(said.begin(), said.end(),
                        [](const auto& m) { return std::holds_alternative<Message>(m); });
  };
  REQUIRE(first(static_cast<actors::write*>(nullptr)) != said.end());
  CHECK(first(static_cast<outbound*>(nullptr)) < first(static_cast<actors::write*>(nullptr)));
}

TEST_CASE("raft: a later proposal leaves in an append of its own") {
  raft_stage s;
  s.leads();
  s.tell(s.rooms().raft, s.proposal("1"));
  s.tell(s.rooms().raft, s.proposal("2"));
  CHECK(s.left<append_request>().size() == 2);
}

TEST_CASE("raft: every proposal gets an outcome, also when this replica does not lead") {
  raft_stage s;
  s.tell(s.rooms().raft, s.proposal("1"), s.proposal("2"));
  const auto results = s.only<outcomes>().list;
  REQUIRE(results.size() == 2);
  CHECK(results[0].refusal == raft::refusal::not_leader);
  CHECK(results[1].id.mid == "2");
}

TEST_CASE("raft: the router hears of the leader that others hear from") {
  raft_stage s;
  s.advance(1700ms);
  s.advance(1700ms);
  s.all();
  s.says(third, pre_vote_reply{{}, {1}, false, other});
  const auto heard = s.only<leader_heard>();
  CHECK(heard.leader == other);
  CHECK(heard.by_others);
}

// ---- promises

TEST_CASE("raft: a vote leaves only when it is stored") {
  raft_stage s;
  s.all();
  s.says(other, vote_request{{1}, {}, {}, false});
  CHECK(s.left<vote_reply>().empty());
  s.all_is_stored();
  const auto replies = s.left<vote_reply>();
  REQUIRE(replies.size() == 1);
  CHECK(replies.front().granted);
}

TEST_CASE("raft: a request for votes leaves only when this replica's own vote is stored") {
  raft_stage s;
  s.advance(1700ms);
  s.says(other, pre_vote_reply{{}, {1}, true});
  CHECK(s.left<vote_request>().empty());
  s.all_is_stored();
  CHECK(s.left<vote_request>().size() == 2);
}

TEST_CASE("raft: an append is acknowledged only when it is stored, and in the order of the appends") {
  raft_stage s;
  s.says(other, append_of_one(1));
  s.says(other, append_of_one(2)); // repeated: nothing to store, but what it acknowledges is not stored yet
  CHECK(s.left<append_accepted>().empty());
  s.all_is_stored();
  const auto replies = s.left<append_accepted>();
  REQUIRE(replies.size() == 2);
  CHECK(replies[0].sequence == sequence_number{1});
  CHECK(replies[1].sequence == sequence_number{2});
  CHECK(replies[1].match == log_index{1});
}

TEST_CASE("raft: a later write does not release what waits for an earlier one's successor") {
  raft_stage s;
  s.says(other, append_of_one(1));
  auto next = append_of_one(2);
  next.previous_index = {1};
  next.previous_term = {1};
  next.entries = {
      std::make_shared<raft::entry>(raft::entry{{1}, {2}, raft::no_op{}, raft::no_op_wire_bytes})};
  s.says(other, next);
  const auto writes = s.heard<actors::write>();
  REQUIRE(writes.size() == 2);
  s.tell(s.rooms().raft, write_done{writes[0].number, {1}, {1}});
  CHECK(s.left<append_accepted>().size() == 1);
  s.tell(s.rooms().raft, write_done{writes[1].number, {2}, {1}});
  CHECK(s.left<append_accepted>().size() == 1);
}

TEST_CASE("raft: what promises nothing does not wait for the storage") {
  raft_stage s;
  s.says(other, append_of_one(1)); // its write is not done
  s.all();
  s.advance(5s); // the leader is silent: its loyalty is over
  s.all();
  s.says(third, pre_vote_request{{9}, {5}, {1}});
  CHECK(s.left<pre_vote_reply>().size() == 1);
}

TEST_CASE(
    "raft: a leader sends its entries while its own storage is busy, and does not count itself before") {
  raft_stage s;
  s.leads();
  s.tell(s.rooms().raft, s.proposal("1"));
  const auto appends = s.left<append_request>();
  REQUIRE(appends.size() == 1);
  const auto writes = s.heard<actors::write>();
  s.says(other, append_accepted{{1}, appends[0].sequence, {2}});
  CHECK(s.silent<committed>());
  s.tell(s.rooms().raft, write_done{writes.front().number, {2}, {1}});
  CHECK(s.only<committed>().entries.size() == 1);
}

// ---- the order of what is told

TEST_CASE("raft: network learns who leads before it gets a message that names the leader") {
  raft_stage s;
  s.all();
  s.becomes_leader();
  const auto heard = s.all_by("network");
  const auto is_standing = [](const said& m) {
    const auto* changed = std::get_if<standing_changed>(&m);
    return changed && changed->standing.leader == self;
  };
  const auto is_append = [](const said& m) {
    const auto* out = std::get_if<outbound>(&m);
    return out && std::holds_alternative<append_request>(out->messages.front().message);
  };
  const auto standing = std::find_if(heard.begin(), heard.end(), is_standing);
  const auto append = std::find_if(heard.begin(), heard.end(), is_append);
  REQUIRE(standing != heard.end());
  REQUIRE(append != heard.end());
  CHECK(standing < append);
}

TEST_CASE("raft: committed entries go to the router with whether to answer them") {
  raft_stage s;
  s.leads();
  s.tell(s.rooms().raft, s.proposal("1"));
  const auto append = s.left<append_request>().front();
  s.all_is_stored();
  s.says(other, append_accepted{{1}, append.sequence, {2}});
  const auto mine = s.only<committed>();
  CHECK(mine.answer);
  CHECK(mine.entries.front()->index == log_index{2});
}

TEST_CASE("raft: a follower's commits are not to be answered") {
  raft_stage s;
  auto m = append_of_one(1);
  m.commit = {1};
  s.says(other, m);
  CHECK_FALSE(s.only<committed>().answer);
}

TEST_CASE("raft: says once when the leader was heard from after the given moment") {
  raft_stage s;
  s.says(other, heartbeat(1));
  s.all();
  s.advance(100ms);
  s.tell(s.rooms().raft, locate_leader{s.now()});
  CHECK(s.silent<leader_heard>());
  s.advance(1ms);
  s.says(other, heartbeat(2));
  CHECK(s.only<leader_heard>().leader == other);
  s.advance(1ms);
  s.says(other, heartbeat(3));
  CHECK(s.silent<leader_heard>());
  SUBCASE("and at once if it was already") {
    s.tell(s.rooms().raft, locate_leader{s.now() - 10ms});
    CHECK(s.only<leader_heard>().leader == other);
  }
}

TEST_CASE("raft: who hands over takes its lease back, before the other is told to campaign") {
  raft_stage s;
  s.leads();
  s.tell(s.rooms().raft, read_requests{{1}});
  CHECK(s.only<reads_ready>().list.at(0).until > s.now());
  s.all();
  s.tell(s.rooms().raft, hand_over{other});
  const auto said = s.all();
  REQUIRE(said.size() == 2);
  CHECK(std::holds_alternative<lease_over>(said[0]));
  const auto& left = std::get<outbound>(said[1]).messages;
  CHECK(std::holds_alternative<timeout_now>(left.back().message));
}

TEST_CASE("raft: what it cannot take up is mentioned once") {
  raft_stage s;
  s.lines.clear();
  s.tell(s.rooms().raft, hand_over{other}, hand_over{other});
  CHECK(s.lines.size() == 1);
}

// ---- alarms

TEST_CASE("raft: deadlines that move on do not multiply timers") {
  raft_stage s;
  std::size_t most = 0;
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    s.says(other, heartbeat(i));
    s.advance(1ms);
    most = std::max(most, s.timers());
  }
  CHECK(most <= 8); // each before all others: a random deadline is earlier now and then
  CHECK(s.actor.core().role() == raft::role_kind::follower);
  s.all();
  s.advance(1700ms);
  CHECK(s.left<pre_vote_request>().size() >= 2);
}

TEST_CASE("raft: deadlines that move to and fro keep timers within a bound") {
  raft_stage s;
  s.leads();
  std::size_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    s.tell(s.rooms().raft, s.proposal(std::to_string(i)));
    s.all_is_stored();
    for (const auto& o : s.heard<outbound>())
      for (const auto& m : o.messages)
        if (const auto* a = std::get_if<append_request>(&m.message))
          s.says(m.to, append_accepted{{1}, a->sequence, a->previous_index + a->entries.size()});
    s.all_is_stored();
    s.advance(1ms);
    most = std::max(most, s.timers());
    s.all();
  }
  CHECK(s.actor.core().commit_index().value == 10'001);
  CHECK(most <= 4);
}

TEST_CASE("raft: an alarm that comes late, and behind one that was to follow it, is not the last one") {
  struct : timepiece {
    instant shown_at(instant t) const override { return t; }
    instant when_shown(instant shown) const override { return shown + late; }
    duration late{};
  } clock;
  raft_stage s(setup_of(), [&](actors::host& h) { h.clock = &clock; });
  REQUIRE(s.timers() == 1);
  clock.late = 2s; // as if the process were stopped between two looks at the clock
  for (std::uint64_t i = 1; s.timers() == 1; ++i) {
    REQUIRE(i <= 1'000);
    s.says(other, heartbeat(i)); // chance decides whether its deadline is before the first
  }
  clock.late = {};
  s.advance(4s); // both have come
  s.all();
  s.advance(4s);
  CHECK(s.left<pre_vote_request>().size() >= 2);
}

TEST_CASE("raft: a leader keeps its followers calm at the pace of heartbeats, and does nothing in between") {
  raft_stage s;
  s.leads();
  std::vector<std::size_t> appends;
  for (int second = 0; second < 5; ++second) {
    std::size_t count = 0;
    for (int i = 0; i < 100; ++i) {
      s.advance(10ms);
      for (const auto& a : s.left<append_request>()) {
        ++count;
        s.says(other, append_accepted{{1}, a.sequence, {1}});
        s.says(third, append_accepted{{1}, a.sequence, {1}});
      }
    }
    appends.push_back(count);
  }
  for (const auto n : appends)
    CHECK(n <= 6); // two followers, every 400 ms
  CHECK(s.actor.core().role() == raft::role_kind::leader);
}

// ---- what must not happen

TEST_CASE("raft: a broken invariant stops the replica once, and nothing leaves afterwards") {
  raft_stage s;
  s.becomes_leader();
  s.all();
  // A clock that goes back breaks a rule of the core.
  s.turn_back(1ms);
  s.tell(s.rooms().raft, s.proposal("1"), read_requests{{1}}, start{},
         raft::received{other, vote_request{{7}, {9}, {1}, true}});
  REQUIRE(s.stops.size() == 1);
  CHECK(s.stops.front().find("broken invariant: time went back") == 0);
  s.advance(10s);
  for (const auto& m : s.all()) {
    CHECK_FALSE(std::holds_alternative<outbound>(m));
    CHECK_FALSE(std::holds_alternative<actors::write>(m));
    CHECK_FALSE(std::holds_alternative<committed>(m));
  }
  CHECK(s.stops.size() == 1);
}

TEST_CASE("raft: the message on which it threw is recorded, though it was never done") {
  trace::ring ring(1U << 20U);
  trace::recorder recorder(ring);
  raft_stage s(setup_of(), [&](actors::host& h) {
    h.recorder = &recorder;
    h.log = [](actors::log_level, const std::string& line) {
      if (line.find("term 7") != line.npos)
        throw std::runtime_error("nobody listens");
    };
  });
  s.becomes_leader();
  s.says(other, vote_request{{7}, {9}, {1}, true});
  REQUIRE(s.stops == std::vector<std::string>{"raft: nobody listens"});
  const auto records = trace::read(format(trace::header{}) + trace::print(ring.records())).records;
  CHECK(records.back().type == "received");
  CHECK(records.back().content.find("vote_request") != std::string::npos);
}

TEST_CASE("raft: a storage that contradicts itself is refused before anything is said") {
  stage s;
  raft_setup setup = setup_of();
  setup.found.entries.push_back(
      std::make_shared<raft::entry>(raft::entry{{3}, {1}, raft::no_op{}, raft::no_op_wire_bytes}));
  CHECK_THROWS_AS(s.put<raft_runner>(&rooms::raft, std::move(setup), s.host()), broken_invariant);
}
