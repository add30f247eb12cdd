#pragma once
// A message on its way to an actor whose messages are recorded.

#include "actors/caf.hpp"
#include "trace/context.hpp"

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace troupe::actors {

/// Memory of one size, kept by the thread that frees it for the next that it needs: there is one more object
/// for every message that is recorded, and the allocator would be much of what that costs. May be freed by
/// another thread than the one that took it.
template <std::size_t Bytes>
class kept_memory {
 public:
  static void* take() {
    if (!mine_.first)
      return ::operator new(Bytes);
    --mine_.count;
    return std::exchange(mine_.first, mine_.first->next);
  }

  static void give(void* memory) {
    // What is freed behind a thread's last moment, or is more than is needed, is not kept.
    static thread_local const at_end end_of_thread;
    if (mine_.is_over || mine_.count == most)
      return ::operator delete(memory);
    ++mine_.count;
    mine_.first = new (memory) block{mine_.first};
  }

 private:
  static constexpr std::size_t most = 1'024;

  struct block {
    block* next;
  };
  static_assert(Bytes >= sizeof(block));

  struct list {
    block* first = nullptr;
    std::size_t count = 0;
    bool is_over = false;
  };

  struct at_end {
    ~at_end() {
      mine_.is_over = true;
      while (mine_.first)
        ::operator delete(std::exchange(mine_.first, mine_.first->next));
    }
  };

  inline static constinit thread_local list mine_{};
};

/// A message, with what is known of how it came to be sent.
class observed_message final : public caf::mailbox_element {
 public:
  observed_message(caf::mailbox_element_ptr m, std::uint64_t number, const trace::context& c, instant t)
      : caf::mailbox_element(std::move(m->sender), m->mid, std::move(m->stages)), id(number), from(c),
        sent(t), message_(std::move(m)) {}

  caf::type_erased_tuple& content() override { return message_->content(); }
  const caf::type_erased_tuple& content() const override {
    return static_cast<const caf::mailbox_element&>(*message_).content();
  }
  caf::message move_content_to_message() override { return message_->move_content_to_message(); }
  caf::message copy_content_to_message() const override { return message_->copy_content_to_message(); }

  static void* operator new(std::size_t bytes);
  static void operator delete(void* memory);

  const std::uint64_t id;
  const trace::context from;
  const instant sent;

 private:
  caf::mailbox_element_ptr message_;
};

inline void* observed_message::operator new(std::size_t) {
  return kept_memory<sizeof(observed_message)>::take();
}
inline void observed_message::operator delete(void* memory) {
  kept_memory<sizeof(observed_message)>::give(memory);
}

} // namespace troupe::actors
