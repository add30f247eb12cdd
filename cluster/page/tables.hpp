#pragma once
// A story as columns. Private to cluster/page.

#include "cluster/page/pack.hpp"
#include "trace/read.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::page {

/// What all tables share.
struct tables {
  string_table strings;
  std::vector<std::string> replicas;
  std::int64_t zero_ns = 0; ///< times count from here
  std::vector<column> columns;

  /// -1: no replica of this run.
  std::int64_t replica(const std::string& name) const;
};

/// Who takes part, and when the clock begins.
tables begin_tables(const trace::story& s);

/// One line for each record.
void add_rows(tables& t, const trace::story& s);
/// The whole state of Raft whenever it changed, the log whenever it was written, and what was applied.
void add_states(tables& t, const trace::story& s);

/// By client and MID.
using operation_names = std::set<std::pair<std::string, std::string>>;

/// What clients asked. `culprits` are answers that cannot be, `stretch` shows why.
void add_operations(tables& t, const trace::story& s, const operation_names& culprits,
                    const operation_names& stretch);

/// Where a record stands.
inline std::int64_t row_of(const trace::story& s, const trace::record& r) { return &r - s.records().data(); }

} // namespace troupe::page
