#include "cluster/chaos/shrink.hpp"

#include <algorithm>

namespace troupe::chaos {

namespace {

class shrinker {
 public:
  shrinker(schedule s, const std::string& rule, const trial& t, std::size_t most)
      : best_(std::move(s)), rule_(rule), trial_(t), most_(most) {}

  shrunk run() {
    // A fault that went may have been what some requests were needed against, and the other way round.
    bool smaller = true;
    while (smaller && !exhausted()) {
      smaller = reduce(best_.faults);
      smaller = reduce(best_.requests) || smaller;
    }
    return {std::move(best_), trials_, !exhausted()};
  }

 private:
  bool exhausted() const { return trials_ >= most_; }

  /// Leaves away halves, then quarters, and so on down to single items, from the back: what happens late
  /// matters least to what happened before. `items` is a part of `best_`.
  template <class Item>
  bool reduce(std::vector<Item>& items) {
    const auto before = items.size();
    for (auto chunk = items.size(); chunk >= 1; chunk /= 2) {
      for (auto end = items.size(); end > 0 && !exhausted();) {
        const auto begin = end > chunk ? end - chunk : 0;
        auto rest = items;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(begin),
                   rest.begin() + static_cast<std::ptrdiff_t>(end));
        std::swap(items, rest);
        if (!fails())
          std::swap(items, rest);
        end = begin;
      }
    }
    return items.size() < before;
  }

  bool fails() {
    ++trials_;
    return trial_(best_) == rule_;
  }

  schedule best_;
  const std::string& rule_;
  const trial& trial_;
  std::size_t most_;
  std::size_t trials_ = 0;
};

} // namespace

shrunk shrink(schedule s, const std::string& rule, const trial& t, std::size_t most_trials) {
  return shrinker(std::move(s), rule, t, most_trials).run();
}

} // namespace troupe::chaos
