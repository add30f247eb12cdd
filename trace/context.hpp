#pragma once
// What a thread is about. Whatever happens meanwhile, and is planned for later, was caused by it.

#include "protocol/types.hpp"

#include <cstdint>
#include <utility>

namespace troupe::trace {

struct context {
  std::uint64_t cause = 0;      ///< the record of what is being handled; 0: nothing that is known
  std::uint64_t lamport = 0;    ///< the stamp of what happened last
  const char* room = "outside"; ///< who handles it
};

inline constinit thread_local context current{};

/// Reading the machine's clock costs more than all the rest of a record. A thread that runs one actor after
/// the other without waiting in between takes up a message when it is done with the one before, and looks at
/// the clock once for each, or for several of an actor that wait behind each other.
struct watch {
  bool is_unbroken = false; ///< this thread does not wait before it takes up the next message
  instant last_look;
};

inline constinit thread_local watch own_watch{};

/// Until its end the thread does not wait. What it records meanwhile is handed on together.
class unbroken {
 public:
  unbroken() : before_(std::exchange(own_watch.is_unbroken, true)) {}
  ~unbroken();
  unbroken(const unbroken&) = delete;
  unbroken& operator=(const unbroken&) = delete;

 private:
  bool before_;
};

/// Until its end this is what the thread is about.
class within {
 public:
  explicit within(const context& c) : before_(std::exchange(current, c)) {}
  ~within() { current = before_; }
  within(const within&) = delete;
  within& operator=(const within&) = delete;

 private:
  context before_;
};

} // namespace troupe::trace
