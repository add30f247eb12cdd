#include "cluster/chaos/run.hpp"

#include "cluster/chaos/fair_weather.hpp"
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
        fair_weather_(cluster_, s), start_(cluster_.now()) {
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
      calm_down();
      if (!active_.empty())
        do_without();
      if (!is_broken()) {
        make_peace();
        recover();
      }
      if (!is_broken() && cluster_.ids().size() >= 3 && !compacts_often())
        outcome_.violations = fair_weather_.judge();
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
    fair_weather_.note(from, to, bytes);
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
    if (f.kind == fault_kind::transfer) {
      if (const auto leader = cluster_.leader(); leader && !cluster_.paused(*leader))
        cluster_.transfer(*leader, whom.front());
      return;
    }
    active_.push_back({&f, whom});
    if (f.kind == fault_kind::crash || f.kind == fault_kind::pause)
      for (auto id : whom)
        f.steps == 0 ? stop(f, id) : cluster_.after_steps(id, f.steps, [this, &f, id] { stop(f, id); });
    if (f.kind == fault_kind::broken_disk)
      for (auto id : whom)
        cluster_.fail_write(id, f.steps);
    set_surroundings();
    if (!f.lasting)
      cluster_.at(cluster_.now() + f.lasts, [this, where = std::prev(active_.end())] { end(where); });
  }

  /// Unless the fault was over before it came to that.
  void stop(const fault& f, replica_id id) {
    if (std::none_of(active_.begin(), active_.end(), [&](const auto& a) { return a.what == &f; }))
      return;
    if (f.steps > 0)
      say([&] { return fmt::format("f{} hits {}", f.number, to_string(id)); });
    if (f.kind == fault_kind::pause)
      cluster_.pause(id);
    else if (schedule_.setup.durable && f.number % 2 == 0)
      crash_in_write(f, id);
    else
      cluster_.crash(id);
  }

  /// At one of the next operations on its disk; should there be none for a while, without one.
  void crash_in_write(const fault& f, replica_id id) {
    constexpr std::size_t most_operations = 7;
    constexpr auto patience = 50ms;
    cluster_.crash_in_write(id, 1 + f.number / 2 % most_operations);
    cluster_.at(cluster_.now() + patience, [this, &f, id, life = cluster_.lives(id)] {
      const bool goes_on =
          std::any_of(active_.begin(), active_.end(), [&](const auto& a) { return a.what == &f; });
      if (goes_on && cluster_.lives(id) == life)
        cluster_.crash(id);
    });
  }

  void end(std::list<active_fault>::iterator where) {
    if (peace_)
      return; // all have ended already
    say_fault(fmt::format("f{} ends", where->what->number));
    for (auto id : where->whom) {
      if (where->what->kind == fault_kind::crash) {
        cluster_.crash(id); // if it did not come to that
        restart(*where->what, id);
      }
      if (where->what->kind == fault_kind::broken_disk)
        repair(*where->what, id);
      if (where->what->kind == fault_kind::pause)
        cluster_.resume(id);
    }
    active_.erase(where);
    set_surroundings();
  }

  /// Now and then the power goes once more while the log is opened.
  void restart(const fault& f, replica_id id) {
    constexpr std::size_t most_operations = 9;
    if (schedule_.setup.durable && f.number % 3 == 0) {
      cluster_.crash_in_write(id, 1 + f.number / 3 % most_operations);
      cluster_.start(id);
      cluster_.crash(id);
    }
    cluster_.start(id);
  }

  /// It cannot be read at first, or has a bit that turned over while nobody looked.
  void repair(const fault& f, replica_id id) {
    cluster_.mend_disk(id);
    cluster_.crash(id); // if it did not come to that
    if (f.number % 3 == 0) {
      cluster_.fail_reads(id);
      cluster_.start(id);
      if (cluster_.running(id))
        fail(fmt::format("a replica that cannot read its log does not run: {} does", to_string(id)));
      cluster_.mend_disk(id);
    } else if (f.number % 3 == 1) {
      cluster_.flip_bit(id, f.bit);
    }
    cluster_.start(id);
  }

  /// Network and storages as all faults that go on want them: of two that want a thing to be bad the worse
  /// one counts.
  void set_surroundings() {
    std::map<replica_id, duration> takes;
    for (const auto& [what, whom] : active_)
      if (what->kind == fault_kind::disk)
        for (auto id : whom)
          takes[id] = std::max(takes[id], what->by);
    for (auto id : cluster_.ids())
      cluster_.set_storage_delay(id, std::max(takes[id], schedule_.setup.storage_takes));
    auto& network = cluster_.network();
    network.heal();
    auto links = schedule_.setup.network;
    auto clients = schedule_.setup.client_network;
    std::map<replica_id, link_quality> from;
    for (const auto& [what, whom] : active_) {
      if (what->kind == fault_kind::cut || what->kind == fault_kind::one_way)
        cut(*what, whom);
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

  void cut(const fault& f, const std::vector<replica_id>& whom) {
    auto& network = cluster_.network();
    for (auto a : whom)
      for (auto b : f.others.empty() ? cluster_.ids() : f.others) {
        if (std::find(whom.begin(), whom.end(), b) != whom.end())
          continue;
        if (f.kind == fault_kind::cut || !f.deaf)
          network.cut_one_way(a, b);
        if (f.kind == fault_kind::cut || f.deaf)
          network.cut_one_way(b, a);
      }
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

  /// Who compacts its log all the time sends whole states to those that it has passed over.
  bool compacts_often() const {
    constexpr std::size_t often_bytes = 10'000;
    const auto after = schedule_.setup.router.snapshot_after_bytes;
    return after > 0 && after < often_bytes;
  }

  bool is_broken() const { return !outcome_.violations.empty() || !cluster_.violations().empty(); }

  /// All faults stop but one that lasts.
  void calm_down() {
    say_fault("the storm is over");
    peace_ = true;
    std::set<replica_id> stopped;
    std::erase_if(active_, [](const auto& a) { return !a.what->lasting; });
    for (const auto& [what, whom] : active_)
      if (what->kind == fault_kind::crash || what->kind == fault_kind::pause)
        stopped.insert(whom.begin(), whom.end());
    set_surroundings();
    for (auto id : cluster_.ids())
      if (!stopped.contains(id)) {
        cluster_.resume(id);
        cluster_.start(id);
      }
  }

  void make_peace() {
    say_fault("the faults stop");
    active_.clear();
    set_surroundings();
    for (auto id : cluster_.ids()) {
      cluster_.mend_disk(id);
      cluster_.resume(id);
    }
    cluster_.start_all();
  }

  /// In time units of this cluster: how long anything may take that has to happen in the end.
  duration patience(int repeats) const {
    duration longest{0};
    for (const auto& r : schedule_.requests)
      longest = std::max(longest, r.manners.repeat_after);
    return 20 * schedule_.setup.raft.election_timeout_max + repeats * longest + 10s;
  }

  /// A minority is still in trouble: the others answer all the same, though clients may have to ask often
  /// until they ask the right ones.
  void do_without() {
    const auto begun = cluster_.now();
    const auto done = [&] { return is_broken() || unanswered() == 0; };
    if (!cluster_.run_until(done, begun + patience(30)))
      fail(fmt::format(
          "a majority answers every request: {} are not answered, {:.1f} s after all faults but one have "
          "stopped",
          unanswered(), seconds_since(begun)));
  }

  /// Liveness: who still asks is answered, and in the end all replicas have the same, within a time that
  /// follows from the timings.
  void recover() {
    const auto& raft = schedule_.setup.raft;
    const auto limit = cluster_.now() + patience(10);
    const auto begun = cluster_.now();
    const auto stop = [&](auto&& condition) {
      return cluster_.run_until([&] { return !cluster_.violations().empty() || condition(); }, limit);
    };
    if (!stop([&] { return unanswered() == 0; }))
      fail(fmt::format(
          "every request is answered in the end: {} are not, {:.1f} s after the faults have stopped",
          unanswered(), seconds_since(begun)));
    if (is_broken())
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

  double seconds_since(instant t) const { return in_seconds(cluster_.now() - t); }

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
        recorder_->note_violation("", v, cluster_.now());
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
  fair_weather fair_weather_;
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
