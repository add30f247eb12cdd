#pragma once
// What the four rooms of a replica have in common.

#include "actors/depth.hpp"
#include "actors/interfaces.hpp"
#include "actors/surroundings.hpp"
#include "actors/tsan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

namespace troupe::actors {

/// Every actor holds all four handles, and so keeps the others alive, until it ends: messages that are in a
/// mailbox when the replica's owner goes away still find them.
using rooms_ptr = std::shared_ptr<const rooms>;

/// An actor that takes the messages of `Interface`. Whatever it throws stops the whole replica: one that goes
/// on without one of its actors would look alive and answer nobody.
template <class Interface>
class room : public with_tsan_notes<with_depth<typename Interface::base>> {
 public:
  room(caf::actor_config& c, rooms_ptr r, host h)
      : with_tsan_notes<with_depth<typename Interface::base>>(c), rooms_(std::move(r)), host_(std::move(h)) {
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

  rooms_ptr rooms_;
  host host_;

 private:
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
