#include "cluster/chaos/schedule.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <stdexcept>

namespace troupe::chaos {

namespace {

using namespace std::chrono_literals;
using course::random_source;

// The streams of the seed; what is drawn for one part does not change another part.
constexpr std::uint64_t for_setup = 201;
constexpr std::uint64_t for_faults = 202;
constexpr std::uint64_t for_requests = 203;
constexpr std::uint64_t for_clocks = 204;
constexpr std::uint64_t for_saving = 205;

constexpr std::array<std::string_view, fault_kind_count> kind_names{
    "crash", "pause", "cut", "one-way", "loss", "repeat", "late", "slow", "transfer", "disk", "broken-disk"};

duration between(random_source& random, duration least, duration most) {
  return least + duration(random.below(static_cast<std::uint64_t>((most - least).count()) + 1));
}

double between(random_source& random, double least, double most) {
  constexpr std::uint64_t steps = 1'000'000;
  return least + (most - least) * static_cast<double>(random.below(steps + 1)) / steps;
}

std::uint64_t between(random_source& random, std::uint64_t least, std::uint64_t most) {
  return least + random.below(most - least + 1);
}

template <class T>
T one_of(random_source& random, std::initializer_list<T> values) {
  return *(values.begin() + static_cast<std::ptrdiff_t>(random.below(values.size())));
}

// ---- the cluster

raft::options draw_options(random_source& random) {
  raft::options o;
  o.election_timeout_min = between(random, 100ms, 2s);
  o.election_timeout_max =
      o.election_timeout_min + between(random, o.election_timeout_min / 8, o.election_timeout_min);
  o.heartbeat_interval =
      o.election_timeout_min / static_cast<std::int64_t>(between(random, std::uint64_t{2}, std::uint64_t{8}));
  o.start_quiet = between(random, 0ms, o.election_timeout_min);
  o.lease = random.chance(0.2)
                ? 0ms
                : between(random, o.election_timeout_min / 2, o.election_timeout_min * 95 / 100);
  o.retry_min = std::min<duration>(between(random, 1ms, 50ms), o.heartbeat_interval);
  o.commit_notice_delay = random.chance(0.3) ? 0ms : between(random, 5ms, 200ms);
  o.window_messages = one_of<std::size_t>(random, {1, 2, 4, 64});
  o.max_uncommitted_entries = one_of<std::size_t>(random, {4, 64, 16'384});
  return o;
}

/// Two clocks drift apart by less than the lease is shorter than the promise that it rests on.
std::vector<std::int64_t> draw_clocks(random_source& random, const raft::options& o, std::size_t replicas) {
  constexpr double most_drift = 0.1;
  const double share = o.lease.count() == 0 ? 0.8
                                            : static_cast<double>(o.lease.count()) /
                                                  static_cast<double>(o.election_timeout_min.count());
  const double drift = std::min(most_drift, 0.99 * (1 - share) / (1 + share));
  std::vector<std::int64_t> rates;
  for (std::size_t i = 0; i < replicas; ++i)
    rates.push_back(static_cast<std::int64_t>(1e6 * between(random, 1 - drift, 1 + drift)));
  return rates;
}

cluster_setup draw_setup(std::uint64_t seed, random_source& random) {
  cluster_setup s;
  s.seed = seed;
  s.replicas = random.chance(0.85) ? one_of<std::size_t>(random, {2, 3, 3, 3, 4, 5, 5, 5, 7})
                                   : between(random, std::uint64_t{1}, std::uint64_t{9});
  s.raft = draw_options(random);
  s.clock_rates = draw_clocks(random, s.raft, s.replicas);
  s.network.delay = between(random, 10us, s.raft.election_timeout_min / 40);
  s.network.jitter = between(random, 0us, 2 * s.network.delay);
  s.client_network = s.network;
  s.transport.max_datagram_bytes = one_of<std::size_t>(random, {4'096, 16'384, 65'507});
  s.router.snapshot_after_bytes = one_of<std::size_t>(random, {0, 1'000, 5'000, 50'000});
  s.router.leader_silence = s.raft.heartbeat_interval;
  s.storage_takes = random.chance(0.3) ? 0us : between(random, 1us, s.raft.election_timeout_min / 20);
  return s;
}

// ---- faults

std::vector<replica_id> draw_some(random_source& random, std::size_t replicas, std::size_t most) {
  std::vector<replica_id> all;
  for (std::size_t i = 0; i < replicas; ++i)
    all.push_back({static_cast<std::uint16_t>(i)});
  const auto wanted = 1 + random.below(most);
  while (all.size() > wanted)
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(random.below(all.size())));
  return all;
}

fault draw_fault(random_source& random, fault_kind kind, const schedule& s) {
  const auto replicas = s.setup.replicas;
  const auto timeout = s.setup.raft.election_timeout_max;
  fault f;
  f.kind = kind;
  f.at = between(random, duration(0), s.storm);
  f.lasts =
      std::min<duration>(between(random, 1ms, random.chance(0.5) ? timeout : 4 * timeout), s.storm - f.at);
  f.leader = random.chance(0.5);
  if (random.chance(0.3)) // over before the others notice
    f.lasts = std::min(f.lasts, between(random, 1ms, timeout / 10));
  switch (kind) {
  case fault_kind::crash:
  case fault_kind::pause:
    f.whom = draw_some(random, replicas, random.chance(0.1) ? replicas : 1);
    f.steps = random.chance(0.5) ? 0 : between(random, std::uint64_t{1}, std::uint64_t{40});
    break;
  case fault_kind::disk:
    f.whom = draw_some(random, replicas, random.chance(0.2) ? replicas : 1);
    f.by = between(random, 1ms, random.chance(0.3) ? 4 * timeout : timeout / 4);
    break;
  case fault_kind::cut:
  case fault_kind::one_way:
    f.deaf = random.chance(0.5);
    f.whom = draw_some(random, replicas, std::max<std::size_t>(1, replicas - 1));
    if (random.chance(0.5))
      f.others = draw_some(random, replicas, std::max<std::size_t>(1, replicas - 1));
    break;
  case fault_kind::loss:
  case fault_kind::repeat:
  case fault_kind::late:
  case fault_kind::slow:
    f.scope = one_of(
        random, {link_scope::replicas, link_scope::replicas, link_scope::clients, link_scope::from_some});
    f.whom = draw_some(random, replicas, 1);
    f.probability = between(random, 0.01, random.chance(0.2) ? 1.0 : 0.5);
    f.by = between(random, 1ms, 2 * timeout);
    f.bandwidth = between(random, std::uint64_t{2'000}, std::uint64_t{200'000});
    break;
  case fault_kind::transfer:
    f.lasts = duration(0);
    f.whom = draw_some(random, replicas, 1);
    f.leader = false;
    break;
  case fault_kind::broken_disk:
    f.whom = draw_some(random, replicas, random.chance(0.1) ? replicas : 1);
    f.steps = between(random, std::uint64_t{1}, std::uint64_t{30});
    f.bit = random.below(UINT64_MAX);
    break;
  }
  return f;
}

/// A majority has to do without the others for as long as it takes.
std::optional<fault> draw_lasting(random_source& random, const schedule& s) {
  const auto minority = (s.setup.replicas - 1) / 2;
  if (minority == 0 || random.chance(0.5))
    return std::nullopt;
  const auto kind = one_of(
      random, {fault_kind::crash, fault_kind::pause, fault_kind::cut, fault_kind::one_way, fault_kind::disk});
  auto f = draw_fault(random, kind, s);
  f.lasting = true;
  f.lasts = s.storm - f.at;
  f.steps = 0;
  f.whom = draw_some(random, s.setup.replicas, minority);
  f.others.clear();
  if (kind == fault_kind::disk)
    f.by = 1h;
  return f;
}

std::vector<fault> draw_faults(random_source& random, const schedule& s, const wishes& w) {
  std::vector<fault> all;
  for (std::size_t i = 0; i < fault_kind_count; ++i) {
    const auto kind = static_cast<fault_kind>(i);
    if (kind == fault_kind::broken_disk && !s.setup.durable)
      continue;
    // How much of each kind there is varies by run: a storm of one kind shows what a mixture hides.
    const auto rate = one_of<std::uint64_t>(random, {0, 1, 3, 10, 30});
    const auto how_many = random.below(rate + 1);
    for (std::uint64_t n = 0; n < how_many; ++n) {
      auto f = draw_fault(random, kind, s);
      // What comes together with something else, or right after it, does the most harm.
      if (!all.empty() && random.chance(0.3))
        f.at = std::min(all[random.below(all.size())].at + between(random, 0us, 20 * s.setup.network.delay),
                        s.storm - f.lasts);
      if (w.faults.empty() || w.faults.contains(kind))
        all.push_back(f);
    }
  }
  if (auto f = draw_lasting(random, s); f && (w.faults.empty() || w.faults.contains(f->kind)))
    all.push_back(std::move(*f));
  std::stable_sort(all.begin(), all.end(), [](const fault& a, const fault& b) { return a.at < b.at; });
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].number = i;
  return all;
}

// ---- requests

struct workload {
  std::uint64_t clients = 1;
  std::uint64_t keys = 1;
  std::size_t value_bytes = 0; ///< at least
  double gets = 0.5;
};

kv::operation draw_operation(random_source& random, const workload& w, std::size_t number,
                             std::vector<std::string>& written) {
  auto key = fmt::format("k{}", random.below(w.keys));
  if (random.chance(w.gets))
    return kv::get{std::move(key)};
  // Every value is written once, so that a reader's value tells who wrote it.
  auto value = fmt::format("v{}", number);
  value.resize(std::max(value.size(), w.value_bytes), '.');
  switch (random.below(8)) {
  case 0:
    return kv::erase{std::move(key)};
  case 1:
  case 2: {
    auto expected =
        written.empty() || random.chance(0.1)
            ? ""
            : written[written.size() - 1 - random.below(std::min<std::size_t>(written.size(), 5))];
    written.push_back(value);
    return kv::cas{std::move(key), std::move(expected), std::move(value)};
  }
  case 3:
  case 4:
    return kv::append{std::move(key), fmt::format("+{}", number)};
  default:
    written.push_back(value);
    return kv::put{std::move(key), std::move(value)};
  }
}

std::vector<planned_request> draw_requests(random_source& random, const schedule& s) {
  const workload w{between(random, std::uint64_t{1}, std::uint64_t{12}),
                   between(random, std::uint64_t{1}, std::uint64_t{4}),
                   random.chance(0.2) ? std::size_t{300} : 0,
                   // Where hardly anything is written, many have logs that could win an election.
                   random.chance(0.25) ? 0.95 : between(random, 0.1, 0.8)};
  const auto how_many = between(random, std::uint64_t{20}, std::uint64_t{400});
  const auto patience =
      between(random, s.setup.raft.election_timeout_min / 2, 3 * s.setup.raft.election_timeout_max);
  const double impatient = one_of(random, {0.0, 0.2, 0.5});
  std::vector<duration> times;
  for (std::uint64_t i = 0; i < how_many; ++i)
    times.push_back(between(random, duration(0), s.storm));
  std::sort(times.begin(), times.end());
  std::vector<planned_request> all;
  std::vector<std::string> written;
  for (std::size_t i = 0; i < times.size(); ++i) {
    planned_request r;
    r.number = i;
    r.at = times[i];
    r.client = {static_cast<std::uint16_t>(first_client.value + random.below(w.clients))};
    r.to =
        random.chance(0.8) ? nobody : replica_id{static_cast<std::uint16_t>(random.below(s.setup.replicas))};
    r.operation = draw_operation(random, w, i, written);
    r.manners.repeat_after = random.chance(impatient) ? 0ms : between(random, patience / 2, patience);
    all.push_back(std::move(r));
  }
  return all;
}

// ---- words

std::string names(const std::vector<replica_id>& ids) {
  std::string text;
  for (auto id : ids)
    text += fmt::format("{}{}", text.empty() ? "" : " ", to_string(id));
  return text;
}

std::string_view where(link_scope scope) {
  switch (scope) {
  case link_scope::replicas:
    return "between all replicas";
  case link_scope::clients:
    return "between replicas and clients";
  case link_scope::from_some:
    break;
  }
  return "on what is sent by";
}

std::size_t number_in(std::string_view text, std::string_view item) {
  std::size_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size())
    throw std::invalid_argument(fmt::format("\"{}\" is no item of a schedule: f3, f3-7 or r12", item));
  return number;
}

/// "f0-2,f5" for these numbers.
template <class Items>
void add_ranges(std::string& text, char letter, const Items& items) {
  for (std::size_t i = 0; i < items.size();) {
    std::size_t last = i;
    while (last + 1 < items.size() && items[last + 1].number == items[last].number + 1)
      ++last;
    text += fmt::format("{}{}{}", text.empty() ? "" : ",", letter, items[i].number);
    if (last > i)
      text += fmt::format("-{}", items[last].number);
    i = last + 1;
  }
}

} // namespace

std::string_view to_string(fault_kind kind) { return kind_names.at(static_cast<std::size_t>(kind)); }

fault_kind fault_kind_of(std::string_view word) {
  const auto found = std::find(kind_names.begin(), kind_names.end(), word);
  if (found == kind_names.end())
    throw std::invalid_argument(
        fmt::format("\"{}\" is no kind of fault: {}", word, fmt::join(kind_names, ", ")));
  return static_cast<fault_kind>(found - kind_names.begin());
}

schedule draw(std::uint64_t seed, const wishes& w) {
  random_source setup(seed, for_setup);
  random_source faults(seed, for_faults);
  random_source requests(seed, for_requests);
  schedule s;
  s.seed = seed;
  s.setup = draw_setup(seed, setup);
  s.setup.durable = w.durable;
  random_source clocks(seed, for_clocks);
  for (std::size_t i = 0; i < s.setup.replicas; ++i)
    s.setup.clock_offsets.push_back(between(clocks, 0ms, 24h));
  random_source saving(seed, for_saving);
  s.setup.router.save_at_once_bytes = one_of<std::size_t>(saving, {1, 500, 128 << 10});
  s.storm = between(setup, 2s, 20s);
  if (w.storm > duration(0))
    s.storm = w.storm;
  s.faults = draw_faults(faults, s, w);
  s.requests = draw_requests(requests, s);
  return s;
}

std::string describe(const fault& f) {
  std::string text = fmt::format("f{} at {:.6f} s", f.number, in_seconds(f.at));
  if (f.lasting)
    text += ", to the end of the storm and beyond";
  else if (f.lasts > duration(0))
    text += fmt::format(" for {:.6f} s", in_seconds(f.lasts));
  auto whom = names(f.whom);
  if (f.leader &&
      (f.kind <= fault_kind::one_way || f.kind >= fault_kind::disk || f.scope == link_scope::from_some))
    whom = f.whom.size() == 1 ? "the leader" : fmt::format("the leader in place of the first of {}", whom);
  if (f.steps > 0 && f.kind != fault_kind::broken_disk)
    text += fmt::format(", {} steps later", f.steps);
  switch (f.kind) {
  case fault_kind::crash:
    return fmt::format("{}: crash {}", text, whom);
  case fault_kind::pause:
    return fmt::format("{}: pause {}", text, whom);
  case fault_kind::cut:
    return fmt::format("{}: cut off {}{}", text, whom, f.others.empty() ? "" : " from " + names(f.others));
  case fault_kind::one_way:
    if (f.deaf)
      return fmt::format("{}: {} hear nothing{}", text, whom,
                         f.others.empty() ? "" : " from " + names(f.others));
    return fmt::format("{}: {} not hear {}", text,
                       f.others.empty() ? "all others do" : names(f.others) + " do", whom);
  case fault_kind::disk:
    return fmt::format("{}: the storage of {} takes {:.6f} s", text, whom, in_seconds(f.by));
  case fault_kind::broken_disk:
    return fmt::format("{}: the disk of {} fails in its operation {} from now on", text, whom, f.steps);
  case fault_kind::transfer:
    return fmt::format("{}: whoever leads hands over to {}", text, whom);
  case fault_kind::loss:
    text += fmt::format(": lose {:.1f} % ", 100 * f.probability);
    break;
  case fault_kind::repeat:
    text += fmt::format(": repeat {:.1f} % ", 100 * f.probability);
    break;
  case fault_kind::late:
    text += fmt::format(": hold up {:.1f} % by up to {:.6f} s ", 100 * f.probability, in_seconds(f.by));
    break;
  case fault_kind::slow:
    text += fmt::format(": {} bytes a second ", f.bandwidth);
    break;
  }
  text += where(f.scope);
  return f.scope == link_scope::from_some ? fmt::format("{} {}", text, whom) : text;
}

std::string describe(const planned_request& r) {
  const auto what = std::visit(
      []<class Operation>(const Operation& o) {
        auto text = fmt::format("{} {}", Operation::type_name, o.key);
        if constexpr (requires { o.expected; })
          text += fmt::format(" from \"{}\"", o.expected);
        if constexpr (requires { o.value; })
          text += fmt::format(" \"{}\"", o.value);
        return text;
      },
      r.operation);
  return fmt::format("r{} at {:.6f} s: {} {}{}{}", r.number, in_seconds(r.at), to_string(r.client), what,
                     r.to == nobody ? "" : fmt::format(" at {}", to_string(r.to)),
                     r.manners.repeat_after > duration(0)
                         ? fmt::format(", again after {:.6f} s", in_seconds(r.manners.repeat_after))
                         : ", once");
}

std::string describe(const schedule& s) {
  const auto& o = s.setup.raft;
  return fmt::format("{} replicas; {} faults and {} requests in {:.3f} s\n"
                     "election timeout {:.3f} to {:.3f} s, heartbeat {:.3f} s, lease {:.3f} s, window {}, "
                     "clocks at {} millionths\n"
                     "a message takes {} to {} us, storing {} us; at most {} bytes; snapshot after {} bytes",
                     s.setup.replicas, s.faults.size(), s.requests.size(), in_seconds(s.storm),
                     in_seconds(o.election_timeout_min), in_seconds(o.election_timeout_max),
                     in_seconds(o.heartbeat_interval), in_seconds(o.lease), o.window_messages,
                     fmt::join(s.setup.clock_rates, " "), s.setup.network.delay.count() / 1000,
                     (s.setup.network.delay + s.setup.network.jitter).count() / 1000,
                     s.setup.storage_takes.count() / 1000, s.setup.transport.max_datagram_bytes,
                     s.setup.router.snapshot_after_bytes);
}

/// A run may fail by what comes after the storm alone.
constexpr std::string_view nothing_selected = "none";

std::string selection_of(const schedule& s) {
  std::string text;
  add_ranges(text, 'f', s.faults);
  add_ranges(text, 'r', s.requests);
  return text.empty() ? std::string(nothing_selected) : text;
}

void keep(schedule& s, std::string_view selection) {
  std::set<std::size_t> faults;
  std::set<std::size_t> requests;
  if (selection == nothing_selected)
    selection = {};
  while (!selection.empty()) {
    const auto item = selection.substr(0, selection.find(','));
    selection.remove_prefix(std::min(selection.size(), item.size() + 1));
    const auto dash = item.find('-');
    const bool is_fault = item.starts_with('f');
    if (!is_fault && !item.starts_with('r'))
      number_in("", item);
    const auto first = number_in(item.substr(1, dash == item.npos ? dash : dash - 1), item);
    const auto last = dash == item.npos ? first : number_in(item.substr(dash + 1), item);
    const auto count = is_fault ? s.faults.size() : s.requests.size();
    if (last < first)
      throw std::invalid_argument(fmt::format("\"{}\" ends before it begins", item));
    if (last >= count)
      throw std::invalid_argument(fmt::format("\"{}\" is not in the schedule, which has {} {}", item, count,
                                              is_fault ? "faults" : "requests"));
    for (auto i = first; i <= last; ++i)
      (is_fault ? faults : requests).insert(i);
  }
  std::erase_if(s.faults, [&](const fault& f) { return !faults.contains(f.number); });
  std::erase_if(s.requests, [&](const planned_request& r) { return !requests.contains(r.number); });
}

} // namespace troupe::chaos
