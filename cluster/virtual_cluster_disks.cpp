#include "cluster/disk_judge.hpp"
#include "cluster/virtual_cluster.hpp"
#include "protocol/invariant.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace troupe {

namespace {

/// The stream of the seed for the first replica's first disk.
constexpr std::uint64_t for_disks = 10'000;
/// A run has many of them, and snapshots take several pieces.
constexpr disk::log_options small_segments{4'096, 512};

} // namespace

/// A new one, with what is in the storage.
void virtual_cluster::give_disk(member& m) {
  if (!setup_.durable)
    return;
  m.disk.emplace(course::random_source(setup_.seed, for_disks + m.id.value + 1'000 * m.disks++));
  const auto s = m.storage.load();
  disk::disk_log log(*m.disk, owner_of(m), small_segments);
  log.apply({s.hard_state, s.snapshot, std::nullopt, s.entries, s.commit});
  if (log.has_batch())
    log.store(log.take_batch());
}

raft::stored_state virtual_cluster::open_disk(member& m, std::optional<disk::disk_log>& log) {
  log.emplace(*m.disk, owner_of(m), small_segments);
  auto found = log->take_found();
  if (const auto loss = find_loss(m.storage, std::exchange(m.unsynced, {}), found); !loss.empty())
    violate(fmt::format("a disk keeps what was durable: {}: {}", to_string(m.id), loss));
  m.storage = {};
  m.storage.apply({found.hard_state, found.snapshot, std::nullopt, found.entries, found.commit});
  return found;
}

void virtual_cluster::crash_in_write(replica_id id, std::size_t operations) {
  auto& m = find(id);
  if (!m.disk)
    return;
  m.disk->interrupt(operations, [this, id] { crash_soon(id); });
}

void virtual_cluster::fail_write(replica_id id, std::size_t operations) {
  if (auto& disk = find(id).disk)
    disk->fail_at(operations, "No space left on device");
}

void virtual_cluster::fail_reads(replica_id id) {
  if (auto& disk = find(id).disk)
    disk->fail_reads();
}

void virtual_cluster::mend_disk(replica_id id) {
  auto& m = find(id);
  if (!m.disk)
    return;
  if (m.disk->is_interrupted() || m.disk->has_failed())
    crash(id); // its end is planned for this moment
  m.disk->mend();
}

void virtual_cluster::flip_bit(replica_id id, std::uint64_t number) {
  auto& m = find(id);
  require(m.life == nullptr, "{} runs, and has its disk open", to_string(id));
  if (!m.disk || m.mend_bit)
    return;
  auto names = m.disk->list();
  std::erase_if(names, [&](const auto& n) { return m.disk->read(n).empty(); });
  disk::recovered log;
  try {
    log = disk::recover(*m.disk, id);
  } catch (const disk::disk_error&) {
    return; // it is lost already, and the next start will say so
  }
  if (log.segments.empty())
    return;
  const auto& name = names[number % names.size()];
  auto byte = number / names.size() % m.disk->read(name).size();
  const auto& last = log.segments.back();
  if (name == disk::segment_name(last.number) && byte >= last.last_mark && byte < last.bytes + log.torn_bytes)
    byte %= last.last_mark;
  const auto flip = [&disk = *m.disk, name, byte, bit = static_cast<unsigned>(number % 8)] {
    disk.flip(name, byte, bit);
  };
  flip();
  m.mend_bit = flip;
}

} // namespace troupe
