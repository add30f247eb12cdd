#include "cluster/chaos/run.hpp"

#include "cluster/history_hash.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <list>

namespace troupe::chaos {

namespace {

using namespace std::chrono_literals;

/// Bytes of a message that are shown.
constexpr std::size_t most_shown = 200;

class chaos_run {
 public:
  chaos_run(const schedule& s, const teller& tell, trace::recorder* recorder)
      : schedule_(s), tell_(tell), recorder_(recorder), cluster_(recorded(s.setup, recorder)),
        start_(cluster_.now()) {
    cluster_.on_fate(
        [this](replica_id from, replica_id to, std::string_view bytes, fate f) { note(from, to, bytes, f); });
    if (tell_)
      cluster_.on_log([this](replica_id who, actors::log_level, const std::string& text) {
        tell_(cluster_.now(), fmt::format("{}: {}", to_string(who), text));
      });
    for (const auto& f : schedule_.faults)
      cluster_.at(start_ + f.at, [this, &f] { begin(f); });
    for (const auto& r : schedule_.requests)
      cluster_.at(start_ + r.at, [this, &r] {
        say([&] { return describe(r); });
        cluster_.ask(r.operation, r.client, r.to, r.manners);
      });
  }

  outcome play() {
    const auto broken = [this] { return !cluster_.violations().empty(); };
    if (!cluster_.run_until(broken, start_ + schedule_.storm)) {
      make_peace();
      recover();
    }
    return finish();
  }

 private:
  static cluster_setup recorded(cluster_setup s, trace::recorder* recorder) {
    s.recorder = recorder;
    return s;
  }

  /// A fault that goes on.
  struct active_fault {
    const fault* what;
    std::vector<replica_id> whom;
  };

  template <class Text>
  void say(Text&& text) {
    if (tell_)
      tell_(cluster_.now(), text());
  }

  void say_fault(const std::string& text) {
    say([&] { return text; });
    if (recorder_)
      recorder_->note("fault", "", text, cluster_.now());
  }

  void note(replica_id from, replica_id to, std::string_view bytes, fate f) {
    ++outcome_.messages;
    hash_.add(static_cast<char>('0' + static_cast<int>(f)), cluster_.now(), from, bytes);
    say([&] {
      return fmt::format("{} -> {} {}: {}{}", to_string(from), to_string(to), to_string(f),
                         bytes.substr(0, most_shown), bytes.size() > most_shown ? "..." : "");
    });
  }

  // ---- faults

  void begin(const fault& f) {
    say_fault(describe(f));
    auto whom = f.whom;
    if (const auto leader = cluster_.leader();
        f.leader && leader && std::find(whom.begin(), whom.end(), *leader) == whom.end())
      whom.front() = *leader;
    switch (f.kind) {
    case fault_kind::crash:
      for (auto id : whom)
        cluster_.crash(id);
      break;
    case fault_kind::pause:
      for (auto id : whom)
        cluster_.pause(id);
      break;
    case fault_kind::transfer:
      if (const auto leader = cluster_.leader(); leader && !cluster_.paused(*leader))
        cluster_.transfer(*leader, whom.front());
      return;
    default:
      break;
    }
    active_.push_back({&f, std::move(whom)});
    set_network();
    cluster_.at(cluster_.now() + f.lasts, [this, where = std::prev(active_.end())] { end(where); });
  }

  void end(std::list<active_fault>::iterator where) {
    if (peace_)
      return; // all have ended already
    say_fault(fmt::format("f{} ends", where->what->number));
    for (auto id : where->whom) {
      if (where->what->kind == fault_kind::crash)
        cluster_.start(id);
      if (where->what->kind == fault_kind::pause)
        cluster_.resume(id);
    }
    active_.erase(where);
    set_network();
  }

  /// The network as all faults that go on want it: of two that want a link to be bad the worse one counts.
  void set_network() {
    auto& network = cluster_.network();
    network.heal();
    auto links = schedule_.setup.network;
    auto clients = schedule_.setup.client_network;
    std::map<replica_id, link_quality> from;
    for (const auto& [what, whom] : active_) {
      if (what->kind == fault_kind::cut)
        cluster_.isolate(whom);
      if (what->kind == fault_kind::one_way)
        for (auto a : whom)
          for (auto b : cluster_.ids())
            if (std::find(whom.begin(), whom.end(), b) == whom.end())
              network.cut_one_way(a, b);
      if (what->scope == link_scope::clients)
        worsen(clients, *what);
      else if (what->scope == link_scope::replicas)
        worsen(links, *what);
      else
        worsen(from.try_emplace(whom.front(), schedule_.setup.network).first->second, *what);
    }
    network.set_quality(links);
    network.set_client_quality(clients);
    for (auto a : cluster_.ids())
      for (auto b : cluster_.ids())
        network.set_quality(a, b, from.contains(a) ? std::optional(from[a]) : std::nullopt);
  }

  static void worsen(link_quality& q, const fault& f) {
    if (f.kind == fault_kind::loss)
      q.loss = std::max(q.loss, f.probability);
    if (f.kind == fault_kind::repeat)
      q.repeat = std::max(q.repeat, f.probability);
    if (f.kind == fault_kind::late) {
      q.late = std::max(q.late, f.probability);
      q.late_by = std::max(q.late_by, f.by);
    }
    if (f.kind == fault_kind::slow)
      q.bandwidth = q.bandwidth == 0 ? f.bandwidth : std::min(q.bandwidth, f.bandwidth);
  }

  // ---- afterwards

  void make_peace() {
    say_fault("the faults stop");
    peace_ = true;
    active_.clear();
    set_network();
    for (auto id : cluster_.ids())
      cluster_.resume(id);
    cluster_.start_all();
  }

  /// Liveness: who still asks is answered, and in the end all replicas have the same, within a time that
  /// follows from the timings.
  void recover() {
    const auto& raft = schedule_.setup.raft;
    duration patience{0};
    for (const auto& r : schedule_.requests)
      patience = std::max(patience, r.manners.repeat_after);
    const auto limit = cluster_.now() + 20 * raft.election_timeout_max + 10 * patience + 10s;
    const auto begun = cluster_.now();
    const auto stop = [&](auto&& condition) {
      return cluster_.run_until([&] { return !cluster_.violations().empty() || condition(); }, limit);
    };
    if (!stop([&] { return unanswered() == 0; }))
      fail(fmt::format(
          "every request is answered in the end: {} are not, {:.1f} s after the faults have stopped",
          unanswered(), seconds_since(begun)));
    if (!outcome_.violations.empty() || !cluster_.violations().empty())
      return;
    // The clients' last look at each key: what was acknowledged has to be there.
    std::set<std::string> keys;
    for (const auto& r : schedule_.requests)
      std::visit([&](const auto& o) { keys.insert(o.key); }, r.operation);
    keys.insert("k0");
    for (const auto& key : keys)
      cluster_.ask(kv::get{key}, {0xCFFF}, nobody, {.repeat_after = raft.election_timeout_max});
    if (!stop([&] { return unanswered() == 0; }))
      fail(fmt::format(
          "every request is answered in the end: {} last reads are not, {:.1f} s after the faults have "
          "stopped",
          unanswered(), seconds_since(begun)));
    if (!stop([&] { return agreed(); }))
      fail(fmt::format("all replicas catch up in the end: {:.1f} s after the faults have stopped they have "
                       "committed {}",
                       seconds_since(begun), commits()));
    outcome_.recovery = cluster_.now() - begun;
  }

  double seconds_since(instant t) const { return std::chrono::duration<double>(cluster_.now() - t).count(); }

  std::size_t unanswered() {
    // Those at the front stay answered.
    const auto& all = cluster_.requests();
    const auto settled = [](const request& r) { return r.answered || r.manners.repeat_after == duration(0); };
    while (answered_up_to_ < all.size() && settled(all[answered_up_to_]))
      ++answered_up_to_;
    return answered_up_to_ == all.size() ? 0
                                         : static_cast<std::size_t>(std::count_if(
                                               all.begin() + static_cast<std::ptrdiff_t>(answered_up_to_),
                                               all.end(), [&](const request& r) { return !settled(r); }));
  }

  bool agreed() const {
    for (auto id : cluster_.ids())
      if (!cluster_.running(id) ||
          cluster_.core(id).commit_index() != cluster_.core(cluster_.ids().front()).commit_index() ||
          cluster_.core(id).commit_index() != cluster_.core(id).log().last_index())
        return false;
    return true;
  }

  std::string commits() const {
    std::string text;
    for (auto id : cluster_.ids())
      text +=
          fmt::format("{}{}", text.empty() ? "" : ", ",
                      cluster_.running(id) ? fmt::format("{} of {}", cluster_.core(id).commit_index().value,
                                                         cluster_.core(id).log().last_index().value)
                                           : "nothing: it does not run");
    return text;
  }

  void fail(std::string what) { outcome_.violations.push_back(std::move(what)); }

  outcome finish() {
    const auto found = cluster_.verify();
    if (recorder_)
      for (const auto& v : outcome_.violations)
        recorder_->note("violation", "", v, cluster_.now());
    outcome_.violations.insert(outcome_.violations.begin(), found.begin(), found.end());
    outcome_.history = cluster_.history();
    outcome_.steps = cluster_.steps();
    outcome_.took = cluster_.now() - start_;
    for (const auto& r : cluster_.requests())
      ++(r.answered ? outcome_.answered : outcome_.given_up);
    for (auto id : cluster_.ids())
      if (cluster_.running(id)) {
        outcome_.terms = std::max(outcome_.terms, cluster_.core(id).term().value);
        outcome_.committed = std::max(outcome_.committed, cluster_.core(id).commit_index().value);
        hash_.add('e', cluster_.now(), id,
                  fmt::format("{} {}", cluster_.core(id).commit_index().value, cluster_.state(id).digest()));
      }
    outcome_.hash = hash_.value();
    if (recorder_)
      recorder_->end(cluster_.now());
    return std::move(outcome_);
  }

  const schedule& schedule_;
  const teller& tell_;
  trace::recorder* recorder_;
  cluster cluster_;
  instant start_;
  std::list<active_fault> active_;
  bool peace_ = false;
  std::size_t answered_up_to_ = 0;
  history_hash hash_;
  outcome outcome_;
};

} // namespace

std::string outcome::rule() const {
  return violations.empty() ? "" : violations.front().substr(0, violations.front().find(':'));
}

outcome play(const schedule& s, const teller& tell, trace::recorder* recorder) {
  return chaos_run(s, tell, recorder).play();
}

} // namespace troupe::chaos
