#include "app/sim/passages.hpp"

#include <algorithm>

namespace troupe::sim {

namespace {

bool is_delivered(const course::action_list& actions, replica_id to) {
  return std::any_of(actions.begin(), actions.end(), [to](const course::action& a) {
    const auto* d = std::get_if<course::deliver>(&a);
    return d && d->to == to;
  });
}

} // namespace

void passages::note_delivery(const course::deliver& d, instant now) {
  if (recorder_)
    note(to_string(d.to), "sent", d.bytes, now);
}

void passages::note_rest(std::string_view bytes, const course::action_list& actions, instant now) {
  const auto type = trace::glance(bytes, "type");
  if (!recorder_ || type == "hello")
    return;
  const auto from = trace::glance(bytes, "src");
  const auto to = trace::glance(bytes, "dst");
  const auto sender = heard_sender(from);
  const auto note_end = [&](std::string_view whom, std::string_view fate) {
    const trace::within its_end(trace::current);
    note(whom, fate, bytes, now);
  };
  if (type == "ok" || type == "redirect" || type == "fail")
    return note_end(to, sender ? "sent" : "dead");
  for (auto id : world_.replicas()) {
    const auto name = to_string(id);
    if (name != from && (to == to_string(nobody) || to == name) && !is_delivered(actions, id))
      note_end(name, why_not_delivered(sender, id));
  }
}

/// Who is heard under this name. Nobody listens to a killed replica any more, whatever it still had to say.
std::optional<replica_id> passages::heard_sender(std::string_view name) const {
  for (auto id : world_.replicas())
    if (to_string(id) == name && world_.lives(id))
      return id;
  return std::nullopt;
}

/// In the order in which the world decides, but that what chance would have taken counts as dead where nobody
/// lives: of chance nothing is left to be seen.
std::string_view passages::why_not_delivered(std::optional<replica_id> from, replica_id to) const {
  if (from && world_.separated(*from, to))
    return "cut";
  return from && world_.lives(to) ? "lost" : "dead";
}

void passages::note_news(const course::news& n) {
  if (recorder_)
    recorder_->note("fault", "", n.text, n.at);
}

void passages::note(std::string_view to, std::string_view fate, std::string_view bytes, instant now) {
  recorder_->note({trace::glance(bytes, "src"), to, fate, trace::glance(bytes, "type"),
                   trace::glance(bytes, "MID"), bytes.size()},
                  now);
}

} // namespace troupe::sim
