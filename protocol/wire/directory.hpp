#pragma once
// Who is who on the wire.

#include "protocol/types.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::wire {

/// Reads four hexadecimal digits of either case; nothing for any other text. `FFFF` is read as `nobody`.
std::optional<replica_id> parse_replica_id(std::string_view text);

/// The replicas of a cluster, and how their ids are spelled: the simulators compare ids letter by letter, so
/// an id leaves as it stood on the command line, while ids that come in may be of either case.
class directory {
 public:
  /// Throws std::invalid_argument, naming the id, for one that is malformed, listed twice or `FFFF`.
  directory(std::string_view self, const std::vector<std::string>& peers);

  replica_id self() const { return self_; }

  /// Everybody, this replica included, in ascending order.
  const std::vector<replica_id>& members() const { return members_; }

  /// The id as it goes out: of a member, or of `nobody`. Throws std::out_of_range for a stranger's.
  std::string_view spelling(replica_id id) const;

  bool is_member(replica_id id) const { return std::binary_search(members_.begin(), members_.end(), id); }

  /// The member with this id, if there is one.
  std::optional<replica_id> find(std::string_view text) const;

 private:
  void add(std::string_view text);

  replica_id self_;
  std::vector<replica_id> members_;
  std::vector<std::string> spellings_; ///< in the order of `members_`
};

} // namespace troupe::wire
