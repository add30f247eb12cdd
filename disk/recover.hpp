#pragma once
// Reads what a log left on its disk, and changes nothing.

#include "disk/file_system.hpp"
#include "disk/record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::disk {

/// What was durable is missing or not as it was written.
struct log_damaged : disk_error {
  using disk_error::disk_error;
};

/// Whose log it is: a directory of somebody else is refused.
struct owner {
  replica_id self;
  std::vector<replica_id> cluster; ///< all members that it was started with, sorted
};

/// A file is written under its name and this, and renamed when it is whole.
inline constexpr std::string_view unfinished = ".new";

inline constexpr const char* identity_name = "identity";
std::string names_of(const std::vector<replica_id>& cluster);
std::string identity_text(const owner& o);
/// Throws log_damaged if it is none, disk_error if it is of another version.
owner read_identity(file_system& files);

/// What one segment holds.
struct segment_facts {
  std::uint64_t number = 0;
  std::size_t bytes = 0;   ///< up to the end of the last whole record
  std::size_t records = 0; ///< without those of batches
  std::size_t batches = 0;
  std::size_t last_mark = 0; ///< where the last batch begins, and all that was durable for certain ends
  std::size_t entries = 0;
  log_index last_entry = {}; ///< the largest index of an entry in it; 0: none
};

struct recovered {
  raft::stored_state state;
  position base; ///< of the snapshot; both 0: none
  std::vector<segment_facts> segments;
  /// Where the last segment breaks off: what a crash left of its last batch, which was not durable. Nothing
  /// if it ends well.
  std::optional<std::size_t> torn_at;
  std::size_t torn_bytes = 0; ///< from there up to the last one that is not zero
  /// Files that nothing needs any more: unfinished ones, and snapshots that are superseded or unheard of.
  std::vector<std::string> leftovers;

  /// Whether a replica has never written anything there.
  bool is_unused() const {
    return state.entries.empty() && base == position{} && state.hard_state == raft::hard_state{};
  }
};

/// What the disk holds. A batch that a crash tore ends before what is torn, since nothing of it was durable.
///
/// @param self  whose log it has to be; nobody: whoever's
/// @throws log_damaged if something is damaged that was durable, or missing, with file, offset and what to
/// do;
///         disk_error if it cannot be read
recovered recover(file_system& files, replica_id self);

/// A log that lost all of them, or what says whose it is.
[[noreturn]] void refuse_missing(const file_system& files, const std::string& name, std::string_view where);

} // namespace troupe::disk
