#pragma once
// What the four rooms of a replica have in common.

#include "actors/interfaces.hpp"
#include "actors/surroundings.hpp"
#include "actors/tsan.hpp"
#include "actors/watched.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <typeinfo>
#include <utility>

namespace troupe::actors {

/// Every actor holds all four handles, and so keeps the others alive, until it ends: messages that are in a
/// mailbox when the replica's owner goes away still find them.
using rooms_ptr = std::shared_ptr<const rooms>;

/// An actor that takes the messages of `Interface`. Whatever it throws stops the whole replica: one that goes
/// on without one of its actors would look alive and answer nobody.
template <class Interface>
class room : public watched<with_tsan_notes<typename Interface::base>> {
 public:
  room(caf::actor_config& c, rooms_ptr r, host h)
      : watched<with_tsan_notes<typename Interface::base>>(c, h), rooms_(std::move(r)), host_(std::move(h)) {
    this->set_exception_handler([this](std::exception_ptr& thrown) -> caf::error {
      host_.stop(fmt::format("{}: {}", this->name(), text_of(thrown)));
      return caf::exit_reason::unhandled_exception;
    });
  }

  void on_exit() override { rooms_.reset(); }

 protected:
  /// What this replica's clock shows.
  instant now() {
    const instant t{this->clock().now().time_since_epoch()};
    return host_.clock ? host_.clock->shown_at(t) : t;
  }
  /// How long the system's timers have to wait until this replica's clock shows `t`.
  duration wait_for(instant t) {
    const instant true_now{this->clock().now().time_since_epoch()};
    const auto when = host_.clock ? host_.clock->when_shown(t) : t;
    return std::max(when - true_now, duration::zero());
  }

  /// Sends a message to this actor itself when the replica's clock shows `t`.
  template <class Message>
  void send_later(instant t, Message m) {
    const auto wait = wait_for(t);
    this->expect_timer(this->true_time() + wait);
    this->delayed_send(Interface{this}, wait, std::move(m));
  }

  trace::message_head::part pack_message(trace::packer& out, const caf::type_erased_tuple& content) override {
    return pack_one_of(out, content, static_cast<typename Interface::signatures*>(nullptr));
  }

  rooms_ptr rooms_;
  host host_;

 private:
  template <class... Messages>
  using signatures_of =
      caf::detail::type_list<caf::typed_mpi<caf::detail::type_list<Messages>, caf::output_tuple<void>>...>;

  template <class... Messages>
  static trace::message_head::part pack_one_of(trace::packer& out, const caf::type_erased_tuple& content,
                                               signatures_of<Messages...>*) {
    // CAF's own, such as the one that ends an actor, have no fields, and some no description.
    trace::message_head::part print = [](trace::unpacker&, trace::json_writer& json) {
      json.plain_member("type", "system");
    };
    if (content.size() != 1)
      return print;
    // Two shared libraries may each have a description of one type; mostly there is one, at one address.
    if (!content.type(0).second)
      return print;
    const auto& type = *content.type(0).second;
    const auto is_same = [&](const std::type_info& t) { return &t == &type; };
    const auto is_equal = [&](const std::type_info& t) { return t == type; };
    (void)((pack_if<Messages>(out, content, is_same, print) || ...) ||
           (pack_if<Messages>(out, content, is_equal, print) || ...));
    return print;
  }

  template <class Message, class Matches>
  static bool pack_if(trace::packer& out, const caf::type_erased_tuple& content, const Matches& matches,
                      trace::message_head::part& print) {
    if (!matches(typeid(Message)))
      return false;
    trace::form<Message>::pack(out, content.get_as<Message>(0));
    print = [](trace::unpacker& in, trace::json_writer& json) {
      if constexpr (has_fields<Message>) {
        json.plain_member("type", Message::type_name);
        json.key("content");
        trace::form<Message>::print(in, json);
      } else {
        json.plain_member("type", "unnamed");
      }
    };
    return true;
  }

  static std::string text_of(const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      return e.what();
    } catch (...) {
      return "something was thrown that is no exception";
    }
  }
};

} // namespace troupe::actors
