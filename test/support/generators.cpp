#include "test/support/generators.hpp"

#include <limits>
#include <set>
#include <utility>
#include <vector>

namespace troupe::test {

// Numbers

rc::Gen<std::uint64_t> between(std::uint64_t low, std::uint64_t high) {
  return rc::gen::map(rc::gen::arbitrary<std::uint64_t>(), [=](std::uint64_t n) {
    const std::uint64_t steps = high - low;
    return steps == std::numeric_limits<std::uint64_t>::max() ? n : low + n % (steps + 1);
  });
}

rc::Gen<std::uint64_t> at_least(std::uint64_t low) {
  constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
  return rc::gen::weightedOneOf<std::uint64_t>(
      {{6, between(low, low + 1'000)}, {2, between(low, largest)}, {1, rc::gen::just(largest)}});
}

// Text

namespace {

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto byte = [&](std::uint32_t bits) { out += static_cast<char>(static_cast<unsigned char>(bits)); };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xC0U | code_point >> 6U);
    byte(0x80U | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    byte(0xE0U | code_point >> 12U);
    byte(0x80U | (code_point >> 6U & 0x3FU));
    byte(0x80U | (code_point & 0x3FU));
  } else {
    byte(0xF0U | code_point >> 18U);
    byte(0x80U | (code_point >> 12U & 0x3FU));
    byte(0x80U | (code_point >> 6U & 0x3FU));
    byte(0x80U | (code_point & 0x3FU));
  }
}

/// Any character, and often one that JSON or UTF-8 treats as special.
rc::Gen<std::uint32_t> code_point() {
  using rc::gen::inRange;
  return rc::gen::weightedOneOf<std::uint32_t>({{8, inRange<std::uint32_t>(0x20, 0x80)},
                                                {3, rc::gen::element<std::uint32_t>('"', '\\', '/', '\n', 0)},
                                                {2, inRange<std::uint32_t>(0, 0x20)},
                                                {1, inRange<std::uint32_t>(0x80, 0x800)},
                                                {1, inRange<std::uint32_t>(0x800, 0xD800)},
                                                {1, inRange<std::uint32_t>(0xE000, 0x10000)},
                                                {1, inRange<std::uint32_t>(0x10000, 0x110000)}});
}

} // namespace

rc::Gen<std::string> text() {
  return rc::gen::map(rc::gen::container<std::vector<std::uint32_t>>(code_point()),
                      [](const std::vector<std::uint32_t>& code_points) {
                        std::string made;
                        for (const auto c : code_points) {
                          append_utf8(made, c);
                        }
                        return made;
                      });
}

rc::Gen<std::string> bytes() { return rc::gen::container<std::string>(rc::gen::arbitrary<char>()); }

// Clients and what they write

rc::Gen<kv::request_id> request_id() {
  return rc::gen::construct<kv::request_id>(rc::gen::element<std::string>("00A1", "00c2", "BEEF", "client"),
                                            rc::gen::element<std::string>("1", "2", "3", "\"\n", ""));
}

rc::Gen<std::string> key() {
  return rc::gen::weightedOneOf<std::string>(
      {{3, rc::gen::element<std::string>("a", "b", "c", "")}, {1, text()}});
}

rc::Gen<std::string> value() {
  return rc::gen::weightedOneOf<std::string>({{1, rc::gen::element<std::string>("x", "y", "")}, {1, text()}});
}

rc::Gen<kv::write> write() {
  using rc::gen::map;
  return rc::gen::oneOf(
      map(rc::gen::construct<kv::put>(key(), value()), [](kv::put w) { return kv::write{std::move(w)}; }),
      map(rc::gen::construct<kv::append>(key(), value()),
          [](kv::append w) { return kv::write{std::move(w)}; }),
      map(rc::gen::construct<kv::cas>(key(), value(), value()),
          [](kv::cas w) { return kv::write{std::move(w)}; }),
      map(rc::gen::construct<kv::erase>(key()), [](kv::erase w) { return kv::write{std::move(w)}; }));
}

rc::Gen<kv::command> command() { return rc::gen::construct<kv::command>(request_id(), write()); }

// Entries

rc::Gen<raft::configuration> configuration() {
  return rc::gen::exec([] {
    const auto ids = *rc::gen::suchThat(
        rc::gen::container<std::set<std::uint16_t>>(rc::gen::inRange<std::uint16_t>(0, 0xFFFF)),
        [](const auto& set) { return !set.empty(); });
    raft::configuration made;
    for (const auto id : ids) {
      const bool learns = !made.voters.empty() && *rc::gen::arbitrary<bool>();
      (learns ? made.learners : made.voters).push_back(replica_id{id});
    }
    return made;
  });
}

rc::Gen<raft::payload> payload() {
  return rc::gen::weightedOneOf<raft::payload>(
      {{1, rc::gen::just(raft::payload{raft::no_op{}})},
       {8, rc::gen::map(command(), [](kv::command c) { return raft::payload{std::move(c)}; })},
       {1,
        rc::gen::map(configuration(), [](raft::configuration c) { return raft::payload{std::move(c)}; })}});
}

// What replicas say

namespace {

/// Where a log ends whose terms are at most `latest`: possibly before its start.
struct log_position {
  log_index index;
  term_number term;
};

rc::Gen<log_position> log_position_up_to(term_number latest) {
  return rc::gen::exec([=]() -> log_position {
    if (*rc::gen::inRange(0, 5) == 0) {
      return {};
    }
    return {{*at_least(1)}, {*between(1, latest.value)}};
  });
}

rc::Gen<term_number> a_term(std::uint64_t least) {
  return rc::gen::map(between(least, within_reach), [](std::uint64_t value) { return term_number{value}; });
}

pre_vote_request make(pre_vote_request) {
  const auto term = *a_term(1);
  const auto last = *log_position_up_to(term);
  return {term, last.index, last.term};
}

pre_vote_reply make(pre_vote_reply) { return {*a_term(0), {*at_least(1)}, *rc::gen::arbitrary<bool>()}; }

vote_request make(vote_request) {
  const auto term = *a_term(1);
  const auto last = *log_position_up_to(term);
  return {term, last.index, last.term, *rc::gen::arbitrary<bool>()};
}

vote_reply make(vote_reply) { return {*a_term(1), *rc::gen::arbitrary<bool>(), {*at_least(0)}}; }

append_request make(append_request) {
  const auto term = *a_term(1);
  auto previous = *log_position_up_to(term);
  const auto payloads = *rc::gen::container<std::vector<raft::payload>>(payload());
  // The entries have to fit before the end of all numbers.
  previous.index.value = std::min(previous.index.value, within_reach - payloads.size());
  append_request made{term, {*at_least(0)}, previous.index, previous.term, {*at_least(0)}, {}};
  raft::entry e{std::max(previous.term, term_number{1}), previous.index, {}, 0};
  for (const auto& p : payloads) {
    e.term = {*between(e.term.value, term.value)};
    ++e.index;
    e.payload = p;
    made.entries.push_back(std::make_shared<raft::entry>(e));
  }
  return made;
}

append_accepted make(append_accepted) { return {*a_term(1), {*at_least(0)}, {*at_least(0)}}; }

append_rejected make(append_rejected) {
  const auto term = *a_term(1);
  return {term, {*at_least(0)}, {*between(0, term.value)}, {*at_least(1)}};
}

commit_notice make(commit_notice) { return {*a_term(1), {*at_least(0)}}; }

timeout_now make(timeout_now) { return {*a_term(1)}; }

snapshot_piece make(snapshot_piece) {
  const auto term = *a_term(1);
  const auto members = *configuration();
  snapshot_piece made;
  made.term = term;
  made.sequence = {*at_least(0)};
  made.last_index = {*between(1, within_reach)};
  made.last_term = {*between(1, term.value)};
  made.voters = members.voters;
  made.learners = members.learners;
  made.data = *text();
  made.offset = *between(0, std::numeric_limits<std::uint64_t>::max() - made.data.size());
  made.done = *rc::gen::arbitrary<bool>();
  return made;
}

snapshot_reply make(snapshot_reply) { return {*a_term(1), {*at_least(0)}, *at_least(0), {*at_least(0)}}; }

template <std::size_t... I>
peer_message make(std::size_t kind, std::index_sequence<I...>) {
  peer_message made;
  (void)((kind == I && (made = make(std::variant_alternative_t<I, peer_message>{}), true)) || ...);
  return made;
}

} // namespace

rc::Gen<peer_message> message(std::size_t kind) {
  return rc::gen::exec(
      [=] { return make(kind, std::make_index_sequence<std::variant_size_v<peer_message>>{}); });
}

rc::Gen<peer_message> any_peer_message() {
  return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, std::variant_size_v<peer_message>), message);
}

// What clients say and hear

rc::Gen<client_request> request() {
  return rc::gen::exec([]() -> client_request {
    const auto id = *request_id();
    if (*rc::gen::inRange(0, 4) == 0) {
      return {id, kv::get{*key()}};
    }
    return std::visit([&](auto w) { return client_request{id, std::move(w)}; }, *write());
  });
}

} // namespace troupe::test
