// troupe-trace stats: a run in figures.

#include "app/trace/command.hpp"
#include "app/trace/journey.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <optional>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <set>

namespace troupe::trace_app {

namespace {

using trace::event_kind;

struct stats_options {
  std::vector<std::string> files;
  bool json = false;
};

/// Of lengths of time, in nanoseconds.
struct spread {
  std::vector<std::int64_t> all;
  /// Precondition: sorted and not empty.
  std::int64_t at(std::size_t percent) const {
    return all[std::min(all.size() - 1, all.size() * percent / 100)];
  }
};

struct reign {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::string leader;
  std::uint64_t term = 0;
};

struct figures {
  std::map<std::string, std::size_t> messages;                     ///< by type, as actors handled them
  std::map<std::string, std::map<std::string, std::size_t>> links; ///< by from->to, and type and fate
  std::map<std::string, spread> stages;                            ///< by what the time went to
  spread total;
  std::map<std::string, std::uint64_t> depths; ///< the largest, by actor
  std::vector<reign> reigns;
  std::int64_t began = 0;    ///< when the run did
  std::size_t elections = 0; ///< terms in which somebody asked for votes
};

void count_raft(figures& f, const trace::record& r, std::map<std::string, std::uint64_t>& terms,
                std::set<std::uint64_t>& campaigns, std::map<std::string, std::size_t>& ruling) {
  const auto change = trace::parse(r.raft);
  auto& term = terms[r.replica];
  if (change.has("term"))
    term = change["term"].number();
  if (!change.has("role"))
    return;
  const auto& role = change["role"].text;
  if (role == "candidate" || role == "leader")
    campaigns.insert(term);
  if (const auto found = ruling.find(r.replica); found != ruling.end()) {
    f.reigns[found->second].to = r.begin;
    ruling.erase(found);
  }
  if (role == "leader") {
    ruling[r.replica] = f.reigns.size();
    f.reigns.push_back({r.begin, 0, r.replica, term});
  }
}

/// When a process did something for the last time; nothing if it has no file of its own.
std::optional<std::int64_t> last_sign_of(const trace::story& s, const std::string& replica) {
  const auto& files = s.files();
  const auto own =
      std::find_if(files.begin(), files.end(), [&](const auto& f) { return f.replica == replica; });
  const auto index = static_cast<std::size_t>(own - files.begin());
  const auto& all = s.records();
  const auto last = std::find_if(all.rbegin(), all.rend(), [&](const auto& r) { return r.file == index; });
  return last == all.rend() ? std::nullopt : std::optional(last->begin);
}

figures count(const trace::story& s) {
  figures f;
  f.began = s.began();
  std::map<std::string, std::uint64_t> terms;
  std::set<std::uint64_t> campaigns;
  std::map<std::string, std::size_t> ruling;
  for (const auto& r : s.records()) {
    if (r.kind == event_kind::message) {
      ++f.messages[r.type];
      auto& depth = f.depths[place_of(r)];
      depth = std::max(depth, r.depth);
      if (!r.raft.empty())
        count_raft(f, r, terms, campaigns, ruling);
    } else if (r.kind == event_kind::network) {
      ++f.links[place_of(r)][fmt::format("{} {}", r.type, r.fate)];
    } else if (r.event == "crash" && ruling.contains(r.replica)) {
      f.reigns[ruling[r.replica]].to = r.begin;
      ruling.erase(r.replica);
    }
  }
  // A process that was killed has no word for it in its trace; nor has one that led to the end of the run.
  for (const auto& [leader, at] : ruling)
    if (const auto last = last_sign_of(s, leader); last && last < f.reigns.back().from)
      f.reigns[at].to = *last;
  f.elections = campaigns.size();
  for (const auto& a : first_answers(s)) {
    f.total.all.push_back(a.answer->begin - a.asked->begin);
    std::map<std::string, std::int64_t> spent; // in all replicas together
    for (const auto& [where, ns] : spent_on(s.path_to(*a.answer), a.asked->begin))
      spent[where.substr(0, where.find(" of "))] += ns;
    for (const auto& [stage, ns] : spent)
      f.stages[stage].all.push_back(ns);
  }
  std::sort(f.total.all.begin(), f.total.all.end());
  for (auto& [name, stage] : f.stages)
    std::sort(stage.all.begin(), stage.all.end());
  return f;
}

void print_spread(const std::string& name, spread& s) {
  fmt::print("  {:<12} {:>8} {:>12} {:>12} {:>12}\n", name, s.all.size(), length(s.at(50)), length(s.at(99)),
             length(s.at(100)));
}

void print_text(figures& f) {
  fmt::print("messages that actors handled:\n");
  for (const auto& [type, n] : f.messages)
    fmt::print("  {:<20} {:>8}\n", type, n);
  if (!f.total.all.empty()) {
    fmt::print("latency of answered requests:\n  {:<12} {:>8} {:>12} {:>12} {:>12}\n", "stage", "requests",
               "p50", "p99", "max");
    for (auto& [name, s] : f.stages)
      print_spread(name, s);
    print_spread("all", f.total);
  }
  fmt::print("elections: {} terms in which somebody stood\n", f.elections);
  for (const auto& r : f.reigns)
    fmt::print("  term {:<4} {} leads from {} {}\n", r.term, r.leader, seconds(r.from - f.began),
               r.to == 0 ? "to the end" : fmt::format("to {}", seconds(r.to - f.began)));
  fmt::print("most messages waiting in a mailbox:\n");
  for (const auto& [actor, n] : f.depths)
    fmt::print("  {:<16} {:>6}\n", actor, n);
  if (!f.links.empty())
    fmt::print("on the network:\n");
  for (const auto& [link, types] : f.links)
    for (const auto& [type, n] : types)
      fmt::print("  {:<12} {:<28} {:>8}\n", link, type, n);
}

using json_out = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

void write_spread(json_out& w, spread& s) {
  w.StartObject();
  w.Key("requests");
  w.Uint64(s.all.size());
  for (const auto& [name, percent] :
       {std::pair("p50_ns", 50), std::pair("p99_ns", 99), std::pair("max_ns", 100)}) {
    w.Key(name);
    w.Int64(s.at(static_cast<std::size_t>(percent)));
  }
  w.EndObject();
}

template <class Count>
void write_counts(json_out& w, const std::map<std::string, Count>& counts) {
  w.StartObject();
  for (const auto& [name, n] : counts) {
    w.Key(name);
    w.Uint64(n);
  }
  w.EndObject();
}

void print_json(figures& f) {
  rapidjson::StringBuffer buffer;
  json_out w(buffer);
  w.SetIndent(' ', 2);
  w.StartObject();
  w.Key("messages");
  write_counts(w, f.messages);
  w.Key("links");
  w.StartObject();
  for (const auto& [link, types] : f.links) {
    w.Key(link);
    write_counts(w, types);
  }
  w.EndObject();
  w.Key("latency");
  w.StartObject();
  for (auto& [name, s] : f.stages) {
    w.Key(name);
    write_spread(w, s);
  }
  if (!f.total.all.empty()) {
    w.Key("all");
    write_spread(w, f.total);
  }
  w.EndObject();
  w.Key("elections");
  w.Uint64(f.elections);
  w.Key("leaders");
  w.StartArray();
  for (const auto& r : f.reigns) {
    w.StartObject();
    w.Key("leader");
    w.String(r.leader);
    w.Key("term");
    w.Uint64(r.term);
    w.Key("from");
    w.Int64(r.from - f.began);
    if (r.to != 0) {
      w.Key("to");
      w.Int64(r.to - f.began);
    }
    w.EndObject();
  }
  w.EndArray();
  w.Key("largest_depths");
  write_counts(w, f.depths);
  w.EndObject();
  fmt::print("{}\n", buffer.GetString());
}

} // namespace

void add_stats(CLI::App& app, exit_status& status) {
  auto o = std::make_shared<stats_options>();
  auto* command = app.add_subcommand("stats", "Counts messages, latencies, elections and queues");
  command->add_option("files", o->files, "The traces of one run")->required();
  command->add_flag("--json", o->json, "As JSON");
  command->callback([o, &status] {
    auto f = count(read_story(o->files));
    o->json ? print_json(f) : print_text(f);
    status = all_right;
  });
}

} // namespace troupe::trace_app
