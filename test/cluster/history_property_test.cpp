#include "cluster/history/linearizable.hpp"
#include "cluster/history/search.hpp"
#include "test/cluster/history_support.hpp"
#include "test/support/property.hpp"

#include <rapidcheck.h>

using namespace troupe;
using namespace troupe::test;
using history::verdict;

namespace {

int below(int n) { return *rc::gen::resize(100, rc::gen::inRange(0, n)); }

std::string some_value(int most = 5) {
  static const std::vector<std::string> values{"", "a", "b", "ab", "aa"};
  return values[static_cast<std::size_t>(below(most))];
}

/// Two letters, so that different orders of appends sometimes come to the same; and one that is part of a
/// value only if an append made it so.
std::string some_piece() {
  static const std::vector<std::string> pieces{"", "a", "a", "b", "b", "c"};
  return pieces[static_cast<std::size_t>(below(6))];
}

struct planned {
  operation what;
  std::int64_t moment = 0;
};

/// Carries an operation out, and tells the client.
void carry_out(operation& o, std::string& state) {
  switch (o.kind) {
  case operation_kind::get:
    o.result = state;
    break;
  case operation_kind::put:
    state = o.value;
    break;
  case operation_kind::append:
    state += o.value;
    break;
  case operation_kind::erase:
    state.clear();
    break;
  case operation_kind::cas:
    o.applied = state == o.expected;
    if (o.applied)
      state = o.value;
    else if (below(2) == 0)
      o.result = state;
  }
}

/// What a correct store told clients that call at random: each operation happens at one moment, or is
/// refused; some answers are lost, some requests too. Times are few, so that they coincide, and so are
/// values. In some of them nearly all happens at the same time.
operations correct_history(int most, int values = 5) {
  std::vector<planned> plan;
  const int count = 1 + below(most);
  const auto kinds = 3 + below(3);
  const auto [calls, delay] = below(3) == 0 ? std::pair(3, 9) : std::pair(12, 4);
  for (int i = 0; i < count; ++i) {
    auto o = made(static_cast<operation_kind>(below(kinds)), below(calls), 0);
    const auto moment = o.call + below(delay);
    o.done = moment + below(delay);
    o.value = o.kind == operation_kind::append ? some_piece() : some_value(values);
    o.expected = o.kind == operation_kind::cas ? some_value(values) : "";
    plan.push_back({o, moment});
  }
  std::stable_sort(plan.begin(), plan.end(),
                   [](const planned& a, const planned& b) { return a.moment < b.moment; });
  std::string state;
  operations result;
  for (auto& p : plan) {
    const int fate = below(10);
    if (fate == 0) {
      result.push_back(refused(p.what));
      continue;
    }
    if (fate != 1)
      carry_out(p.what, state);
    result.push_back(fate <= 3 ? unanswered(p.what) : p.what);
  }
  return result;
}

/// Makes an answer another one, or moves an operation.
void spoil(operations& history) {
  auto& o = history[static_cast<std::size_t>(below(static_cast<int>(history.size())))];
  if (below(3) == 0) {
    const auto later = below(6);
    o.call += later;
    o.done += later;
  } else if (o.ending != ending::ok) {
    o.value = some_value();
  } else if (o.kind == operation_kind::get) {
    o.result = some_value();
  } else if (o.kind == operation_kind::cas) {
    o.applied = !o.applied;
    o.result.reset();
    if (!o.applied && below(2) == 0)
      o.result = some_value();
  } else {
    o.value = some_value();
  }
}

/// To know them again.
void number_lines(operations& history) {
  std::size_t line = 0;
  for (auto& o : history)
    o.line = ++line;
}

/// The history as it looked when the culprit had just ended. What ended in the same moment may count as
/// earlier.
operations until(const operations& history, const operation& culprit,
                 const std::vector<std::size_t>& stretch) {
  operations seen;
  for (const auto& o : history)
    if (std::find(stretch.begin(), stretch.end(), o.line) != stretch.end() ||
        (o.ending == ending::ok && o.done < culprit.done))
      seen.push_back(o);
    else if (o.call <= culprit.done && o.ending != ending::refused && o.applied)
      seen.push_back(unanswered(o));
  return seen;
}

/// Whether the operations of these lines can be explained, whatever the others did.
bool explained_alone(const operations& seen, const std::vector<std::size_t>& lines) {
  std::vector<bool> spared;
  for (const auto& o : seen)
    spared.push_back(std::find(lines.begin(), lines.end(), o.line) == lines.end());
  return naive_judge::explains(seen, spared);
}

void check_explanation(const operations& history, const history::explanation& e) {
  RC_ASSERT(e.culprit < e.stretch.size());
  RC_ASSERT(!e.cut_short);
  const auto& culprit = e.stretch[e.culprit];
  std::vector<std::size_t> lines;
  for (const auto& o : e.stretch)
    lines.push_back(o.line);
  auto seen = until(history, culprit, lines);
  RC_ASSERT(!explained_alone(seen, lines));
  for (const auto line : lines) {
    auto fewer = lines;
    fewer.erase(std::find(fewer.begin(), fewer.end(), line));
    RC_ASSERT(explained_alone(seen, fewer));
  }
  const auto same = [&](const operation& o) { return o.line == culprit.line; };
  auto& place = *std::find_if(seen.begin(), seen.end(), same);
  for (const auto& value : e.would_fit) {
    place = get(culprit.call, culprit.done, value);
    RC_ASSERT(naive_judge::explains(seen));
  }
  seen.erase(std::find_if(seen.begin(), seen.end(), [&](const operation& o) { return &o == &place; }));
  RC_ASSERT(naive_judge::explains(seen)); // all that ended before the culprit can be explained
}

bool explained_by_search(const operations& history, const std::vector<bool>& spared) {
  std::vector<history::told_operation> told;
  for (std::size_t i = 0; i < history.size(); ++i)
    told.push_back({&history[i], spared[i] ? history::role::may_be_missing : history::role::as_told});
  const history::check_limits limits;
  history::budget costs(limits);
  history::key_history steps(told);
  return history::search(steps, costs).run() == history::search_end::explained;
}

verdict judged(const operations& history) { return history::check(history).verdict; }

} // namespace

TEST_SUITE_BEGIN("linearizability: properties");

TEST_CASE("what a correct store tells its clients is linearizable") {
  check_property("linearizable", [] { RC_ASSERT(judged(correct_history(40)) == verdict::linearizable); });
}

TEST_CASE("the verdict is that of trying every order") {
  check_property("as the naive judge says", [] {
    // Shrinking does little for such histories; many of them do more.
    for (int times = 0; times < 50; ++times) {
      auto history = correct_history(6);
      for (int changes = below(4); changes > 0; --changes)
        spoil(history);
      RC_ASSERT((judged(history) == verdict::linearizable) == naive_judge::explains(history));
    }
  });
}

TEST_CASE(
    "what is shown of a history that cannot be explained is impossible, and nothing of it can be spared") {
  check_property("impossible and irreducible", [] {
    for (int times = 0; times < 50; ++times) {
      auto history = correct_history(6);
      for (int changes = 1 + below(3); changes > 0; --changes)
        spoil(history);
      number_lines(history);
      const auto result = history::check(history);
      if (result.verdict == verdict::not_linearizable)
        check_explanation(history, *result.explanation);
    }
  });
}

TEST_CASE("what may be missing is missing or takes effect in time, and its answer counts for nothing") {
  check_property("as the naive judge says", [] {
    for (int times = 0; times < 50; ++times) {
      auto history = correct_history(7, 2);
      for (int changes = below(4); changes > 0; --changes)
        spoil(history);
      std::vector<bool> spared(history.size());
      for (std::size_t i = 0; i < spared.size(); ++i)
        spared[i] = below(2) == 0;
      const bool explained = explained_by_search(history, spared);
      RC_ASSERT(explained == naive_judge::explains(history, spared));
    }
  });
}

TEST_CASE("an open write that nobody meets keeps a key from what is avoided, before more is appended") {
  operations history{put(0, 0, "a"), unanswered(put(1, 0, "ab")), append(2, 3, "b"),
                     cas(4, 5, "ab", "x", false)};
  CHECK(judged(history) == verdict::linearizable);
  history.erase(history.begin() + 1);
  CHECK(judged(history) == verdict::not_linearizable);
}

TEST_CASE("what has to happen does not make way for the same that may be missing") {
  const operations history{put(0, 0, "e"), cas(1, 4, "e", "a"), cas(2, 8, "e", "a"), get(2, 3, "a")};
  CHECK(explained_by_search(history, {false, true, false, false}));
  CHECK(explained_by_search(history, {false, false, true, false}));
  CHECK(!explained_by_search(history, {false, false, false, true}));
}

TEST_CASE("what may be missing is passed over where somebody else can write the same later") {
  CHECK(explained_by_search({put(0, 0, "b"), put(1, 2, "a"), get(3, 4, "b"), put(5, 6, "a"), get(7, 8, "a")},
                            {false, true, false, false, false}));
  CHECK(!explained_by_search({put(0, 0, "b"), put(1, 2, "a"), get(3, 4, "b"), get(7, 8, "a")},
                             {false, true, false, false}));
}

TEST_SUITE_END();
