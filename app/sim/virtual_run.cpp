#include "app/sim/virtual_run.hpp"

#include "app/sim/passages.hpp"

#include "cluster/cost_model.hpp"
#include "cluster/course/world.hpp"
#include "cluster/history/linearizable.hpp"
#include "cluster/history_hash.hpp"
#include "cluster/virtual_cluster.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>
#include <variant>

namespace troupe::sim {

namespace {

// The streams of the seed; others are the world's and the cluster's.
constexpr std::uint64_t for_starts = 201;
constexpr std::uint64_t for_costs = 202;

/// How far apart processes start that are started together.
constexpr auto latest_start = std::chrono::milliseconds(20);
/// As many datagrams as real mode takes before requests that became due get their turn.
constexpr int most_datagrams_at_once = 64;

class virtual_run {
 public:
  virtual_run(const run_plan& plan, spectator& spectator, trace::recorder* recorder)
      : plan_(plan), spectator_(spectator), recorder_(recorder),
        cluster_({.replicas = plan.scenario->replicas,
                  .seed = plan.seed,
                  .durable = plan.durable,
                  .recorder = recorder}),
        start_(cluster_.now()), world_(*plan.scenario, plan.seed, start_), passages_(recorder, world_),
        transit_({}, plan.scenario->replicas, {plan.seed, for_costs}), simulator_time_(start_) {
    cluster_.on_send([this](replica_id from, std::string_view bytes) { send(from, bytes); });
    cluster_.on_log([this](replica_id who, actors::log_level level, const std::string& text) {
      if (level <= actors::log_level::info)
        spectator_.replica_said(who, cluster_.now() - start_, text);
    });
    course::random_source starts(plan.seed, for_starts);
    for (auto id : cluster_.ids())
      cluster_.at(start_ +
                      std::chrono::microseconds(starts.below(latest_start / std::chrono::microseconds(1))),
                  [this, id] { cluster_.start(id); });
  }

  run_result play() {
    while (!world_.finished() && cluster_.violations().empty()) {
      const auto wake_up =
          std::max(simulator_time_, waiting_.empty() ? world_.next_due()
                                                     : std::min(waiting_.begin()->first, world_.next_due()));
      if (cluster_.next_moment() <= wake_up)
        cluster_.step();
      else
        turn(wake_up);
    }
    end();
    auto figures = world_.figures();
    figures.violations = cluster_.violations();
    judge_answers(figures);
    auto result = make_result(plan_, std::move(figures), world_.complaints());
    result.hash = hash_.value();
    result.steps = cluster_.steps();
    if (recorder_) {
      for (const auto& v : result.figures.violations)
        if (std::find(cluster_.violations().begin(), cluster_.violations().end(), v) ==
            cluster_.violations().end()) // that were noted when they happened
          recorder_->note_violation("", v, cluster_.now());
      recorder_->end(cluster_.now());
    }
    return result;
  }

 private:
  /// On its way to the simulator.
  struct arriving {
    replica_id from;
    std::string bytes;
    trace::context why;
  };

  void send(replica_id from, std::string_view bytes) {
    hash_.add('s', cluster_.now(), from, bytes);
    waiting_.emplace(transit_.to_simulator(from, cluster_.now()),
                     arriving{from, std::string(bytes), trace::current});
  }

  /// The simulator wakes up: first what has arrived, then what is due.
  void turn(instant now) {
    simulator_time_ = now;
    for (int taken = 0; taken < most_datagrams_at_once && !world_.finished(); ++taken) {
      if (waiting_.empty() || waiting_.begin()->first > now)
        break;
      const auto m = std::move(waiting_.extract(waiting_.begin()).mapped());
      const trace::within passage(m.why);
      world_.receive(m.from.value, m.bytes, simulator_time_, actions_);
      passages_.note_rest(m.bytes, actions_, simulator_time_);
      carry_out();
    }
    while (world_.advance(simulator_time_, actions_))
      carry_out();
    show_news();
  }

  void show_news() {
    for (const auto& item : world_.take_news()) {
      spectator_.happened(item.at - start_, item.text);
      passages_.note_news(item);
    }
  }

  void carry_out() {
    simulator_time_ = simulator_time_ + transit_.simulator_turn();
    for (auto& action : actions_)
      std::visit([this](auto& what) { carry_out(what); }, action);
    actions_.clear();
  }

  void carry_out(course::deliver& message) {
    const auto arrival = transit_.to_replica(message.to, simulator_time_);
    hash_.add('d', arrival, message.to, message.bytes);
    const trace::within sending(trace::current);
    passages_.note_delivery(message, simulator_time_);
    cluster_.deliver(message.to, std::move(message.bytes), arrival);
  }
  /// Signals take no time. What a replica might say between SIGTERM and its end nobody listens to.
  void carry_out(const course::kill& k) {
    plan('k', k.victim, [this, id = k.victim] { cluster_.crash(id); });
  }
  void carry_out(const course::freeze& f) {
    plan('f', f.victim, [this, id = f.victim] { cluster_.pause(id); });
  }
  void carry_out(const course::thaw& t) {
    plan('t', t.victim, [this, id = t.victim] { cluster_.resume(id); });
  }
  void plan(char what, replica_id whom, std::function<void()> action) {
    hash_.add(what, simulator_time_, whom);
    cluster_.at(simulator_time_, std::move(action));
  }

  /// What only the whole run shows.
  void judge_answers(course::figures& figures) const {
    const auto checked = history::check(world_.history());
    if (checked.verdict == history::verdict::not_linearizable)
      figures.violations.push_back(fmt::format("linearizability: {}", checked.explanation->why));
    else if (checked.verdict == history::verdict::unknown)
      figures.violations.push_back(fmt::format("linearizability: not found out: {}", checked.undecided));
    if (!can_serve()) // a scenario may kill as many as it likes
      return;
    for (const auto& r : figures.unanswered)
      if (!r.killed_after) // nothing was lost with a leader
        figures.violations.push_back(
            fmt::format("every request is answered in the end: {} of {} to {} is not", r.mid,
                        to_string(r.client), to_string(r.asked)));
  }

  /// Whether somebody can hear from a majority.
  bool can_serve() const {
    const auto ids = world_.replicas();
    const auto goes = [this](replica_id id) { return cluster_.running(id) && !cluster_.paused(id); };
    return std::any_of(ids.begin(), ids.end(), [&](replica_id a) {
      const auto heard = std::count_if(ids.begin(), ids.end(), [&](replica_id b) {
        return goes(a) && goes(b) && !world_.separated(a, b);
      });
      return static_cast<std::size_t>(heard) > ids.size() / 2;
    });
  }

  void end() {
    cluster_.compare();
    world_.finish(std::max(simulator_time_, cluster_.now()));
    show_news();
    for (auto id : cluster_.ids())
      if (cluster_.running(id))
        hash_.add('e', cluster_.now(), id,
                  fmt::format("{} {}", cluster_.core(id).commit_index().value, cluster_.state(id).digest()));
    spectator_.happened(cluster_.now() - start_,
                        fmt::format("hash {:016x}, {} steps of Raft", hash_.value(), cluster_.steps()));
  }

  const run_plan& plan_;
  spectator& spectator_;
  trace::recorder* recorder_;
  virtual_cluster cluster_;
  instant start_;
  course::world world_;
  passages passages_;
  transit transit_;
  history_hash hash_;
  course::action_list actions_;
  instant simulator_time_;                   ///< it may be ahead of the cluster's: a turn takes time
  std::multimap<instant, arriving> waiting_; ///< for the simulator, by arrival
};

} // namespace

run_result play_virtual(const run_plan& plan, spectator& spectator, trace::recorder* recorder) {
  return virtual_run(plan, spectator, recorder).play();
}

} // namespace troupe::sim
