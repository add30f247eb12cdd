#pragma once
// One actor alone: recorders stand where the other rooms are, and time moves only when the test says so.

#include "actors/interfaces.hpp"
#include "actors/loop.hpp"
#include "actors/room.hpp"
#include "actors/watched.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::test {

using namespace std::chrono_literals;

/// The replica that the actor belongs to, and its peers.
inline constexpr replica_id self{0x0000};
inline constexpr replica_id other{0x0001};
inline constexpr replica_id third{0x0002};

inline raft::entry_ptr no_op(std::uint64_t index, std::uint64_t term) {
  return std::make_shared<raft::entry>(raft::entry{{term}, {index}, raft::no_op{}, raft::no_op_wire_bytes});
}

/// Whatever one room can say to another.
using said =
    std::variant<actors::start, actors::datagram, actors::outbound, actors::client_answer,
                 actors::standing_changed, client_request, actors::committed, actors::install_snapshot,
                 actors::outcomes, actors::reads_ready, actors::reads_refused, actors::lease_over,
                 actors::leader_heard, actors::room_again, actors::save_more, raft::received, actors::propose,
                 actors::read_requests, actors::client_requests, actors::locate_leader, actors::state_saved,
                 actors::hand_over, actors::write_done, actors::flush, actors::wake, actors::write,
                 actors::sync_done>;

/// What was said, and to which room.
struct heard_message {
  std::string_view room;
  said what;
};

/// Says that so much waits for it as it is told to say.
class pretended_mailbox : public actors::mailbox_owner {
 public:
  void pretend(std::size_t depth) { depth_ = depth; }
};

/// Takes what a room takes, and keeps it. Messages to one room stand in their order.
template <class... Messages>
class recorder : public actors::takes<Messages...>::base, public pretended_mailbox {
 public:
  using base = typename actors::takes<Messages...>::base;

  recorder(caf::actor_config& c, std::string_view room, std::vector<heard_message>* heard,
           std::vector<std::string_view>* flush_way, const actors::rooms* rooms)
      : base(c), room_(room), heard_(heard), flush_way_(flush_way), rooms_(rooms) {}

  typename base::behavior_type make_behavior() override {
    return {[this](const Messages& m) { take(m); }...};
  }

 private:
  template <class Message>
  void take(const Message& m) {
    heard_->push_back({room_, m});
  }
  /// Goes its way, through whoever stands there.
  void take(const actors::flush& f) {
    flush_way_->push_back(room_);
    if (room_ == "network")
      this->send(rooms_->router, f);
    else if (room_ == "router")
      this->send(rooms_->raft, f);
    else
      heard_->push_back({room_, f});
  }

  std::string_view room_;
  std::vector<heard_message>* heard_;
  std::vector<std::string_view>* flush_way_;
  const actors::rooms* rooms_;
};

template <class... Messages>
void record(caf::actor_system& system, std::string_view room, std::vector<heard_message>* heard,
            std::vector<std::string_view>* flush_way, const actors::rooms* rooms,
            caf::typed_actor<caf::reacts_to<Messages>...>& place) {
  place = system.spawn<recorder<Messages...>>(room, heard, flush_way, rooms);
}

/// A stage with four recorders; `put` replaces one of them by the actor that is tested.
class stage {
 public:
  stage() {
    record(system_.system(), "network", &heard_, &flush_way_, rooms_.get(), rooms_->network);
    record(system_.system(), "router", &heard_, &flush_way_, rooms_.get(), rooms_->router);
    record(system_.system(), "raft", &heard_, &flush_way_, rooms_.get(), rooms_->raft);
    record(system_.system(), "log_store", &heard_, &flush_way_, rooms_.get(), rooms_->log_store);
  }
  ~stage() {
    end(rooms_->network);
    end(rooms_->router);
    end(rooms_->raft);
    end(rooms_->log_store);
    run();
  }
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  /// Spawns the actor with these arguments, between the rooms and the host.
  template <class Actor, class Handle, class... Args>
  Actor& put(Handle actors::rooms::*place, Args... args) {
    end((*rooms_).*place);
    (*rooms_).*place = system_.system().spawn<Actor>(actors::rooms_ptr(rooms_), std::move(args)...);
    return dynamic_cast<Actor&>(*caf::actor_cast<caf::abstract_actor*>((*rooms_).*place));
  }

  const actors::rooms& rooms() const { return *rooms_; }

  /// What stands beside every actor.
  actors::host host() {
    return {[this](actors::log_level, const std::string& line) { lines.push_back(line); },
            [this](const std::string& why) { stops.push_back(why); }};
  }
  std::vector<std::string> lines;
  std::vector<std::string> stops;

  /// Puts messages into a mailbox together, without running anybody.
  template <class Handle, class... Messages>
  void post(const Handle& to, Messages... messages) {
    (caf::anon_send(to, std::move(messages)), ...);
  }
  /// Sends, and lets everybody run until nobody has work.
  template <class Handle, class... Messages>
  void tell(const Handle& to, Messages... messages) {
    post(to, std::move(messages)...);
    run();
  }
  void run() { system_.scheduler().run_jobs(); }
  /// As if so many messages waited for this recorder.
  template <class Handle>
  void pretend_depth(const Handle& of, std::size_t depth) {
    dynamic_cast<pretended_mailbox&>(*caf::actor_cast<caf::abstract_actor*>(of)).pretend(depth);
  }

  instant now() { return system_.scheduler().now(); }
  void advance(duration d) { system_.scheduler().run_until(now() + d); }
  /// What no clock of ours does.
  void turn_back(duration d) { system_.scheduler().clock().current_time -= d; }
  std::size_t timers() { return system_.scheduler().clock().schedule().size(); }

  /// Takes out what was said of one kind, and leaves the rest.
  template <class Message>
  std::vector<Message> heard() {
    std::vector<Message> found;
    std::vector<heard_message> rest;
    for (auto& h : heard_) {
      if (auto* m = std::get_if<Message>(&h.what))
        found.push_back(std::move(*m));
      else
        rest.push_back(std::move(h));
    }
    heard_ = std::move(rest);
    return found;
  }
  /// The one message of its kind.
  template <class Message>
  Message only() {
    auto found = heard<Message>();
    REQUIRE(found.size() == 1);
    return std::move(found.front());
  }
  template <class Message>
  bool silent() {
    return heard<Message>().empty();
  }
  /// Everything since the last time, in its order.
  std::vector<said> all() { return all_by(""); }
  /// What one room heard of that; the rest is forgotten.
  std::vector<said> all_by(std::string_view room) {
    std::vector<said> list;
    for (auto& h : std::exchange(heard_, {}))
      if (room.empty() || h.room == room)
        list.push_back(std::move(h.what));
    return list;
  }

  /// The recorders that flushes passed, since the last time.
  std::vector<std::string_view> flush_way() { return std::exchange(flush_way_, {}); }

 private:
  template <class Handle>
  static void end(const Handle& actor) {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::user_shutdown);
  }

  std::vector<heard_message> heard_;
  std::vector<std::string_view> flush_way_;
  actors::loop_system system_{actors::time_source::virtual_time};
  std::shared_ptr<actors::rooms> rooms_ = std::make_shared<actors::rooms>();
};

/// Keeps what leaves, as it left.
class recording_edge : public actors::edge {
 public:
  void send(std::string_view message) override { sent.emplace_back(message); }
  std::vector<std::string> sent;
};

} // namespace troupe::test
