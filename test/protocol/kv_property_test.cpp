#include "protocol/kv/reading.hpp"
#include "test/support/generators.hpp"
#include "test/support/property.hpp"

using namespace troupe;
using namespace troupe::test;
using kv::state_machine;

namespace {

std::vector<kv::command> commands() { return *rc::gen::container<std::vector<kv::command>>(command()); }

state_machine applied(const std::vector<kv::command>& list) {
  state_machine state;
  for (const auto& c : list) {
    state.apply(c);
  }
  return state;
}

/// Names a digit or two, so that lengths and counts are hit.
std::string damaged(std::string text) {
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  switch (*rc::gen::inRange(0, 3)) {
  case 0:
    text[at] = *rc::gen::oneOf(rc::gen::arbitrary<char>(), rc::gen::inRange('0', ':'));
    break;
  case 1:
    text.erase(at, *rc::gen::inRange<std::size_t>(1, 5));
    break;
  default:
    text.insert(at, text.substr(0, *rc::gen::inRange<std::size_t>(1, 9)));
  }
  return text;
}

} // namespace

TEST_SUITE_BEGIN("state machine: properties");

TEST_CASE("replicas that apply the same commands answer the same and end in the same state") {
  check_property("equal answers, digests and texts", [] {
    state_machine one;
    state_machine other;
    for (const auto& c : commands()) {
      RC_ASSERT(one.apply(c) == other.apply(c));
      RC_ASSERT(one.digest() == other.digest());
    }
    RC_ASSERT(one.serialise() == other.serialise());
  });
}

TEST_CASE("a state that is saved a piece at a time is saved as it was when that began") {
  check_property("what is applied meanwhile is not in it", [] {
    auto state = applied(commands());
    const auto whole = state.serialise();
    state.begin_saving();
    auto text = state.save_some(*rc::gen::inRange<std::size_t>(1, 50));
    while (!text) {
      for (const auto& c : commands())
        state.apply(c);
      text = state.save_some(*rc::gen::inRange<std::size_t>(1, 100));
    }
    RC_ASSERT(*text == whole);
    RC_ASSERT(!state.is_saving());
    state.begin_saving();
    RC_ASSERT(state.save_some(std::string::npos) == state.serialise());
  });
}

TEST_CASE("commands that are repeated at any later time are harmless") {
  check_property("repeats change nothing", [] {
    const auto list = commands();
    state_machine plain;
    state_machine repeated;
    std::vector<kv::result> answers;
    for (std::size_t i = 0; i < list.size(); ++i) {
      answers.push_back(plain.apply(list[i]));
      RC_ASSERT(repeated.apply(list[i]) == answers.back());
      const auto earlier = *rc::gen::inRange<std::size_t>(0, i + 1);
      RC_ASSERT(repeated.apply(list[earlier]) == answers[earlier]);
      RC_ASSERT(repeated.digest() == plain.digest());
    }
  });
}

TEST_CASE("a snapshot holds the whole state, and what follows it goes on as if there had been none") {
  check_property("restored replicas are equal, and stay so", [] {
    auto original = applied(commands());
    auto restored = state_machine::restore(original.serialise());
    RC_ASSERT(std::holds_alternative<state_machine>(restored));
    auto& copy = std::get<state_machine>(restored);
    RC_ASSERT(copy.digest() == original.digest());
    RC_ASSERT(copy.serialise() == original.serialise());
    for (const auto& c : commands()) {
      RC_ASSERT(copy.apply(c) == original.apply(c));
    }
    RC_ASSERT(copy.digest() == original.digest());
  });
}

TEST_CASE("a damaged snapshot is refused, or is the snapshot of another state") {
  check_property("never half a state", [] {
    const auto text = damaged(applied(commands()).serialise());
    RC_LOG() << text << '\n';
    const auto restored = state_machine::restore(text);
    if (const auto* state = std::get_if<state_machine>(&restored)) {
      RC_ASSERT(state->serialise() == text);
    }
  });
}

TEST_CASE("a snapshot that is read while it arrives is taken or refused as the whole is") {
  check_property("however it is cut", [] {
    auto text = applied(commands()).serialise();
    if (*rc::gen::arbitrary<bool>())
      text = damaged(text);
    state_machine::reader reader;
    std::string arrived;
    auto error = reader.read(arrived, false);
    while (!error && arrived.size() < text.size()) {
      arrived += text.substr(arrived.size(), *rc::gen::inRange<std::size_t>(1, 60));
      arrived.shrink_to_fit(); // moves, as a text that grows does
      error = reader.read(arrived, arrived.size() == text.size());
    }
    const auto restored = state_machine::restore(text);
    RC_ASSERT(error.has_value() == std::holds_alternative<kv::snapshot_error>(restored));
    if (!error)
      RC_ASSERT(reader.take().serialise() == text);
  });
}

TEST_CASE("arbitrary bytes are no snapshot") {
  check_property("refused", [] {
    RC_ASSERT(std::holds_alternative<kv::snapshot_error>(state_machine::restore(*bytes())));
  });
}

TEST_CASE("different states have different digests") {
  check_property("a digest stands for a text", [] {
    const auto one = applied(commands());
    const auto other = applied(commands());
    RC_ASSERT((one.digest() == other.digest()) == (one.serialise() == other.serialise()));
  });
}

TEST_SUITE_END();
