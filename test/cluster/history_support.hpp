#pragma once
// Short histories to judge, and a judge that tries everything.

#include "cluster/history/history.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

using history::ending;
using history::operation;
using history::operation_kind;
using history::operations;

/// An operation on key "k" that takes from `call` to `done`, answered unless told otherwise.
inline operation made(operation_kind kind, std::int64_t call, std::int64_t done, std::string value = "") {
  operation o;
  o.client = fmt::format("c{}", call);
  o.kind = kind;
  o.key.assign(1, 'k');
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

/// A cas that was not applied, and was told what it met.
inline operation cas_that_found(std::int64_t call, std::int64_t done, std::string expected,
                                std::string found) {
  auto o = cas(call, done, std::move(expected), "new", false);
  o.result = std::move(found);
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
  static bool explains(operations all) {
    const std::vector<bool> none(all.size(), false);
    return naive_judge(std::move(all), none).some_choice_fits();
  }

  /// @param spared  those that may be missing, and whose answers count for nothing
  static bool explains(operations all, std::vector<bool> spared) {
    return naive_judge(std::move(all), std::move(spared)).some_choice_fits();
  }

 private:
  naive_judge(operations all, std::vector<bool> spared) : all_(std::move(all)), spared_(std::move(spared)) {}

  bool some_choice_fits() const {
    for (unsigned choice = 0; choice < 1U << all_.size(); ++choice)
      if (allowed(choice) && some_order_fits(choice))
        return true;
    return false;
  }

  static bool chosen(unsigned choice, std::size_t i) { return (choice >> i & 1U) != 0; }

  bool allowed(unsigned choice) const {
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (chosen(choice, i) ? all_[i].ending == ending::refused : all_[i].ending == ending::ok && !spared_[i])
        return false;
    return true;
  }

  bool some_order_fits(unsigned choice) const {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (chosen(choice, i))
        order.push_back(i);
    do {
      if (keeps_time(order) && answers_fit(order))
        return true;
    } while (std::next_permutation(order.begin(), order.end()));
    return false;
  }

  bool keeps_time(const std::vector<std::size_t>& order) const {
    for (std::size_t late = 0; late < order.size(); ++late)
      for (std::size_t early = 0; early < late; ++early)
        if (all_[order[late]].ending == ending::ok && all_[order[late]].done < all_[order[early]].call)
          return false;
    return true;
  }

  bool answers_fit(const std::vector<std::size_t>& order) const {
    std::string state;
    return std::all_of(order.begin(), order.end(), [&](std::size_t i) { return fits(i, state); });
  }

  bool fits(std::size_t i, std::string& state) const {
    const auto& o = all_[i];
    const bool told = o.ending == ending::ok && !spared_[i];
    if (o.ending == ending::ok && o.kind != operation_kind::get && !o.applied)
      return !told ||
             ((!o.result || *o.result == state) && (o.kind != operation_kind::cas || state != o.expected));
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

  operations all_;
  std::vector<bool> spared_;
};

} // namespace troupe::test
