#pragma once
// What the measurements make of many figures.

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <vector>

namespace troupe::bench {

struct bench_failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The figure below which so many per cent of all lie; 0 if there is none.
inline double at_percent(std::vector<double> all, double percent) {
  if (all.empty())
    return 0;
  std::sort(all.begin(), all.end());
  return all[std::min(all.size() - 1,
                      static_cast<std::size_t>(static_cast<double>(all.size()) * percent / 100))];
}

inline double median(std::vector<double> all) { return at_percent(std::move(all), 50); }

inline double seconds_since(std::chrono::steady_clock::time_point t) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count();
}

} // namespace troupe::bench
