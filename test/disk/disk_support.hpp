#pragma once
// Logs for tests: small segments, and writes as raft makes them.

#include "actors/memory_storage.hpp"
#include "cluster/course/random_source.hpp"
#include "cluster/virtual_disk.hpp"
#include "disk/disk_log.hpp"
#include "protocol/wire/codec.hpp"

#include <algorithm>
#include <doctest/doctest.h>

namespace troupe::test {

inline const disk::owner somebody{{1}, {{0}, {1}, {2}}};
/// So small that a few writes fill it.
inline constexpr disk::log_options small_segments{600, 50};

inline raft::entry_ptr make_entry(std::uint64_t index, std::uint64_t term, raft::payload p = raft::no_op{}) {
  const auto weight = wire::wire_bytes(p);
  return std::make_shared<raft::entry>(raft::entry{{term}, {index}, std::move(p), weight});
}

inline raft::snapshot_ptr make_snapshot(std::uint64_t index, std::uint64_t term, std::string data = "state") {
  return std::make_shared<raft::snapshot>(
      raft::snapshot{{index}, {term}, {{{0}, {1}, {2}}, {}}, std::move(data)});
}

struct fresh_disk {
  virtual_disk disk{{1, 1}};
  std::string refusal(const disk::owner& who) {
    try {
      disk::disk_log log(disk, who, small_segments);
      return "";
    } catch (const disk::disk_error& error) {
      return error.what();
    }
  }
  std::size_t segments() {
    const auto names = disk.list();
    return static_cast<std::size_t>(std::count_if(
        names.begin(), names.end(), [](const auto& n) { return disk::segment_number(n).has_value(); }));
  }
};

/// Only what nobody may go on without.
inline void store_at_once(disk::disk_log& log, const raft::storage_write& w) {
  log.apply(w);
  log.store(log.take_batch());
}

inline void write_drafts(disk::disk_log& log) {
  while (log.has_draft())
    log.write_draft();
}

inline void store(disk::disk_log& log, const raft::storage_write& w) {
  store_at_once(log, w);
  write_drafts(log);
}

/// Makes one write after the other, as raft could.
class writer {
 public:
  explicit writer(course::random_source random) : random_(random) {}

  raft::storage_write next(const raft::stored_state& s) {
    raft::storage_write w;
    auto term = s.hard_state.term.value;
    if (term == 0 || random_.below(4) == 0)
      w.hard_state = raft::hard_state{{++term}, {static_cast<std::uint16_t>(random_.below(3))}};
    const auto base = s.snapshot ? s.snapshot->last_index.value : 0;
    auto end = base + s.entries.size();
    const auto chosen = random_.below(8);
    if (chosen == 0 && !s.entries.empty()) { // the own state is saved
      const auto& last = *s.entries[random_.below(s.entries.size())];
      w.snapshot = make_snapshot(last.index.value, last.term.value, random_.hexadecimal(random_.below(200)));
    } else if (chosen == 1) { // the leader is far ahead
      end += 1 + random_.below(5);
      w.snapshot = make_snapshot(end, term, random_.hexadecimal(random_.below(200)));
    } else if (chosen == 3 && !s.entries.empty() && s.entries.back()->term.value < term) {
      end = std::max(base + 1 + random_.below(s.entries.size()),
                     s.commit.value); // the leader's log is another one
      w.snapshot = make_snapshot(end, term, random_.hexadecimal(random_.below(200)));
    } else if (chosen == 2 && !s.entries.empty()) {
      end = std::max(base + random_.below(s.entries.size()), s.commit.value);
      w.truncate_behind = log_index{end};
    }
    for (auto more = random_.below(5); more > 0; --more)
      w.entries.push_back(make_entry(++end, term, any_payload()));
    // What is committed stays, so only some of it is.
    w.commit = std::max(s.commit, w.snapshot ? w.snapshot->last_index : log_index{});
    if (w.commit.value < end && random_.below(3) == 0)
      w.commit.value += random_.below(end - w.commit.value + 1);
    return w;
  }

 private:
  raft::payload any_payload() {
    const kv::request_id id{random_.hexadecimal(4), random_.hexadecimal(8)};
    switch (random_.below(6)) {
    case 0:
      return raft::no_op{};
    case 1:
      return raft::configuration{{{0}, {1}}, {{2}}};
    case 2:
      return kv::command{id, kv::append{"k", random_.hexadecimal(3)}};
    case 3:
      return kv::command{id, kv::cas{"k", "", random_.hexadecimal(9)}};
    case 4:
      return kv::command{id, kv::erase{random_.hexadecimal(2)}};
    default:
      return kv::command{id, kv::put{"k", random_.hexadecimal(random_.below(60))}};
    }
  }

  course::random_source random_;
};

} // namespace troupe::test
