// The codec refuses what contradicts Raft. It must never refuse what a correct core says, however bad the
// day.

#include "protocol/wire/codec.hpp"
#include "test/support/pure_cluster.hpp"
#include "test/support/same_message.hpp"

#include <fmt/format.h>

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr std::size_t cluster_size = 5;

/// Sends every message through the codecs of its sender and its receiver, and counts the kinds that it saw.
class wire_tap {
 public:
  wire_tap() {
    for (std::size_t self = 0; self < cluster_size; ++self) {
      std::vector<std::string> peers;
      for (std::size_t peer = 0; peer < cluster_size; ++peer) {
        if (peer != self) {
          peers.push_back(to_string(id_of(peer)));
        }
      }
      codecs_.emplace_back(wire::directory(to_string(id_of(self)), peers), wire::limits{});
    }
  }

  void check(const pure_cluster::in_flight& m) {
    codecs_[m.from.value].encode(m.message, m.to, m.from, line_);
    const auto received = codecs_[m.to.value].decode(line_);
    INFO(line_);
    REQUIRE(std::holds_alternative<wire::from_peer>(received));
    REQUIRE(same_message(std::get<wire::from_peer>(received).message, m.message));
    ++seen_.at(m.message.index());
  }

  bool saw_every_kind() const {
    return std::all_of(seen_.begin(), seen_.end(), [](std::size_t times) { return times > 0; });
  }

 private:
  std::vector<wire::codec> codecs_;
  std::array<std::size_t, std::variant_size_v<peer_message>> seen_{};
  std::string line_;
};

/// Loss, crashes, transfers and compaction, with proposals at whoever leads.
void play(std::uint64_t seed, wire_tap& tap) {
  pure_cluster c(cluster_size, {}, seed);
  const auto chance = [&](unsigned percent) { return c.random() % 100 < percent; };
  c.lose = [&](const auto& m) {
    tap.check(m);
    return chance(20);
  };
  for (int i = 0; i < 200; ++i) {
    c.run_for(duration(c.random() % 200'000'000));
    const auto number = c.random() % cluster_size;
    if (!c[number].up) {
      c.restart(number);
    } else if (chance(5)) {
      c.crash(number);
    }
    const auto leader = c.leader();
    if (!leader) {
      continue;
    }
    c.step(*leader, raft::propose{{put_of(fmt::format("v{}\n", i))}});
    if (chance(5)) {
      c.step(*leader, raft::transfer{id_of(number)});
    }
    if (chance(5) && c.core(*leader).commit_index() > c.core(*leader).log().base_index()) {
      c.step(*leader, raft::compact{c.core(*leader).commit_index(), std::string(30'000, '\n')});
    }
  }
}

} // namespace

TEST_CASE("whatever a core says is understood, and as it was meant") {
  wire_tap tap;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    play(seed, tap);
  }
  CHECK(tap.saw_every_kind());
}
