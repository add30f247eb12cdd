#include "protocol/kv/reading.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <deque>
#include <string>

using namespace troupe::kv;

namespace {

/// Every write a request of its own.
struct writer {
  state_machine& state;
  int next = 0;

  result operator()(troupe::kv::write operation) {
    return state.apply({{"00F1", std::to_string(++next)}, std::move(operation)});
  }
};

std::string refusal(std::string_view text) {
  const auto restored = state_machine::restore(text);
  REQUIRE(std::holds_alternative<snapshot_error>(restored));
  return std::get<snapshot_error>(restored).text;
}

} // namespace

TEST_SUITE_BEGIN("state machine");

TEST_CASE("a key that was never written reads as nothing") {
  const state_machine state;
  CHECK(state.get("k").empty());
  CHECK(state.size() == 0);
}

TEST_CASE("a put is read back, and a later one replaces it") {
  state_machine state;
  writer apply{state};
  CHECK(apply(put{"k", "v"}) == result{true, ""});
  CHECK(state.get("k") == "v");
  apply(put{"k", "w"});
  CHECK(state.get("k") == "w");
  CHECK(state.size() == 1);
}

TEST_CASE("an append adds to the end, and begins a key that was not there") {
  state_machine state;
  writer apply{state};
  CHECK(apply(append{"k", "ab"}) == result{true, ""});
  CHECK(apply(append{"k", "cd"}) == result{true, ""});
  CHECK(state.get("k") == "abcd");
}

TEST_CASE("a cas is applied only to what it expects, and otherwise says what is there") {
  state_machine state;
  writer apply{state};
  CHECK(apply(cas{"k", "x", "v"}) == result{false, ""});
  CHECK(state.size() == 0);
  CHECK(apply(cas{"k", "", "v"}) == result{true, ""});
  CHECK(apply(cas{"k", "x", "w"}) == result{false, "v"});
  CHECK(apply(cas{"k", "v", "w"}) == result{true, ""});
  CHECK(state.get("k") == "w");
}

TEST_CASE("a deleted key reads as nothing, and deleting nothing is fine") {
  state_machine state;
  writer apply{state};
  apply(put{"k", "v"});
  CHECK(apply(erase{"k"}) == result{true, ""});
  CHECK(state.get("k").empty());
  CHECK(state.size() == 0);
  CHECK(apply(erase{"k"}) == result{true, ""});
}

TEST_CASE("a value does not grow beyond its bound") {
  state_machine state;
  writer apply{state};
  const std::string longest(state_machine::max_value_bytes, 'v');
  CHECK(apply(put{"k", longest}).applied);
  CHECK(apply(append{"k", "v"}) == result{false, longest});
  CHECK(apply(put{"k", longest + "v"}) == result{false, longest});
  CHECK(apply(cas{"k", longest, longest + "v"}) == result{false, longest});
  CHECK(state.get("k") == longest);
}

TEST_CASE("a repeated request is answered as before and changes nothing") {
  state_machine state;
  const command add{{"00F1", "1"}, append{"k", "v"}};
  state.apply(add);
  state.apply({{"00F1", "2"}, put{"k", "w"}});
  const auto before = state.digest();
  CHECK(state.apply(add) == result{true, ""});
  CHECK(state.get("k") == "w");
  CHECK(state.digest() == before);

  const command refused{{"00F1", "3"}, cas{"k", "x", "y"}};
  CHECK(state.apply(refused) == result{false, "w"});
  state.apply({{"00F1", "4"}, put{"k", "x"}});
  CHECK(state.apply(refused) == result{false, "w"});
}

TEST_CASE("state machine: a long value that a refused write found is told once, and not remembered") {
  const std::string longest(state_machine::max_remembered_value_bytes, 'v');
  state_machine state;
  state.apply({{"00F1", "1"}, put{"k", longest}});
  state.apply({{"00F1", "2"}, put{"longer", longest + "v"}});
  const command of_longest{{"00F1", "3"}, cas{"k", "x", "y"}};
  const command of_longer{{"00F1", "4"}, cas{"longer", "x", "y"}};
  CHECK(state.apply(of_longest) == result{false, longest});
  CHECK(state.apply(of_longest) == result{false, longest});
  CHECK(state.apply(of_longer) == result{false, longest + "v"});
  CHECK(state.apply(of_longer) == result{false, "", true});
  const auto text = state.serialise();
  auto again = std::move(std::get<state_machine>(state_machine::restore(text)));
  CHECK(again.serialise() == text);
  CHECK(again.digest() == state.digest());
  CHECK(again.apply(of_longest) == result{false, longest});
  CHECK(again.apply(of_longer) == result{false, "", true});
}

TEST_CASE("state machine: whoever asks is told whether a write is new") {
  state_machine state;
  const command add{{"00F1", "1"}, append{"k", "v"}};
  CHECK(state.apply_if_new(add) == result{});
  CHECK(state.apply_if_new(add) == std::nullopt);
  CHECK(state.get("k") == "v");
}

TEST_CASE("equal MIDs of different clients are different requests") {
  state_machine state;
  state.apply({{"00F1", "1"}, append{"k", "a"}});
  state.apply({{"00F2", "1"}, append{"k", "b"}});
  CHECK(state.get("k") == "ab");
  CHECK(state.sessions() == 2);
}

TEST_CASE("an applied request is remembered, others are not") {
  state_machine state;
  state.apply({{"00F1", "1"}, put{"k", "v"}});
  REQUIRE(state.remembered({"00F1", "1"}) != nullptr);
  CHECK(*state.remembered({"00F1", "1"}) == result{true, ""});
  CHECK(state.remembered({"00F1", "2"}) == nullptr);
  CHECK(state.remembered({"00F2", "1"}) == nullptr);
}

TEST_CASE("of each client the last requests are remembered, and no more") {
  state_machine state;
  writer apply{state};
  for (std::size_t i = 0; i < state_machine::max_remembered_per_client; ++i) {
    apply(put{"k", "v"});
  }
  CHECK(state.remembered({"00F1", "1"}) != nullptr);
  apply(put{"k", "v"});
  CHECK(state.remembered({"00F1", "1"}) == nullptr);
  CHECK(state.remembered({"00F1", "2"}) != nullptr);
}

TEST_CASE("state machine: whatever a client's requests are called, exactly the last are remembered, in their "
          "order") {
  remembered_requests all;
  std::deque<std::string> last;
  // Lengths and digits of many kinds, so that places in the index are shared, and freed in any order.
  for (std::size_t i = 0; i < 5 * remembered_requests::most; ++i) {
    const auto mid = std::to_string(i * i * 7'919 % 1'000'003) + std::string(i % 23, '-') + std::to_string(i);
    REQUIRE(all.find(mid) == nullptr);
    all.add(mid, {i % 3 == 0, std::to_string(i)});
    last.push_back(mid);
    if (last.size() > remembered_requests::most) {
      CHECK(all.find(last.front()) == nullptr);
      last.pop_front();
    }
    REQUIRE(all.size() == last.size());
    if (i % 101 != 0 && i > 20)
      continue;
    for (std::size_t n = 0; n < last.size(); ++n) {
      const auto number = i + 1 - last.size() + n;
      REQUIRE(all[n].mid == last[n]);
      REQUIRE(all.find(last[n]) != nullptr);
      CHECK(*all.find(last[n]) == result{number % 3 == 0, std::to_string(number)});
    }
  }
}

TEST_CASE("the client that has been idle the longest is forgotten first") {
  state_machine state;
  const auto apply = [&](std::size_t client, std::string mid) {
    state.apply({{std::to_string(client), std::move(mid)}, put{"k", "v"}});
  };
  for (std::size_t i = 0; i < state_machine::max_clients; ++i) {
    apply(i, "1");
  }
  apply(0, "2"); // now client 1 is the longest idle
  apply(1, "1"); // and a repeated request does not change that
  apply(state_machine::max_clients, "1");
  CHECK(state.sessions() == state_machine::max_clients);
  CHECK(state.remembered({"0", "1"}) != nullptr);
  CHECK(state.remembered({"1", "1"}) == nullptr);
  CHECK(state.remembered({"2", "1"}) != nullptr);
}

TEST_CASE("the digest tells states apart that only look alike") {
  const auto digest_of = [](const std::string& key, const std::string& value) {
    state_machine state;
    state.apply({{"00F1", "1"}, put{key, value}});
    return state.digest();
  };
  CHECK(digest_of("ab", "c") != digest_of("a", "bc"));
  CHECK(digest_of("a", "b") != digest_of("b", "a"));
}

TEST_CASE("the digest is the same on every platform") {
  state_machine state;
  state.apply({{"00F1", "1"}, put{"k", "\xC3\xA9"}});
  CHECK(state.digest() == 9931634792681372026U);
}

TEST_CASE("the digest covers what clients were told") {
  state_machine one;
  state_machine other;
  one.apply({{"00F1", "1"}, put{"k", "v"}});
  other.apply({{"00F1", "2"}, put{"k", "v"}});
  CHECK(one.digest() != other.digest());
}

TEST_CASE("a snapshot is readable") {
  state_machine state;
  state.apply({{"00F1", "1"}, put{"k", "a\nb"}});
  state.apply({{"00F1", "2"}, cas{"k", "x", "y"}});
  CHECK(state.serialise() == "troupe-state 1\n"
                             "values 1\n"
                             "1 k\n"
                             "3 a\nb\n"
                             "clients 1\n"
                             "4 00F1\n"
                             "2\n"
                             "1 1\n1\n0 \n"
                             "1 2\n0\n3 a\nb\n"
                             "end\n");
}

TEST_CASE("state machine: what is forgotten while it is saved is saved all the same") {
  state_machine state;
  const auto client = [](std::size_t number) { return "C" + std::to_string(number); };
  for (std::size_t i = 0; i < state_machine::max_clients; ++i)
    state.apply({{client(i), "1"}, put{"k" + std::to_string(i % 7), std::to_string(i)}});
  for (std::size_t i = 2; i <= state_machine::max_remembered_per_client; ++i)
    state.apply({{client(3), std::to_string(i)}, append{"log", "x"}});
  const auto whole = state.serialise();
  for (const std::size_t piece : {1'000, 40'000, 200'000}) {
    CAPTURE(piece);
    auto copy = std::move(std::get<state_machine>(state_machine::restore(whole)));
    copy.begin_saving();
    auto text = copy.save_some(piece);
    for (std::size_t n = 0; !text; ++n) {
      // A client that had all its room used; clients that push others out; and one pushed out that comes
      // back.
      copy.apply({{client(3), "late " + std::to_string(n)}, erase{"log"}});
      copy.apply({{"new " + std::to_string(n), "1"}, put{"new", "1"}});
      copy.apply({{client(n), "2"}, put{"k1", "2"}});
      text = copy.save_some(piece);
    }
    CHECK(*text == whole);
    CHECK(copy.sessions() == state_machine::max_clients);
  }
}

TEST_CASE("a snapshot that is cut off is waited for, and refused once nothing follows") {
  state_machine state;
  state.apply({{"00F1", "m"}, put{"k", "value"}});
  const auto whole = state.serialise();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    CAPTURE(bytes);
    state_machine::reader reader;
    CHECK_FALSE(reader.read(whole.substr(0, bytes), false).has_value());
    CHECK(reader.read(whole.substr(0, bytes), true).has_value());
    CHECK(reader.read(whole, true).has_value()); // what was refused stays refused
  }
  state_machine::reader reader;
  CHECK_FALSE(reader.read(whole, false).has_value());
  const auto error = reader.read(whole + "x", false);
  REQUIRE(error.has_value());
  CHECK(error->text.ends_with("something follows the end"));
}

TEST_CASE("what is wrong is told when it arrives") {
  state_machine::reader reader;
  const auto error = reader.read("troupe-state 1\nvalues 2\n1 k\n1 v\n1 a\n1 v\n", false);
  REQUIRE(error.has_value());
  CHECK(error->text.ends_with("keys out of order"));
}

TEST_CASE("a state that nobody needs is freed little by little") {
  state_machine state;
  for (int i = 0; i < 100; ++i)
    state.apply({{std::to_string(i % 5), std::to_string(i)}, put{std::to_string(i), "v"}});
  state.begin_saving();
  state.free_some();
  CHECK_FALSE(state.is_saving());
  CHECK(state.size() < 100);
  CHECK(state.size() > 50);
  for (int i = 0; i < 50; ++i)
    state.free_some();
  CHECK(state.size() == 0);
  CHECK(state.sessions() == 0);
  CHECK(state.serialise() == state_machine().serialise());
}

TEST_CASE("a text that is no snapshot is refused, and the place named") {
  CHECK(refusal("") == "byte 0 of a snapshot of 0 bytes: not what belongs here");
  CHECK(refusal("troupe-state 2\n") == "byte 0 of a snapshot of 15 bytes: not what belongs here");
  const auto with = [](std::string_view values, std::string_view clients) {
    return fmt::format("troupe-state 1\nvalues {}clients {}end\n", values, clients);
  };
  CHECK(std::holds_alternative<state_machine>(state_machine::restore(with("0\n", "0\n"))));
  CHECK(refusal(with("0\n", "0\n") + "x").ends_with("something follows the end"));
  CHECK(refusal(with("00\n", "0\n")).ends_with("no number"));
  CHECK(refusal(with("99999999999999999999\n", "0\n")).ends_with("no number"));
  CHECK(refusal(with("1\n", "0\n")).ends_with("no number"));
  CHECK(refusal(with("1\n1 k\n9999 v\n", "0\n")).ends_with("a text that is cut off"));
  CHECK(refusal(with("1\n1 \xFF\n1 v\n", "0\n")).ends_with("a text that is no UTF-8"));
  CHECK(refusal(with("2\n1 b\n1 v\n1 a\n1 v\n", "0\n")).ends_with("keys out of order"));
  CHECK(refusal(with("2\n1 a\n1 v\n1 a\n1 v\n", "0\n")).ends_with("keys out of order"));
  CHECK(refusal(with("0\n", "10001\n")).ends_with("too many clients"));
  CHECK(refusal(with("0\n", "1\n1 c\n0\n")).ends_with("a client without requests"));
  CHECK(refusal(with("0\n", "1\n1 c\n1025\n")).ends_with("too many requests of one client"));
  CHECK(refusal(with("0\n", "1\n1 c\n1\n1 m\n3\n0 \n")).ends_with("not 0, 1 or 2"));
  CHECK(refusal(with("0\n", "1\n1 c\n1\n1 m\n1\n1 v\n")).ends_with("a value that is too long"));
  CHECK(refusal(with("0\n", "1\n1 c\n1\n1 m\n2\n1 v\n")).ends_with("a value that is too long"));
  CHECK(refusal(with("0\n", "1\n1 c\n2\n1 m\n1\n0 \n1 m\n1\n0 \n")).ends_with("a request twice"));
  CHECK(refusal(with("0\n", "2\n1 c\n1\n1 m\n1\n0 \n1 c\n1\n1 m\n1\n0 \n")).ends_with("a client twice"));
  const std::string too_long(state_machine::max_value_bytes + 1, 'v');
  CHECK(
      refusal(with(fmt::format("1\n1 k\n{} {}\n", too_long.size(), too_long), "0\n")).ends_with("too long"));
}

TEST_SUITE_END();
