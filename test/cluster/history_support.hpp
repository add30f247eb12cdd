#pragma once
// Short histories to judge, and a judge that tries everything.

#include "cluster/history/history.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

namespace troupe::test {

using history::ending;
using history::operation;
using history::operation_kind;
using history::operations;

/// An operation on key "k" that takes from `call` to `done`, answered unless told otherwise.
inline operation made(operation_kind kind, std::int64_t call, std::int64_t done, std::string value = "") {
  operation o;
  o.client = "c" + std::to_string(call);
  o.kind = kind;
  o.key = "k";
  o.value = std::move(value);
  o.call = call;
  o.done = done;
  o.ending = ending::ok;
  return o;
}

inline operation put(std::int64_t call, std::int64_t done, std::string value) {
  return made(operation_kind::put, call, done, std::move(value));
}

inline operation append(std::int64_t call, std::int64_t done, std::string value) {
  return made(operation_kind::append, call, done, std::move(value));
}

inline operation erase(std::int64_t call, std::int64_t done) {
  return made(operation_kind::erase, call, done);
}

inline operation get(std::int64_t call, std::int64_t done, std::string result) {
  auto o = made(operation_kind::get, call, done);
  o.result = std::move(result);
  return o;
}

inline operation cas(std::int64_t call, std::int64_t done, std::string expected, std::string value,
                     bool applied = true) {
  auto o = made(operation_kind::cas, call, done, std::move(value));
  o.expected = std::move(expected);
  o.applied = applied;
  return o;
}

inline operation unanswered(operation o) {
  o.ending = ending::unknown;
  o.result.reset();
  o.applied = true;
  return o;
}

inline operation refused(operation o) {
  o.ending = ending::refused;
  o.result.reset();
  return o;
}

/// Tries every order of every choice of the operations that may never have happened. For one key and a
/// handful of operations; it shares nothing with the real checker.
class naive_judge {
 public:
  static bool explains(const operations& all) {
    operations counted;
    std::copy_if(all.begin(), all.end(), std::back_inserter(counted),
                 [](const operation& o) { return o.ending != ending::refused; });
    for (unsigned choice = 0; choice < 1U << counted.size(); ++choice)
      if (allowed(counted, choice) && some_order(counted, choice))
        return true;
    return false;
  }

 private:
  static bool chosen(unsigned choice, std::size_t i) { return (choice >> i & 1U) != 0; }

  static bool allowed(const operations& all, unsigned choice) {
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!chosen(choice, i) && all[i].ending == ending::ok)
        return false;
    return true;
  }

  static bool some_order(const operations& all, unsigned choice) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (chosen(choice, i))
        order.push_back(i);
    do {
      if (keeps_time(all, order) && answers_fit(all, order))
        return true;
    } while (std::next_permutation(order.begin(), order.end()));
    return false;
  }

  static bool keeps_time(const operations& all, const std::vector<std::size_t>& order) {
    for (std::size_t late = 0; late < order.size(); ++late)
      for (std::size_t early = 0; early < late; ++early)
        if (all[order[late]].ending == ending::ok && all[order[late]].done < all[order[early]].call)
          return false;
    return true;
  }

  static bool answers_fit(const operations& all, const std::vector<std::size_t>& order) {
    std::string state;
    return std::all_of(order.begin(), order.end(), [&](std::size_t i) { return fits(all[i], state); });
  }

  static bool fits(const operation& o, std::string& state) {
    const bool told = o.ending == ending::ok;
    if (told && o.kind != operation_kind::get && !o.applied)
      return (!o.result || *o.result == state) && (o.kind != operation_kind::cas || state != o.expected);
    switch (o.kind) {
    case operation_kind::get:
      return !told || !o.result || *o.result == state;
    case operation_kind::put:
      state = o.value;
      return true;
    case operation_kind::append:
      state += o.value;
      return true;
    case operation_kind::erase:
      state.clear();
      return true;
    case operation_kind::cas:
      if (state == o.expected)
        state = o.value;
      else if (told)
        return false;
      return true;
    }
    return false;
  }
};

} // namespace troupe::test
