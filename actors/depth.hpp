#pragma once
// How many messages wait for an actor. CAF's mailboxes have no bound and do not tell their depth to other
// threads; whoever lets messages into a replica has to know it (app/replica/intake.hpp).

#include "actors/caf.hpp"

#include <atomic>
#include <cstddef>

namespace troupe::actors {

/// Stands between an actor and CAF's base class for it, and counts what is in its mailbox.
template <class Base>
class with_depth : public Base {
 public:
  explicit with_depth(caf::actor_config& c) : Base(c) {}

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* unit) override {
    depth_.fetch_add(1, std::memory_order_relaxed);
    Base::enqueue(std::move(message), unit);
  }
  caf::invoke_message_result consume(caf::mailbox_element& message) override {
    depth_.fetch_sub(1, std::memory_order_relaxed);
    return Base::consume(message);
  }

  /// May be asked by any thread; messages that an ended actor never took still count.
  std::size_t depth() const { return depth_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> depth_{0};
};

} // namespace troupe::actors
