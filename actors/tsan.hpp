#pragma once
// What TSan has to be told about CAF. The packaged library is not built with it, so TSan does not see that a
// mailbox and the scheduler's queue hand over from one thread to the next, and takes whatever two threads do
// to one actor, or to one message, for a race. With these notes only real ones are left. In all other builds
// nothing of this exists.

#include "actors/caf.hpp"

#if defined(__SANITIZE_THREAD__)
#define TROUPE_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TROUPE_TSAN
#endif
#endif

#ifdef TROUPE_TSAN

#include <utility>

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}

namespace troupe::actors {

/// For who looks into a message before the actor's base class has it.
inline void note_arrival(caf::mailbox_element& message) { __tsan_acquire(&message); }

/// Stands between an actor and CAF's base class for it.
///
/// Two things are handed over: each message, from who sends it to who takes it, and the actor itself, from
/// the thread that ran it to the one that runs or destroys it next.
template <class Base>
class with_tsan_notes : public Base {
 public:
  explicit with_tsan_notes(caf::actor_config& c) : Base(c) {}
  ~with_tsan_notes() override { __tsan_acquire(actor()); }

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* unit) override {
    __tsan_release(message.get());
    __tsan_release(actor());
    Base::enqueue(std::move(message), unit);
  }
  void launch(caf::execution_unit* unit, bool lazy, bool hide) override {
    __tsan_release(actor());
    Base::launch(unit, lazy, hide);
  }
  caf::resumable::resume_result resume(caf::execution_unit* unit, std::size_t most_messages) override {
    __tsan_acquire(actor());
    // Not behind the call: by then another thread may have destroyed this actor.
    return Base::resume(unit, most_messages);
  }
  void initialize() override {
    Base::initialize();
    __tsan_release(actor());
  }
  caf::invoke_message_result consume(caf::mailbox_element& message) override {
    __tsan_acquire(&message);
    const auto result = Base::consume(message);
    __tsan_release(actor());
    return result;
  }
  bool cleanup(caf::error&& reason, caf::execution_unit* unit) override {
    __tsan_acquire(actor()); // messages that nobody took are destroyed here
    const bool cleaned = Base::cleanup(std::move(reason), unit);
    __tsan_release(actor());
    return cleaned;
  }

 private:
  void* actor() { return static_cast<caf::resumable*>(this); }
};

} // namespace troupe::actors

#else

namespace troupe::actors {
inline void note_arrival(caf::mailbox_element&) {}
template <class Base>
using with_tsan_notes = Base;
} // namespace troupe::actors

#endif
