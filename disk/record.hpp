#pragma once
// How a log looks in its files; docs/log_format.md describes it. Whatever is read is checked: a damaged byte
// is found, and never becomes an entry.

#include "protocol/raft/step.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::disk {

/// Counts up when a reader of the version before could get something wrong.
inline constexpr std::uint32_t format_version = 4;

/// CRC32C, as iSCSI and ext4 have it, of what `before` is the checksum of with these bytes behind it.
std::uint32_t checksum(std::string_view bytes, std::uint32_t before = 0);

/// An entry's place, or that of a snapshot's last entry; both 0: before the log.
struct position {
  log_index index;
  term_number term;
  bool operator==(const position&) const = default;
};

// ---- records

/// What follows was written together, when all before was durable.
struct batch_record {
  std::uint64_t segment = 0; ///< that it stands in, and where: a copy in another place is none
  std::uint64_t offset = 0;
};
struct entry_record {
  raft::entry_ptr entry;
};
struct truncate_record {
  log_index behind;
};
/// A snapshot stands for the log up to there.
struct snapshot_record {
  position last;
  bool keeps_rest = false; ///< what follows in the log is still part of it
};
/// The first record of a segment: which snapshot the log began with then, and where it ended. What is missing
/// before the segment is missed by that.
struct base_record {
  position last;
  position end;
};
/// The log is committed up to there, at least.
struct commit_record {
  log_index index;
};
using record = std::variant<batch_record, raft::hard_state, entry_record, truncate_record, snapshot_record,
                            base_record, commit_record>;

void write_record(const record& r, std::string& out);

/// What a batch record takes.
inline constexpr std::size_t batch_record_bytes = 25;

/// What stands at a place in a segment.
struct found_record {
  std::optional<disk::record> record; ///< nothing: zeros, or bytes that are no record
  bool is_blank = false;              ///< zeros up to the end: nothing was written here
  std::size_t bytes = 0;              ///< of the record
};
found_record read_record(std::string_view segment, std::size_t offset);

// ---- segments

inline constexpr std::size_t segment_header_bytes = 64;
/// @param reserved_bytes  how long the file is made
std::string segment_header(std::uint64_t number, replica_id owner, std::uint64_t reserved_bytes);

/// Stands at this place of a segment when the next one is durable: should that be missing, it was lost. A
/// crash may leave a beginning of it.
inline constexpr std::size_t followed_mark_offset = 40;
inline constexpr std::string_view followed_mark = "followed";

struct header_facts {
  std::string fault; ///< why this is not the header of that segment; empty if it is
  std::uint64_t reserved_bytes = 0;
  bool is_followed = false;
};
/// @param owner  whose it has to be; nobody: whoever's
header_facts read_header(std::string_view segment, std::uint64_t number, replica_id owner);
std::string segment_name(std::uint64_t number);
/// Nothing if a file of this name is no segment.
std::optional<std::uint64_t> segment_number(std::string_view name);

// ---- snapshots

/// The place of the last entry that it stands for.
position last_of(const raft::snapshot& s);
std::string snapshot_name(position last);
/// Nothing if a file of this name is no snapshot.
std::optional<position> snapshot_position(std::string_view name);
/// What stands before the state in its file. The state itself is a large text, which is not copied.
std::string snapshot_head(const raft::snapshot& s);
/// Null if it is damaged.
raft::snapshot_ptr read_snapshot(std::string_view bytes);

} // namespace troupe::disk
