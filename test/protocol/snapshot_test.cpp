// Snapshots: section 7.

#include "test/support/lone_core.hpp"

using namespace troupe;
using namespace troupe::test;
using raft::role_kind;

TEST_SUITE_BEGIN("snapshots");

namespace {

/// A leader that has compacted its log up to entry 4, and knows that replica 1 holds nothing.
lone_core leader_with_snapshot(const std::string& data, std::size_t size = 3) {
  auto found = stored_of(1, nobody);
  found.snapshot = std::make_shared<raft::snapshot>(raft::snapshot{{4}, {1}, voters(size), data});
  lone_core c(size, {}, found);
  c.campaign();
  c.hear(1, vote_reply{{2}, true, {}});
  c.hear(1, rejected_of(2, c.answer<append_request>(1).sequence.value, 0, 1));
  return c;
}

} // namespace

// ---- the follower's side ----------------------------------------------------------------------------------

TEST_CASE("trap 18: a snapshot that comes late does not cut a longer log") {
  lone_core c;
  c.hear(1, append_of(1, 1, {}, 0, entries_of_terms({1, 1, 1, 1, 1})));
  c.hear(1, piece_of(1, 2, {3, 1}, 0, "state", true));
  CHECK(c->log().last_index() == log_index{5});
  CHECK(c.last.install == nullptr);
  CHECK(c.last.write.empty());
  CHECK(c.answer<snapshot_reply>(1).match == log_index{3});
  // What a snapshot replaces is committed, and the log is known to hold it.
  CHECK(c->commit_index() == log_index{3});
}

TEST_CASE("trap 18: a snapshot replaces a log that contradicts it or does not reach it") {
  lone_core c(3, {}, stored_of(1, nobody, {1, 1, 1, 1, 1}));
  SUBCASE("contradicts") { c.hear(1, piece_of(2, 1, {4, 2}, 0, "state", true)); }
  SUBCASE("does not reach") { c.hear(1, piece_of(2, 1, {9, 2}, 0, "state", true)); }
  REQUIRE(c.last.install != nullptr);
  CHECK(c.last.install->data == "state");
  CHECK(c.last.write.snapshot == c.last.install);
  CHECK(c->log().last_index() == c.last.install->last_index);
  CHECK(c->commit_index() == c.last.install->last_index);
}

TEST_CASE("trap 18: an append whose previous entry is not known is rejected") {
  lone_core c(3, {}, stored_of(1, nobody, {1}));
  SUBCASE("even if its term is 0") { c.hear(1, append_of(1, 1, {5, 0}, 0, {entry_of(1, 6)})); }
  SUBCASE("behind the end of the log") { c.hear(1, append_of(1, 1, {5, 1}, 0, {entry_of(1, 6)})); }
  CHECK(c->log().last_index() == log_index{1});
  CHECK(c.answer<append_rejected>(1).conflict_index == log_index{2});
}

TEST_CASE("trap 18: an append that begins before the snapshot's end continues behind it") {
  lone_core c;
  c.hear(1, piece_of(1, 1, {3, 1}, 0, "state", true));
  c.hear(1, append_of(1, 2, {1, 1}, 0, {entry_of(1, 2), entry_of(1, 3), entry_of(1, 4)}));
  CHECK(c->log().first_index() == log_index{4});
  CHECK(c->log().last_index() == log_index{4});
  CHECK(c.answer<append_accepted>(1).match == log_index{4});
}

TEST_CASE("trap 18: an append that contradicts the snapshot is refused") {
  lone_core c;
  c.hear(1, piece_of(5, 1, {3, 5}, 0, "state", true));
  c.hear(1, append_of(5, 2, {2, 1}, 0, {entry_of(1, 3), entry_of(2, 4)}));
  CHECK(c.last.refused_input == "an append that contradicts the snapshot");
  CHECK(c->log().last_index() == log_index{3});
  c.hear(1, append_of(5, 3, {2, 1}, 0, {entry_of(5, 3), entry_of(5, 4)}));
  CHECK_FALSE(c.last.refused_input.has_value());
  CHECK(c->log().last_index() == log_index{4});
}

TEST_CASE("pieces that are lost, repeated or out of order do no harm") {
  lone_core c;
  c.hear(1, piece_of(1, 1, {9, 1}, 5, "late", false));
  CHECK(c.answer<snapshot_reply>(1).next_offset == 0);
  c.hear(1, piece_of(1, 2, {9, 1}, 0, "early", false));
  CHECK(c.answer<snapshot_reply>(1).next_offset == 5);
  c.hear(1, piece_of(1, 2, {9, 1}, 0, "early", false));
  CHECK(c.answer<snapshot_reply>(1).next_offset == 5);
  c.hear(1, piece_of(1, 3, {9, 1}, 5, "late", true));
  CHECK(c.answer<snapshot_reply>(1).match == log_index{9});
  REQUIRE(c.last.install != nullptr);
  CHECK(c.last.install->data == "earlylate");
}

TEST_CASE("pieces of different leaders' snapshots are not put together") {
  // Two replicas may write the same state in different bytes.
  lone_core c;
  c.hear(1, piece_of(1, 1, {9, 1}, 0, "one leader's first piece", false));
  c.hear(2, piece_of(2, 1, {9, 1}, 0, "whole", true));
  REQUIRE(c.last.install != nullptr);
  CHECK(c.last.install->data == "whole");
}

TEST_CASE("a snapshot larger than a follower takes is refused in pieces, not held in memory") {
  raft::options o;
  o.max_snapshot_bytes = 8;
  lone_core c(3, o);
  c.hear(1, piece_of(1, 1, {9, 1}, 0, "12345", false));
  c.hear(1, piece_of(1, 2, {9, 1}, 5, "6789", true));
  CHECK(c.last.install == nullptr);
  CHECK(c.last.refused_input.has_value());
}

namespace {

/// Of letters only.
struct letter_reader : raft::snapshot_reader {
  static inline int in_use = 0;
  letter_reader() { ++in_use; }
  ~letter_reader() override { --in_use; }
  letter_reader(const letter_reader&) = delete;
  letter_reader& operator=(const letter_reader&) = delete;

  std::size_t at = 0;
  std::optional<std::string> read(const std::string& data, bool is_all) override {
    REQUIRE(data.size() >= at);
    const auto fresh = data.substr(std::exchange(at, data.size()));
    if (fresh.find_first_of("0123456789") != fresh.npos)
      return "a digit";
    return is_all && !data.ends_with("end") ? std::optional("no end") : std::nullopt;
  }
};

raft::options with_reader() {
  raft::options o;
  o.make_snapshot_reader = []() -> std::shared_ptr<raft::snapshot_reader> {
    return std::make_shared<letter_reader>();
  };
  return o;
}

} // namespace

TEST_CASE("a snapshot is read while it arrives, and what has read it goes on with it") {
  lone_core c(3, with_reader());
  c.hear(1, piece_of(1, 1, {9, 1}, 0, "first", false));
  c.hear(1, piece_of(1, 2, {9, 1}, 99, "7 is out of order, and not looked at", false));
  c.hear(1, piece_of(1, 3, {9, 1}, 0, "first", false));
  CHECK(c.last.install_read == nullptr);
  c.hear(1, piece_of(1, 4, {9, 1}, 5, "end", true));
  REQUIRE(c.last.install != nullptr);
  REQUIRE(c.last.install_read != nullptr);
  CHECK(static_cast<const letter_reader&>(*c.last.install_read).at == 8);
}

TEST_CASE("pieces that appends have made needless are forgotten") {
  lone_core c(3, with_reader());
  c.hear(1, piece_of(1, 1, {3, 1}, 0, "half of it", false));
  REQUIRE(letter_reader::in_use == 1);
  c.hear(1, append_of(1, 2, {}, 3, entries_of_terms({1, 1, 1})));
  REQUIRE(c->commit_index() == log_index{3});
  CHECK(letter_reader::in_use == 0);
}

TEST_CASE("a snapshot that cannot be read is refused with the piece that shows it, and begun again") {
  lone_core c(3, with_reader(), stored_of(1, nobody, {1, 1}));
  SUBCASE("in the middle") { c.hear(1, piece_of(1, 1, {9, 1}, 0, "f1rst", false)); }
  SUBCASE("at its end") { c.hear(1, piece_of(1, 1, {9, 1}, 0, "first", true)); }
  CHECK(c.last.refused_input.has_value());
  CHECK(c.last.install == nullptr);
  CHECK(c.sent() == 0);
  CHECK(c->log().last_index() == log_index{2});
  c.hear(1, piece_of(1, 2, {9, 1}, 5, "end", true));
  CHECK(c.answer<snapshot_reply>(1).next_offset == 0);
  c.hear(1, piece_of(1, 3, {9, 1}, 0, "first end", true));
  CHECK(c.last.install != nullptr);
}

TEST_CASE("a text that is gathered from pieces of any size is theirs") {
  for (const std::size_t piece_bytes : {1, 700, 300'000}) {
    CAPTURE(piece_bytes);
    raft::gathered_text gathered;
    std::string whole;
    for (std::size_t i = 0; i < 60 && gathered.size() < 9'000'000; ++i) {
      const auto piece = std::string(piece_bytes + i, static_cast<char>('a' + i % 26));
      gathered.append(piece);
      whole += piece;
      REQUIRE(gathered.text() == whole);
    }
    CHECK(gathered.take() == whole);
  }
}

// ---- the leader's side ------------------------------------------------------------------------------------

TEST_CASE("trap 18: a follower that is being sent a snapshot is not also sent appends") {
  auto c = leader_with_snapshot(std::string(180'000, 's'));
  REQUIRE(c.sent<snapshot_piece>(1).size() == 1);
  for (int i = 0; i < 3; ++i) {
    c.propose("a");
    CHECK(c.sent<append_request>(1).empty());
    c.pass(c->settings().heartbeat_interval);
    c.step(raft::deadline_passed{});
    CHECK(c.sent<append_request>(1).empty());
    CHECK(c.sent<snapshot_piece>(1).size() == 1);
  }
}

TEST_CASE("trap 18: nor is a piece sent twice because there is something new") {
  auto c = leader_with_snapshot(std::string(180'000, 's'), 2);
  CHECK(c.sent() == 1);
  for (int i = 0; i < 3; ++i) {
    c.propose("a");
    CHECK(c.sent() == 0);
  }
}

TEST_CASE("a piece is as large as a message can carry, whatever has to be escaped in it") {
  for (const auto& [text, bytes] : {std::pair{"s", 1U}, {"\n", 2U}, {"\"", 2U}, {"\x01", 6U}}) {
    CAPTURE(bytes);
    std::string data;
    for (int i = 0; i < 180'000; ++i)
      data += text;
    const auto c = leader_with_snapshot(data);
    CHECK(c.answer<snapshot_piece>(1).data.size() == raft::options().max_append_bytes / bytes);
  }
}

TEST_CASE("a snapshot goes out piece by piece, and the log continues behind it") {
  const auto data = std::string(180'000, 's');
  auto l = leader_with_snapshot(data);
  lone_core f;
  int pieces = 0;
  while (!f.last.install) {
    REQUIRE(++pieces < 10);
    f.hear(2, l.answer<snapshot_piece>(1));
    l.hear(1, f.answer<snapshot_reply>(2));
  }
  CHECK(pieces == 3);
  CHECK(f.last.install->data == data);
  CHECK(l.progress_of(1).match == log_index{4});
  CHECK(l.progress_of(1).next > log_index{4});
  f.hear(2, l.answer<append_request>(1));
  CHECK(f->log().last_index() == l->log().last_index());
}

TEST_CASE("a piece cuts no UTF-8 character") {
  std::string data;
  while (data.size() < 180'000)
    data += "€";
  auto c = leader_with_snapshot(data);
  const auto piece = c.answer<snapshot_piece>(1);
  CHECK(piece.data.size() % 3 == 0);
  CHECK_FALSE(piece.done);
}

TEST_CASE("a piece that was lost is sent again after about a round trip, at the pace of heartbeats at last") {
  auto c = leader_with_snapshot(std::string(180'000, 's'));
  const auto lost = c.answer<snapshot_piece>(1);
  const auto sent_at = c.now();
  int again = 0;
  for (int deadlines = 0; again == 0 && deadlines < 10; ++deadlines) {
    c.time_out();
    again += static_cast<int>(c.sent<snapshot_piece>(1).size());
  }
  REQUIRE(again == 1);
  CHECK(c.now() < sent_at + c->settings().heartbeat_interval);
  CHECK(c.answer<snapshot_piece>(1).offset == lost.offset);
  // Who is gone is not pestered.
  while (c.now() < sent_at + 5 * c->settings().heartbeat_interval && c->role() == role_kind::leader) {
    c.hear(2, accepted_of(2, c.progress_of(2).last_sequence.value, 0)); // keeps the leader in office
    c.time_out();
    again += static_cast<int>(c.sent<snapshot_piece>(1).size());
  }
  CHECK(again < 15);
}

TEST_CASE("who has nothing of a snapshot yet is sent the newest") {
  auto c = leader_with_snapshot(std::string(180'000, 's'));
  REQUIRE(c.answer<snapshot_piece>(1).last_index == log_index{4});
  c.propose("a");
  c.hear(2, accepted_of(2, c.progress_of(2).last_sequence.value, c->log().last_index().value));
  const auto last = c->commit_index();
  REQUIRE(last > log_index{4});
  c.step(raft::compact{last, "newer"});
  while (c.sent<snapshot_piece>(1).empty())
    c.time_out();
  CHECK(c.answer<snapshot_piece>(1).last_index == last);
  CHECK(c.answer<snapshot_piece>(1).data == "newer");
}

TEST_CASE("an answer to a piece of one snapshot says nothing of another") {
  auto c = leader_with_snapshot(std::string(180'000, 's'));
  const auto first = c.answer<snapshot_piece>(1);
  REQUIRE(first.last_index == log_index{4});
  c.propose("a");
  c.hear(2, accepted_of(2, c.progress_of(2).last_sequence.value, c->log().last_index().value));
  const auto last = c->commit_index();
  // In its place is one whose characters begin elsewhere: a piece from the old one's offset could not be
  // read.
  c.step(raft::compact{last, std::string("s") + std::string(180'000, '\xC3')});
  while (c.sent<snapshot_piece>(1).empty())
    c.time_out();
  REQUIRE(c.answer<snapshot_piece>(1).last_index == last);
  c.hear(1, snapshot_reply{{2}, first.sequence, first.data.size(), {}});
  CHECK(c.sent<snapshot_piece>(1).empty());
  CHECK(c.progress_of(1).installing_offset == 0);
}

TEST_CASE("a piece that was sent twice makes none behind it be sent twice") {
  auto l = leader_with_snapshot(std::string(180'000, 's'));
  const auto first = l.answer<snapshot_piece>(1);
  const auto next_try = [&] {
    do
      l.time_out();
    while (l.sent<snapshot_piece>(1).empty());
    return l.answer<snapshot_piece>(1);
  };
  const auto again = next_try();
  REQUIRE(again.offset == first.offset);
  lone_core f;
  f.hear(2, first);
  l.hear(1, f.answer<snapshot_reply>(2));
  const auto second = l.answer<snapshot_piece>(1);
  CHECK(second.offset > first.offset);
  f.hear(2, again);
  l.hear(1, f.answer<snapshot_reply>(2));
  CHECK(l.sent<snapshot_piece>(1).empty());
  // It is still waited for.
  CHECK(next_try().offset == second.offset);
}

TEST_CASE("a handover to a replica that is being sent a snapshot sends each piece once") {
  auto c = leader_with_snapshot(std::string(180'000, 's'));
  c.step(raft::transfer{id_of(1)});
  CHECK(c.sent() == 0);
  for (int i = 0; i < 5; ++i) {
    c.step(raft::reads{{1}});
    CHECK(c.sent<snapshot_piece>(1).empty());
  }
}

// ---- compaction -------------------------------------------------------------------------------------------

TEST_CASE("only what is committed, and not gone yet, is compacted") {
  lone_core c;
  c.hear(1, append_of(1, 1, {}, 3, entries_of_terms({1, 1, 1, 1})));
  c.step(raft::compact{{4}, "too much"});
  CHECK(c.last.refused_input.has_value());
  c.step(raft::compact{{2}, "state"});
  CHECK_FALSE(c.last.refused_input.has_value());
  CHECK(c->log().first_index() == log_index{3});
  REQUIRE(c.last.write.snapshot != nullptr);
  CHECK(c.last.write.snapshot->last_index == log_index{2});
  CHECK(c.last.write.snapshot->last_term == term_number{1});
  c.step(raft::compact{{2}, "again"});
  CHECK(c.last.refused_input.has_value());
}

namespace {

/// A leader with entries up to 8, of 100 bytes each, that are committed by replica 2; replica 1 has the
/// first.
struct leader_of_eight : lone_core {
  explicit leader_of_eight(const raft::options& o = {}) : lone_core(3, o) {
    lead();
    for (int i = 2; i <= 8; ++i)
      propose("a", 100);
    accepts(2, 8);
    REQUIRE((*this)->commit_index() == log_index{8});
  }
  void accepts(std::size_t from, std::uint64_t match) {
    hear(from, accepted_of((*this)->term().value, progress_of(from).last_sequence.value, match));
  }
  /// Where the log begins after a snapshot of all of it.
  std::uint64_t cut(std::size_t keep_bytes) {
    step(raft::compact{{8}, "state", keep_bytes});
    REQUIRE(last.write.snapshot != nullptr);
    CHECK(last.write.snapshot->last_index == log_index{8});
    return (*this)->log().base_index().value;
  }
};

} // namespace

TEST_CASE("a log that is cut keeps a little behind the snapshot") {
  leader_of_eight c;
  c.accepts(1, 8);
  CHECK(c.cut(250) == 6);
  c.step(raft::compact{{7}, "older", 0});
  CHECK(c.last.refused_input.has_value());
}

TEST_CASE("a log that is cut keeps what a follower that answers still lacks") {
  leader_of_eight c;
  CHECK(c.cut(700 / raft::compact::kept_for_followers + 1) == 1);
  for (int i = 0; i < 100 && c.sent<append_request>(1).empty(); ++i)
    c.time_out();
  REQUIRE(c.sent<append_request>(1).size() == 1);
  CHECK(c.answer<append_request>(1).previous_index == log_index{1});
}

TEST_CASE("a log that is cut keeps nothing for a follower that has been silent for long") {
  leader_of_eight c;
  for (const auto begun = c.now(); c.now() < begun + 2 * c->settings().election_timeout_max;) {
    c.time_out();
    c.accepts(2, 8);
  }
  CHECK(c.cut(99) == 8);
}

TEST_CASE("a log that is cut keeps no more for followers than is allowed") {
  leader_of_eight c;
  CHECK(c.cut(350 / raft::compact::kept_for_followers) == 5);
}

TEST_CASE("a leader whose storage holds nothing but a snapshot stays in office") {
  pure_cluster c(3);
  const auto l = c.elect();
  c[l].stalled = true;
  c.step(l, raft::propose{{put_of("a")}});
  REQUIRE(c.run_until([&] { return c.core(l).commit_index() == c.core(l).log().last_index(); }));
  c.step(l, raft::compact{c.core(l).commit_index(), "state"});
  c[l].stalled = false;
  c.store(l);
  c.run_for(10s);
  CHECK(c.core(l).role() == role_kind::leader);
}

TEST_SUITE_END();
