#include "actors/observed_message.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

using namespace troupe;

namespace {

// A size that nobody else keeps.
using memory = actors::kept_memory<328>;

} // namespace

TEST_CASE("the memory of a message is used again by the thread that frees it, whoever took it") {
  void* taken = memory::take();
  void* elsewhere = nullptr;
  std::thread other([&] {
    memory::give(taken);
    elsewhere = memory::take();
    memory::give(elsewhere); // is gone with the thread
  });
  other.join();
  CHECK(elsewhere == taken);

  std::vector<void*> many; // so many that an allocator would bring them back in another order
  for (int i = 0; i < 1'000; ++i)
    many.push_back(memory::take());
  for (auto* m : many)
    memory::give(m);
  std::vector<void*> again;
  for (int i = 0; i < 1'000; ++i)
    again.push_back(memory::take());
  std::reverse(again.begin(), again.end());
  CHECK(again == many);
  for (auto* m : again)
    memory::give(m);
}

TEST_CASE("no memory is in use twice, and no more is kept than is sensible") {
  std::vector<void*> all;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3'000; ++i)
      all.push_back(memory::take());
    auto sorted = all;
    std::sort(sorted.begin(), sorted.end());
    CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
    for (auto* m : all)
      memory::give(m);
    all.clear();
  }
}
