#include "cluster/page/tables.hpp"

#include <algorithm>
#include <map>

namespace troupe::page {

namespace {

using trace::event_kind;
using trace::record;

enum class ending { unanswered, ok, not_applied, failed };
enum class step { asked, ok, redirected, failed };

/// What a client wanted, from its first attempt on until it was told that it was done.
struct operation {
  std::string client;
  std::vector<std::string> mids; ///< one, or where each attempt has its own, all of them in order
  std::string kind;
  std::string key;
  std::string value;
  std::string result;
  std::int64_t call = 0;
  std::int64_t done = 0;
  bool is_done = false;
  page::ending ending = page::ending::unanswered;
  std::int64_t point = 0;
  std::int64_t point_row = -1;
  std::uint64_t index = 0; ///< of its entry; 0: it has none
  std::vector<std::pair<std::int64_t, step>> attempts;
};

class collector {
 public:
  explicit collector(const trace::story& s) : story_(s) {
    hears_clients_ = std::any_of(s.records().begin(), s.records().end(), [](const record& r) {
      return r.kind == event_kind::network && !r.mid.empty();
    });
  }

  std::vector<operation> collect() {
    for (const auto& r : story_.records()) {
      if (r.kind == event_kind::network && !r.mid.empty())
        pass(r);
      else if (r.type == "client_request")
        ask(r);
      else if (r.type == "client_answer")
        answer(r);
      else if (r.type == "committed" && r.to == "router")
        commit(r);
    }
    return join_attempts();
  }

 private:
  /// A client that was sent to another replica, or was not answered, may ask the same under a new name.
  std::vector<operation> join_attempts() {
    std::vector<operation> joined;
    std::map<std::string, std::vector<std::size_t>> open; // of each client, the one tried last at the end
    for (auto& o : all_) {
      auto& mine = open[o.client];
      const auto before =
          std::find_if(mine.rbegin(), mine.rend(), [&](std::size_t i) { return is_retry(joined[i], o); });
      auto place = joined.size();
      if (before == mine.rend()) {
        joined.push_back(std::move(o));
      } else {
        place = *before;
        mine.erase(std::next(before).base());
        join(joined[place], std::move(o));
      }
      if (joined[place].ending == ending::unanswered || joined[place].ending == ending::failed)
        mine.push_back(place);
    }
    return joined;
  }

  /// Of a request that no replica received, no more than its kind is known.
  static bool is_retry(const operation& before, const operation& after) {
    return before.kind == after.kind && (before.key.empty() || after.key.empty() ||
                                         (before.key == after.key && before.value == after.value));
  }

  static void join(operation& before, operation after) {
    after.call = before.call;
    if (after.key.empty()) {
      after.key = before.key;
      after.value = before.value;
    }
    after.mids.insert(after.mids.begin(), before.mids.begin(), before.mids.end());
    after.attempts.insert(after.attempts.begin(), before.attempts.begin(), before.attempts.end());
    if (after.point_row < 0) {
      after.point = before.point;
      after.point_row = before.point_row;
      after.index = before.index;
    }
    before = std::move(after);
  }

  operation& of(const std::string& client, const std::string& mid, std::int64_t first_seen) {
    const auto [place, is_new] = places_.try_emplace({client, mid}, all_.size());
    if (is_new) {
      all_.emplace_back();
      all_.back().client = client;
      all_.back().mids.push_back(mid);
      all_.back().call = first_seen;
    }
    return all_[place->second];
  }

  /// On the network between clients and replicas: what the client itself saw.
  void pass(const record& r) {
    const bool is_answer = r.type == "ok" || r.type == "fail" || r.type == "redirect";
    auto& o = of(is_answer ? r.to : r.from, r.mid, r.begin);
    if (o.kind.empty() && !is_answer)
      o.kind = r.type;
    if (r.type != "ok" || o.is_done || (r.fate != "sent" && r.fate != "repeated"))
      return;
    o.is_done = true;
    o.done = r.begin;
    if (o.ending != ending::not_applied)
      o.ending = ending::ok;
  }

  void ask(const record& r) {
    const auto request = trace::parse(r.content);
    auto& o = of(request["id"]["client"].text, request["id"]["MID"].text, r.sent);
    const auto& what = request["operation"];
    o.kind = what["type"].text;
    o.key = what["key"].text;
    o.value = what["value"].text;
    o.attempts.emplace_back(row_of(story_, r), step::asked);
  }

  void answer(const record& r) {
    const auto content = trace::parse(r.content);
    const auto& reply = content["reply"];
    auto& o = of(reply["id"]["client"].text, reply["id"]["MID"].text, r.sent);
    const auto& type = reply["type"].text;
    const auto what = type == "client_ok"     ? step::ok
                      : type == "client_fail" ? step::failed
                                              : step::redirected;
    o.attempts.emplace_back(row_of(story_, r), what);
    if (what == step::failed && o.ending == ending::unanswered) {
      o.ending = ending::failed;
      o.done = r.begin;
    }
    if (what != step::ok || !was_answered_.emplace(o.client, o.mids.front()).second)
      return;
    const bool applied = reply["applied"].text != "false";
    o.result = reply["value"].text;
    if (!hears_clients_) {
      o.is_done = true;
      o.done = r.begin;
    }
    if (o.is_done || !applied)
      o.ending = applied ? ending::ok : ending::not_applied;
    // A read took effect when the router looked; what wrote, when it was committed.
    if (o.point_row < 0) {
      const auto* looked = story_.cause_of(r);
      o.point = r.sent;
      o.point_row = looked ? row_of(story_, *looked) : row_of(story_, r);
    }
  }

  void commit(const record& r) {
    const auto content = trace::parse(r.content);
    for (const auto& e : content["entries"].items) {
      const auto index = e["index"].number();
      if (index <= committed_)
        continue; // another replica was first
      committed_ = index;
      const auto& id = e["payload"]["id"];
      const auto found = places_.find({id["client"].text, id["MID"].text});
      if (found == places_.end() || all_[found->second].index != 0)
        continue;
      auto& o = all_[found->second];
      o.index = index;
      o.point = r.begin;
      o.point_row = row_of(story_, r);
    }
  }

  const trace::story& story_;
  bool hears_clients_ = false;
  std::vector<operation> all_;
  std::map<std::pair<std::string, std::string>, std::size_t> places_;
  operation_names was_answered_;
  std::uint64_t committed_ = 0;
};

/// 2: the answer that cannot be; 1: it belongs to the stretch that shows why.
int wrongness(const operation& o, const operation_names& culprits, const operation_names& stretch) {
  const auto is_among = [&o](const operation_names& names) {
    return std::any_of(o.mids.begin(), o.mids.end(), [&](const auto& mid) {
      return names.contains({o.client, mid});
    });
  };
  return is_among(culprits) ? 2 : is_among(stretch) ? 1 : 0;
}

} // namespace

void add_operations(tables& t, const trace::story& s, const operation_names& culprits,
                    const operation_names& stretch) {
  column client{"op_client"}, kind{"op_kind"}, key{"op_key"}, written{"op_value"}, result{"op_result"},
      call{"op_call", true}, done{"op_done", true}, point{"op_point", true}, point_row{"op_point_row"},
      index{"op_index"}, end{"op_ending"}, wrong{"op_wrong"}, attempt_operation{"attempt_operation"},
      attempt_row{"attempt_row"}, attempt_step{"attempt_step"}, name_operation{"name_operation"},
      name_mid{"name_mid"};
  const auto all = collector(s).collect();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& o = all[i];
    client.add(t.strings.number_of(o.client));
    kind.add(t.strings.number_of(o.kind));
    key.add(t.strings.number_of(o.key));
    written.add(t.strings.number_of(o.value));
    result.add(t.strings.number_of(o.result));
    call.add(o.call - t.zero_ns);
    done.add(o.ending == ending::unanswered ? 0 : o.done - t.zero_ns);
    point.add(o.point_row < 0 ? 0 : o.point - t.zero_ns);
    point_row.add(o.point_row);
    index.add(static_cast<std::int64_t>(o.index));
    end.add(static_cast<std::int64_t>(o.ending));
    wrong.add(wrongness(o, culprits, stretch));
    for (const auto& mid : o.mids) {
      name_operation.add(static_cast<std::int64_t>(i));
      name_mid.add(t.strings.number_of(mid));
    }
    for (const auto& [row, what] : o.attempts) {
      attempt_operation.add(static_cast<std::int64_t>(i));
      attempt_row.add(row);
      attempt_step.add(static_cast<std::int64_t>(what));
    }
  }
  for (auto* c : {&client, &kind, &key, &written, &result, &call, &done, &point, &point_row, &index, &end,
                  &wrong, &attempt_operation, &attempt_row, &attempt_step, &name_operation, &name_mid})
    t.columns.push_back(std::move(*c));
}

} // namespace troupe::page
