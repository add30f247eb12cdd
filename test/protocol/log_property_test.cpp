// The log against a naive model of it: the term of every entry there ever was, and how far they are gone.

#include "protocol/invariant.hpp"
#include "protocol/raft/log.hpp"
#include "test/support/property.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <numeric>

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr std::size_t entry_bytes = 10;

struct model {
  std::vector<std::uint64_t> terms{0}; ///< of entries 0 (before the first), 1, ...
  std::uint64_t base = 0;

  std::uint64_t last() const { return terms.size() - 1; }
};

raft::entry_ptr made(std::uint64_t term, std::uint64_t index) {
  return std::make_shared<raft::entry>(raft::entry{{term}, {index}, raft::no_op{}, entry_bytes});
}

/// One change that is allowed, to both.
void change(raft::log& log, model& m) {
  const auto any_index = rc::gen::inRange(m.base, m.last() + 1);
  switch (*rc::gen::weightedElement<int>({{6, 0}, {2, 1}, {2, 2}, {1, 3}})) {
  case 0: {
    const auto term = m.terms.back() + *rc::gen::inRange(m.terms.back() ? 0U : 1U, 3U);
    log.append(made(term, m.last() + 1));
    m.terms.push_back(term);
    break;
  }
  case 1: {
    const auto index = *any_index;
    log.truncate_behind({index});
    m.terms.resize(index + 1);
    break;
  }
  case 2: {
    const auto index = *any_index;
    log.compact({index});
    m.base = index;
    break;
  }
  default: {
    const auto base = m.last() + *rc::gen::inRange(1U, 5U);
    const auto term = m.terms.back() + *rc::gen::inRange(1U, 3U);
    log.reset({base}, {term});
    m.terms.resize(base + 1, term);
    m.base = base;
  }
  }
}

template <class Check>
void after_any_changes(Check check) {
  raft::log log;
  model m;
  const auto changes = *rc::gen::inRange(1, 60);
  for (int i = 0; i < changes; ++i)
    change(log, m);
  check(log, m);
}

} // namespace

TEST_SUITE_BEGIN("log: properties");

TEST_CASE("a log knows the terms of its entries and of its base, and of no others") {
  check_property("term_at, ends", [] {
    after_any_changes([](const raft::log& log, const model& m) {
      RC_ASSERT(log.base_index().value == m.base);
      RC_ASSERT(log.first_index().value == m.base + 1);
      RC_ASSERT(log.last_index().value == m.last());
      RC_ASSERT(log.last_term().value == m.terms.back());
      for (std::uint64_t i = 0; i <= m.last() + 2; ++i) {
        const bool known = i >= m.base && i <= m.last();
        RC_ASSERT(log.term_at({i}).has_value() == known);
        if (known)
          RC_ASSERT(log.term_at({i})->value == m.terms[i]);
        if (known && i > m.base)
          RC_ASSERT(log.at({i})->index.value == i);
      }
    });
  });
}

TEST_CASE("a slice is the longest run of entries that fits") {
  check_property("slice", [] {
    after_any_changes([](const raft::log& log, const model& m) {
      const auto first = *rc::gen::inRange(m.base + 1, m.last() + 3);
      const auto bytes = *rc::gen::inRange<std::size_t>(0, 30 * entry_bytes);
      const auto slice = log.slice({first}, bytes);
      const auto there = first > m.last() ? 0 : m.last() - first + 1;
      RC_ASSERT(slice.size() == std::min<std::uint64_t>(there, bytes / entry_bytes));
      for (std::size_t i = 0; i < slice.size(); ++i)
        RC_ASSERT(slice[i] == log.at({first + i}));
    });
  });
}

TEST_CASE("the first and the last entry of a term are found") {
  check_property("first_index_of_term_at, last_index_of_term", [] {
    after_any_changes([](const raft::log& log, const model& m) {
      for (auto i = m.base; i <= m.last(); ++i) {
        auto first = i;
        while (first > m.base && m.terms[first - 1] == m.terms[i])
          --first;
        RC_ASSERT(log.first_index_of_term_at({i}).value == first);
      }
      for (std::uint64_t term = 0; term <= m.terms.back() + 1; ++term) {
        std::optional<std::uint64_t> last;
        for (auto i = m.base; i <= m.last(); ++i)
          if (m.terms[i] == term)
            last = i;
        const auto found = log.last_index_of_term({term});
        RC_ASSERT(found.has_value() == last.has_value());
        if (last)
          RC_ASSERT(found->value == *last);
      }
    });
  });
}

TEST_CASE("a log is compared by its last term, then by its length") {
  check_property("is_up_to_date", [] {
    after_any_changes([](const raft::log& log, const model& m) {
      const auto term = *rc::gen::inRange<std::uint64_t>(0, m.terms.back() + 3);
      const auto index = *rc::gen::inRange<std::uint64_t>(0, m.last() + 3);
      RC_ASSERT(log.is_up_to_date({index}, {term}) ==
                (std::pair{term, index} >= std::pair{m.terms.back(), m.last()}));
    });
  });
}

TEST_CASE("what is discarded is freed little by little, and nothing else") {
  check_property("discarded_entries", [] {
    std::deque<raft::entry_ptr> entries;
    std::vector<std::weak_ptr<const raft::entry>> all;
    raft::discarded_entries discarded;
    std::size_t gone = 0;
    const auto alive = [&] {
      return static_cast<std::size_t>(
          std::count_if(all.begin(), all.end(), [](const auto& e) { return !e.expired(); }));
    };
    for (auto parts = *rc::gen::inRange(1, 4); parts > 0; --parts) {
      for (auto more = *rc::gen::inRange(0, 40); more > 0; --more) {
        entries.push_back(made(1, all.size() + 1));
        all.emplace_back(entries.back());
      }
      const auto before = alive();
      const auto count = *rc::gen::inRange<std::size_t>(0, entries.size() + 1);
      discarded.take_front(entries, count);
      gone += count;
      RC_ASSERT(alive() == before);
      RC_ASSERT(entries.size() == all.size() - gone);
      for (std::size_t i = 0; i < entries.size(); ++i)
        RC_ASSERT(entries[i]->index.value == gone + i + 1);
    }
    while (discarded.size() > 0) {
      const auto before = alive();
      discarded.free_some();
      RC_ASSERT(before - alive() >= 1U);
      RC_ASSERT(before - alive() <= 4U);
    }
    RC_ASSERT(alive() == entries.size());
  });
}

TEST_CASE("what would break a log's invariants is refused") {
  check_property("append, truncate_behind, compact, at", [] {
    after_any_changes([](raft::log log, const model& m) {
      const auto gap = *rc::gen::inRange<std::uint64_t>(2, 5);
      RC_ASSERT_THROWS_AS(log.append(made(m.terms.back() + 1, m.last() + gap)), broken_invariant);
      RC_ASSERT_THROWS_AS(log.append(made(m.terms.back() + 1, m.last())), broken_invariant);
      if (m.terms.back() > 0)
        RC_ASSERT_THROWS_AS(log.append(made(m.terms.back() - 1, m.last() + 1)), broken_invariant);
      RC_ASSERT_THROWS_AS(log.truncate_behind({m.last() + 1}), broken_invariant);
      RC_ASSERT_THROWS_AS(log.compact({m.last() + 1}), broken_invariant);
      RC_ASSERT_THROWS_AS(log.at({m.base}), broken_invariant);
      RC_ASSERT_THROWS_AS(log.at({m.last() + 1}), broken_invariant);
      if (m.base > 0)
        RC_ASSERT_THROWS_AS(log.truncate_behind({m.base - 1}), broken_invariant);
    });
  });
}

TEST_SUITE_END();
