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
  began_ = std::min(began_.value_or(r.sent), r.sent);
  if (r.kind != event_kind::message)
    return;
  if (r.type == "client_request") {
    const auto request = parse(r.content);
    add(request["id"], request["operation"], r.sent);
  } else if (r.type == "client_answer")
    answer(r, parse(r.content)["reply"]);
  else if (r.type == "committed" && r.to == "router")
    commit(parse(r.content)["entries"]);
  else if (r.type == "install_snapshot" && r.to == "router")
    install(parse(r.content)["snapshot"]);
}

client_history history_collector::finish() {
  const bool any_append = std::any_of(result_.operations.begin(), result_.operations.end(),
                                      [](const auto& o) { return o.kind == operation_kind::append; });
  result_.is_cut = any_cut_ && any_append;
  return std::move(result_);
}

/// Its place; one that is asked again has it already.
std::size_t history_collector::add(const value& id, const value& what, std::int64_t call) {
  const auto [place, is_new] = places_.try_emplace(name_of(id), result_.operations.size());
  if (!is_new)
    return place->second;
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
  o.call = call;
  any_cut_ = any_cut_ || is_cut(o.value) || is_cut(o.expected);
  result_.operations.push_back(std::move(o));
  listed_.push_back(false);
  return place->second;
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

/// Who asked a process that was killed may be missing, as its last records are, and what was asked before a
/// start on old data is: an entry that is committed all the same says what was written, though not since
/// when.
void history_collector::commit(const value& entries) {
  for (const auto& e : entries.items) {
    const auto index = e["index"].number();
    if (index <= committed_)
      continue;
    result_.lacks_entries = result_.lacks_entries || index != committed_ + 1;
    committed_ = index;
    const auto& command = e["payload"];
    if (command["type"].text != "command")
      continue;
    const auto place = add(command["id"], command["operation"], *began_);
    if (listed_[place])
      continue;
    listed_[place] = true;
    result_.writes_in_log.push_back(place);
  }
}

void history_collector::install(const value& snapshot) {
  const auto last = snapshot["last_index"].number();
  result_.lacks_entries = result_.lacks_entries || last > committed_;
  committed_ = std::max(committed_, last);
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
