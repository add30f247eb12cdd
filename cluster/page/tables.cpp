#include "cluster/page/tables.hpp"

#include <algorithm>

namespace troupe::page {

namespace {

using trace::event_kind;
using trace::record;

/// The type of the message that this one carries; trace/content.hpp writes types first.
std::string_view inner_type(const record& r) {
  for (const std::string_view before :
       {R"("message":{"type":")", R"("operation":{"type":")", R"("reply":{"type":")"}) {
    const auto at = r.content.find(before);
    if (at == r.content.npos)
      continue;
    const auto begin = at + before.size();
    return std::string_view(r.content).substr(begin, r.content.find('"', begin) - begin);
  }
  return "";
}

bool carries(const record& r) {
  return r.type == "received" || r.type == "outbound" || r.type == "client_request" ||
         r.type == "client_answer" || r.type == "propose";
}

/// Raft's state as far as it is known: a record has only what changed.
struct raft_state {
  std::string role = "unknown";
  std::string voted_for;
  std::string leader;
  std::uint64_t term = 0;
  std::uint64_t last_index = 0;
  std::uint64_t last_term = 0;
  std::uint64_t commit = 0;
  std::uint64_t lease_until = 0;

  void change(const trace::value& now) {
    const auto take = [&now](std::string_view name, auto& member) {
      if (!now.has(name))
        return;
      if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::string>)
        member = now[name].text;
      else
        member = now[name].number();
    };
    take("role", role);
    take("voted_for", voted_for);
    take("leader", leader);
    take("term", term);
    take("last_index", last_index);
    take("last_term", last_term);
    take("commit", commit);
    take("lease_until", lease_until);
  }
};

class state_table {
 public:
  explicit state_table(tables& t) : tables_(t) {}

  void add(std::int64_t row, const record& r) {
    auto& s = states_[r.replica];
    s.change(trace::parse(r.raft));
    row_.add(row);
    replica_.add(tables_.replica(r.replica));
    role_.add(tables_.strings.number_of(s.role));
    vote_.add(tables_.strings.number_of(s.voted_for));
    leader_.add(tables_.strings.number_of(s.leader));
    term_.add(static_cast<std::int64_t>(s.term));
    last_index_.add(static_cast<std::int64_t>(s.last_index));
    last_term_.add(static_cast<std::int64_t>(s.last_term));
    commit_.add(static_cast<std::int64_t>(s.commit));
    lease_.add(s.lease_until == 0 ? 0 : static_cast<std::int64_t>(s.lease_until) - tables_.zero_ns);
  }

  void finish() {
    for (auto* c :
         {&row_, &replica_, &role_, &vote_, &leader_, &term_, &last_index_, &last_term_, &commit_, &lease_})
      tables_.columns.push_back(std::move(*c));
  }

 private:
  tables& tables_;
  std::map<std::string, raft_state> states_;
  column row_{"state_row"};
  column replica_{"state_replica"};
  column role_{"state_role"};
  column vote_{"state_vote"};
  column leader_{"state_leader"};
  column term_{"state_term", true};
  column last_index_{"state_last_index", true};
  column last_term_{"state_last_term", true};
  column commit_{"state_commit", true};
  column lease_{"state_lease", true};
};

enum class log_change { append, truncate, snapshot };

class log_table {
 public:
  explicit log_table(tables& t) : tables_(t) {}

  void add(std::int64_t row, const record& r) {
    const auto content = trace::parse(r.content);
    const auto& what = content["what"];
    const auto who = tables_.replica(r.replica);
    if (what.has("snapshot"))
      put(row, who, log_change::snapshot, what["snapshot"]["last_index"].number(), 0,
          what["snapshot"]["last_term"].number());
    if (what.has("truncate_behind"))
      put(row, who, log_change::truncate, what["truncate_behind"].number(), 0, 0);
    const auto& entries = what["entries"].items;
    // Entries of one term that follow each other are one change.
    for (std::size_t i = 0; i < entries.size();) {
      const auto term = entries[i]["term"].number();
      auto end = i + 1;
      while (end < entries.size() && entries[end]["term"].number() == term)
        ++end;
      put(row, who, log_change::append, entries[i]["index"].number(), end - i, term);
      i = end;
    }
  }

  void finish() {
    for (auto* c : {&row_, &replica_, &change_, &index_, &count_, &term_})
      tables_.columns.push_back(std::move(*c));
  }

 private:
  void put(std::int64_t row, std::int64_t who, log_change change, std::uint64_t index, std::size_t count,
           std::uint64_t term) {
    row_.add(row);
    replica_.add(who);
    change_.add(static_cast<std::int64_t>(change));
    index_.add(static_cast<std::int64_t>(index));
    count_.add(static_cast<std::int64_t>(count));
    term_.add(static_cast<std::int64_t>(term));
  }

  tables& tables_;
  column row_{"log_row"};
  column replica_{"log_replica"};
  column change_{"log_change"};
  column index_{"log_index", true};
  column count_{"log_count"};
  column term_{"log_term", true};
};

/// The index up to which the router's state machine has come; 0: that is not told.
std::uint64_t applied_by(const record& r) {
  if (r.to != "router")
    return 0;
  if (r.type == "install_snapshot")
    return trace::parse(r.content)["snapshot"]["last_index"].number();
  if (r.type != "committed")
    return 0;
  const auto content = trace::parse(r.content);
  const auto& entries = content["entries"].items;
  return entries.empty() ? 0 : entries.back()["index"].number();
}

} // namespace

std::int64_t tables::replica(const std::string& name) const {
  const auto found = std::lower_bound(replicas.begin(), replicas.end(), name);
  return found != replicas.end() && *found == name ? found - replicas.begin() : -1;
}

tables begin_tables(const trace::story& s) {
  tables t;
  std::set<std::string> names;
  for (const auto& r : s.records())
    if (r.kind != event_kind::network && !r.replica.empty())
      names.insert(r.replica);
  t.replicas.assign(names.begin(), names.end());
  t.zero_ns = s.began();
  return t;
}

void add_rows(tables& t, const trace::story& s) {
  column id{"id", true}, begin{"begin", true}, queued{"queued", true}, took{"took", true}, cause{"cause"},
      kind{"kind"}, replica{"replica"}, from{"from"}, to{"to"}, type{"type"}, inner{"inner"}, fate{"fate"},
      mid{"mid"}, depth{"depth"}, note_row{"note_row"}, note_text{"note_text"};
  for (const auto& r : s.records()) {
    const auto row = row_of(s, r);
    const bool is_message = r.kind == event_kind::message;
    id.add(static_cast<std::int64_t>(r.id));
    begin.add(r.begin - t.zero_ns);
    queued.add(is_message ? r.begin - r.sent : 0);
    took.add(is_message ? r.end - r.begin : 0);
    const auto* why = s.cause_of(r);
    cause.add(why ? row - row_of(s, *why) : 0);
    kind.add(static_cast<std::int64_t>(r.kind));
    replica.add(r.kind == event_kind::network ? -1 : t.replica(r.replica));
    from.add(t.strings.number_of(r.from));
    to.add(t.strings.number_of(r.to));
    type.add(t.strings.number_of(r.kind == event_kind::note ? r.event : r.type));
    inner.add(t.strings.number_of(is_message && carries(r) ? inner_type(r) : ""));
    fate.add(t.strings.number_of(r.fate));
    mid.add(t.strings.number_of(r.mid));
    depth.add(static_cast<std::int64_t>(r.depth));
    if (r.kind == event_kind::note) {
      note_row.add(row);
      note_text.add(t.strings.number_of(r.text));
    }
  }
  for (auto* c : {&id, &begin, &queued, &took, &cause, &kind, &replica, &from, &to, &type, &inner, &fate,
                  &mid, &depth, &note_row, &note_text})
    t.columns.push_back(std::move(*c));
}

void add_states(tables& t, const trace::story& s) {
  state_table states(t);
  log_table logs(t);
  column applied_row{"applied_row"}, applied_replica{"applied_replica"}, applied_index{"applied_index"};
  for (const auto& r : s.records()) {
    if (r.kind != event_kind::message)
      continue;
    const auto row = row_of(s, r);
    if (!r.raft.empty())
      states.add(row, r);
    if (r.type == "write" && r.to == "log_store")
      logs.add(row, r);
    if (const auto index = applied_by(r); index > 0) {
      applied_row.add(row);
      applied_replica.add(t.replica(r.replica));
      applied_index.add(static_cast<std::int64_t>(index));
    }
  }
  states.finish();
  logs.finish();
  for (auto* c : {&applied_row, &applied_replica, &applied_index})
    t.columns.push_back(std::move(*c));
}

} // namespace troupe::page
