#pragma once
// Runs on virtual time, and what the exports make of their traces.

#include "cluster/trace/export/exporter.hpp"

#include <rapidjson/document.h>
#include <string>
#include <vector>

namespace troupe::test {

struct traced_run {
  std::string name;
  std::string text;
  trace::story story;
};

/// A scenario with crashes, one that loses messages, one with partitions, and random clusters. Played once.
const std::vector<traced_run>& traced_runs();

trace::story story_of(const std::string& text);

/// What an export is, and the records in the order in which it got them.
struct exported {
  std::string text;
  std::vector<trace::record> records;
};

enum class target { shiviz, shiviz_actors, perfetto, porcupine, history };
exported export_as(target t, const trace::story& s);

/// Requires that it is JSON.
rapidjson::Document parsed(const std::string& text);

} // namespace troupe::test
