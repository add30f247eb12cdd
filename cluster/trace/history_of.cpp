#include "cluster/trace/history_of.hpp"

#include <algorithm>

namespace troupe::trace {

namespace {

using history::operation_kind;

/// As trace/content.hpp cuts them.
bool is_cut(const std::string& text) { return text.ends_with(')') && text.find("...(") != text.npos; }

std::string name_of(const value& id) { return id["client"].text + ' ' + id["MID"].text; }

} // namespace

void history_collector::take(const record& r) {
  if (r.kind != event_kind::message)
    return;
  if (r.type == "client_request")
    ask(r, parse(r.content));
  else if (r.type == "client_answer")
    answer(r, parse(r.content)["reply"]);
  else if (r.type == "committed" && r.to == "router")
    commit(parse(r.content)["entries"]);
}

client_history history_collector::finish() {
  const bool any_append = std::any_of(result_.operations.begin(), result_.operations.end(),
                                      [](const auto& o) { return o.kind == operation_kind::append; });
  result_.is_cut = any_cut_ && any_append;
  return std::move(result_);
}

void history_collector::ask(const record& r, const value& request) {
  const auto& id = request["id"];
  if (!places_.try_emplace(name_of(id), result_.operations.size()).second)
    return; // asked again
  const auto& what = request["operation"];
  history::operation o;
  o.client = id["client"].text;
  o.id = id["MID"].text;
  constexpr std::pair<std::string_view, operation_kind> kinds[] = {{"get", operation_kind::get},
                                                                   {"put", operation_kind::put},
                                                                   {"append", operation_kind::append},
                                                                   {"cas", operation_kind::cas},
                                                                   {"delete", operation_kind::erase}};
  for (const auto& [name, kind] : kinds)
    if (what["type"].text == name)
      o.kind = kind;
  o.key = what["key"].text;
  o.value = what["value"].text;
  o.expected = what["expected"].text;
  o.call = r.sent;
  any_cut_ = any_cut_ || is_cut(o.value) || is_cut(o.expected);
  result_.operations.push_back(std::move(o));
  listed_.push_back(false);
}

void history_collector::answer(const record& r, const value& reply) {
  const auto found = places_.find(name_of(reply["id"]));
  if (reply["type"].text != "client_ok" || found == places_.end())
    return;
  auto& o = result_.operations[found->second];
  if (o.ending == history::ending::ok)
    return; // answered again
  o.ending = history::ending::ok;
  o.done = std::max(r.begin, o.call);
  o.applied = reply["applied"].text != "false";
  if (reply.has("value"))
    o.result = reply["value"].text;
  any_cut_ = any_cut_ || (o.result && is_cut(*o.result));
}

void history_collector::commit(const value& entries) {
  for (const auto& e : entries.items) {
    if (e["index"].number() <= committed_)
      continue;
    committed_ = e["index"].number();
    const auto found = places_.find(name_of(e["payload"]["id"]));
    if (found == places_.end() || listed_[found->second])
      continue;
    listed_[found->second] = true;
    result_.writes_in_log.push_back(found->second);
  }
}

client_history history_of(const story& s) {
  history_collector all;
  for (const auto& r : s.records())
    all.take(r);
  return all.finish();
}

const recording* find_late_beginning(const story& s) {
  std::vector<bool> seen(s.files().size());
  for (const auto& r : s.records()) {
    if (seen[r.file])
      continue;
    seen[r.file] = true;
    if (r.line != 2 || (r.event != "start" && r.event != "fault" && r.lamport > 2))
      return &s.files()[r.file];
  }
  return nullptr;
}

} // namespace troupe::trace
