#pragma once
// What the course's world lets pass and what not, for a trace.

#include "cluster/course/world.hpp"
#include "trace/context.hpp"
#include "trace/recorder.hpp"

#include <optional>
#include <string_view>

namespace troupe::sim {

class passages {
 public:
  /// @param recorder  null: nothing is noted
  passages(trace::recorder* recorder, const course::world& world) : recorder_(recorder), world_(world) {}

  /// The world wants a message delivered; what is planned from here on follows from that.
  void note_delivery(const course::deliver& d, instant now);
  /// The world has taken a message and wants `actions`: whom it does not pass it on to is noted, and whoever
  /// was answered, since clients are a part of the world.
  void note_rest(std::string_view bytes, const course::action_list& actions, instant now);
  void note_news(const course::news& n);

 private:
  std::optional<replica_id> heard_sender(std::string_view name) const;
  std::string_view why_not_delivered(std::optional<replica_id> from, replica_id to) const;
  void note(std::string_view to, std::string_view fate, std::string_view bytes, instant now);

  trace::recorder* recorder_;
  const course::world& world_;
};

} // namespace troupe::sim
