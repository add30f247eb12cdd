#pragma once
// What is seen of every actor from outside: how many messages wait for it, and, where somebody records, each
// message that it handles. CAF's mailboxes have no bound and do not tell their depth to other threads;
// whoever lets messages into a replica has to know it (actors/intake.hpp).

#include "actors/caf.hpp"
#include "actors/observed_message.hpp"
#include "actors/surroundings.hpp"
#include "actors/tsan.hpp"
#include "trace/context.hpp"
#include "trace/recorder.hpp"

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>

namespace troupe::actors {

/// Who can say how much waits for it.
class mailbox_owner {
 public:
  /// May be asked by any thread; messages that an ended actor never took still count.
  std::size_t depth() const { return depth_.load(std::memory_order_relaxed); }

 protected:
  ~mailbox_owner() = default;
  std::atomic<std::size_t> depth_{0};
};

/// Stands between an actor and CAF's base class for it.
template <class Base>
class watched : public Base, public mailbox_owner {
 public:
  watched(caf::actor_config& c, const host& h) : Base(c), recorder_(h.recorder), self_(h.self) {}

  using Base::enqueue;
  /// In the sender's thread.
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* unit) override {
    depth_.fetch_add(1, std::memory_order_relaxed);
    if (recorder_) {
      const auto from = sender_of(*message);
      message.reset(new observed_message(std::move(message), recorder_->next_id(), from,
                                         from.cause != 0 ? glance_at_clock() : look_at_clock()));
    }
    Base::enqueue(std::move(message), unit);
  }
  /// In this actor's.
  caf::invoke_message_result consume(caf::mailbox_element& message) override {
    const auto behind = depth_.fetch_sub(1, std::memory_order_relaxed) - 1;
    if (recorder_)
      return consume_and_record(message, behind);
    return Base::consume(message);
  }

 protected:
  using part = trace::message_head::part;

  /// Packs what a message says; what comes back prints the members `type` and `content`.
  virtual part pack_message(trace::packer& out, const caf::type_erased_tuple& content) = 0;
  /// The same of what an actor shows of itself and has changed since the last time.
  virtual part pack_changes(trace::packer&) {
    return [](trace::unpacker&, trace::json_writer&) {};
  }

  /// The next message that comes from a timer of this actor's, due then, was caused by what is handled now.
  void expect_timer(instant due) {
    if (!recorder_)
      return;
    const std::lock_guard lock(timers_mutex_);
    timers_.emplace(due, trace::context{trace::current.cause, trace::current.lamport, "timer"});
  }

  /// At most as old as what is handled now, where somebody records.
  instant recent_time() { return glance_at_clock(); }
  instant true_time() { return {this->clock().now().time_since_epoch()}; }

 private:
  trace::context sender_of(const caf::mailbox_element& message) {
    if (trace::current.cause != 0) {
      ++trace::current.lamport;
      return trace::current;
    }
    if (message.sender && message.sender.get() == this->ctrl()) {
      const std::lock_guard lock(timers_mutex_);
      if (!timers_.empty())
        return timers_.extract(timers_.begin()).mapped();
    }
    return {0, 0, trace::current.room}; // whoever it is has no clock of its own
  }

  instant look_at_clock() { return trace::own_watch.last_look = true_time(); }
  /// Where this thread has not waited since it last looked, that will do.
  instant glance_at_clock() {
    return trace::own_watch.is_unbroken ? trace::own_watch.last_look : look_at_clock();
  }

  caf::invoke_message_result consume_and_record(caf::mailbox_element& message, std::size_t behind) {
    note_arrival(message);
    const auto& seen = static_cast<observed_message&>(message); // all came through enqueue
    lamport_ = std::max(lamport_, seen.from.lamport) + 1;
    trace::message_head head{.id = seen.id,
                             .cause = seen.from.cause,
                             .lamport = lamport_,
                             .sent = seen.sent,
                             .begin = std::max(glance_at_clock(), seen.sent),
                             .end = {},
                             .from = seen.from.room,
                             .to = this->name(),
                             .print_content = nullptr,
                             .print_changes = nullptr,
                             .depth = static_cast<std::uint32_t>(behind),
                             .replica = self_};
    record_.clear();
    record_.skip(sizeof(trace::record_head) + sizeof head);
    // Before it is handled: that may move things out of it.
    head.print_content = pack_message(record_, seen.content());
    auto result = caf::invoke_message_result{};
    {
      const trace::within handling({seen.id, lamport_, this->name()});
      trace::unfinished = {&record_, &head};
      try {
        result = Base::consume(message);
      } catch (...) { // which ends the replica
        recorder_->take_unfinished();
        trace::unfinished = {};
        throw;
      }
      trace::unfinished = {};
      lamport_ = trace::current.lamport;
    }
    head.print_changes = pack_changes(record_);
    // Those that wait behind each other share a look at the clock, behind the last of them.
    head.end = behind == 0 ? look_at_clock() : std::max(glance_at_clock(), head.begin);
    trace::seal(record_, head);
    recorder_->take(record_.bytes());
    return result;
  }

  trace::recorder* recorder_;
  replica_id self_;
  std::uint64_t lamport_ = 0;
  trace::packer record_;
  std::mutex timers_mutex_;
  std::multimap<instant, trace::context> timers_; ///< equal ones fire in the order they were set in
};

} // namespace troupe::actors
