#pragma once
// Many runs, some side by side.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <poll.h>
#include <thread>
#include <vector>

namespace troupe::sim {

/// True once this descriptor (see stop_signal) is readable.
inline bool told_to_stop(int descriptor) {
  pollfd file{descriptor, POLLIN, 0};
  return ::poll(&file, 1, 0) > 0;
}

/// Calls `work(0)` to `work(count - 1)`, on as many threads as there are jobs, until one of them returns
/// false. Returns whether none did. Throws the first thing that one of them throws.
template <class Work>
bool side_by_side(std::size_t count, std::size_t jobs, Work&& work) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stopped = false;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work_on = [&] {
    try {
      for (auto i = next++; i < count && !stopped; i = next++)
        if (!work(i))
          stopped = true;
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      stopped = true;
    }
  };
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < std::min(jobs, count); ++i) // this thread is one of them
    helpers.emplace_back(work_on);
  work_on();
  for (auto& helper : helpers)
    helper.join();
  if (failure)
    std::rethrow_exception(failure);
  return !stopped;
}

} // namespace troupe::sim
