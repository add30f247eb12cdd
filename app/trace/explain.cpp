// troupe-trace explain: the chain of causes of an event or a request, both ways.

#include "app/trace/command.hpp"
#include "app/trace/filter.hpp"
#include "app/trace/journey.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <memory>
#include <set>

namespace troupe::trace_app {

namespace {

using trace::event_kind;
using trace::record;

constexpr std::size_t longest_text = 160;
constexpr std::size_t longest_path = 60;
/// Effects go on for ever: every heartbeat follows from the one before.
constexpr std::size_t most_effects = 60;

constexpr std::size_t most_after_the_answer = 6;

struct explain_options {
  std::string what;
  std::vector<std::string> files;
};

std::string line_of(const trace::story& s, const record& r, std::int64_t since) {
  return fmt::format("{} +{:<10} #{:<6} {:<14} {}", seconds(r.begin - s.began()), length(r.begin - since),
                     r.id, place_of(r), shortened(describe(r), longest_text));
}

/// What came before moment `since` is another story.
void print_path(const trace::story& s, const std::vector<const record*>& path, std::int64_t since) {
  auto first = path.size() > longest_path ? path.size() - longest_path : 0;
  while (first + 1 < path.size() && path[first]->begin < since)
    ++first;
  if (first > 0)
    fmt::print("  (and {} earlier causes; explain #{} has them)\n", first, path[first]->id);
  for (std::size_t i = first; i < path.size(); ++i)
    fmt::print("  {}\n", line_of(s, *path[i], i == 0 ? path[i]->begin : path[i - 1]->begin));
  const auto from = std::max(since, path.front()->begin);
  std::string spent;
  for (const auto& [where, ns] : spent_on(path, from))
    if (ns > 0)
      spent += fmt::format("{} {} {}", spent.empty() ? ":" : ";", where, length(ns));
  fmt::print("  took {}{}\n", length(path.back()->begin - from), spent);
}

void print_effects(const trace::story& s, const record& r, int depth, std::size_t& left) {
  for (const auto* e : s.effects_of(r)) {
    if (left == 0)
      return;
    if (--left == 0) {
      fmt::print("  (and more)\n");
      return;
    }
    fmt::print("  {:{}}{}\n", "", 2 * depth, line_of(s, *e, r.begin));
    if (e->from != "timer") // what comes when time has passed is another story
      print_effects(s, *e, depth + 1, left);
  }
}

exit_status explain_event(const trace::story& s, const record& r) {
  constexpr std::int64_t path_begin = 0;
  fmt::print("why #{} happened:\n", r.id);
  print_path(s, s.path_to(r), path_begin);
  fmt::print("what followed from it:\n");
  auto left = most_effects;
  print_effects(s, r, 0, left);
  if (left == most_effects)
    fmt::print("  nothing that is recorded\n");
  return all_right;
}

// ---- requests

bool is_about(const record& r, const std::string& mid) {
  if (r.kind == event_kind::network)
    return r.mid == mid;
  // Most records say nothing of it: a look at the text spares the parsing.
  return r.content.find(mid) != r.content.npos && mentions(trace::parse(r.content), "MID", mid);
}

/// What became of a request that has no answer.
void print_last_seen(const trace::story& s, const std::vector<const record*>& about) {
  const auto* last = about.back();
  fmt::print("it was never answered. The last that is known of it:\n  {}\n", line_of(s, *last, last->begin));
  for (const auto* r : about)
    if (r->kind == event_kind::network && r->fate != "sent" && r->fate != "repeated")
      fmt::print("it was {} on the way from {} to {}:\n  {}\n",
                 r->fate == "dead" ? "lost, with nobody there to take it," : r->fate, r->from, r->to,
                 line_of(s, *r, r->begin));
}

exit_status explain_request(const trace::story& s, const std::string& mid) {
  std::vector<const record*> about;
  std::set<std::uint64_t> shown;
  for (const auto& r : s.records()) {
    const bool carries = r.kind == event_kind::network && shown.contains(r.cause);
    if (is_about(r, mid) || carries) {
      about.push_back(&r);
      if (r.kind == event_kind::message)
        shown.insert(r.id);
    }
  }
  if (about.empty()) {
    fmt::print("nothing is known of {}\n", mid);
    return not_found;
  }
  fmt::print("all that is known of {}:\n", mid);
  // Once it is answered, what is left is for the others to catch up.
  const auto answer = std::find_if(about.rbegin(), about.rend(), [](const record* r) {
    return r->type == "client_answer" && r->kind == event_kind::message;
  });
  const auto shown_records =
      answer == about.rend()
          ? about.size()
          : std::min(about.size(), about.size() - static_cast<std::size_t>(answer - about.rbegin()) +
                                       most_after_the_answer);
  for (std::size_t i = 0; i < shown_records; ++i)
    fmt::print("  {}\n", line_of(s, *about[i], i == 0 ? about[i]->begin : about[i - 1]->begin));
  if (shown_records < about.size())
    fmt::print("  (and {} events after its answer)\n", about.size() - shown_records);
  bool answered = false;
  for (const auto* r : about)
    if (r->type == "client_answer") {
      const auto content = trace::parse(r->content);
      const auto& type = content["reply"]["type"].text;
      answered = answered || type == "client_ok";
      fmt::print("how it came to this {}:\n", type);
      print_path(s, s.path_to(*r), about.front()->begin);
    }
  if (!answered)
    print_last_seen(s, about);
  return all_right;
}

exit_status explain(const explain_options& o) {
  const auto s = read_story(o.files);
  const auto digits = o.what.substr(o.what.starts_with('#') ? 1 : 0);
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  if (error == std::errc() && end == digits.data() + digits.size())
    if (const auto* r = s.find(id))
      return explain_event(s, *r);
  return explain_request(s, o.what);
}

} // namespace

void add_explain(CLI::App& app, exit_status& status) {
  auto o = std::make_shared<explain_options>();
  auto* command = app.add_subcommand("explain", "Says how an event came about and what followed from it");
  command->add_option("what", o->what, "The MID of a request, or the number of an event")->required();
  command->add_option("files", o->files, "The traces of one run")->required();
  command->callback([o, &status] { status = explain(*o); });
}

} // namespace troupe::trace_app
