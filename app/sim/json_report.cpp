#include "app/sim/json_report.hpp"

#include "app/sim/summary.hpp"

#include <array>
#include <fmt/format.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

namespace troupe::sim {

namespace {

/// A writer that takes a name and a value at once.
class json_writer {
 public:
  json_writer() : writer_(buffer_) { writer_.SetFormatOptions(rapidjson::kFormatSingleLineArray); }
  std::string text() const { return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n"; }

  void value(bool b) { writer_.Bool(b); }
  void value(int n) { writer_.Int(n); }
  void value(std::uint64_t n) { writer_.Uint64(n); }
  void value(double x) { writer_.Double(x); }
  void value(std::string_view s) { writer_.String(s.data(), static_cast<rapidjson::SizeType>(s.size())); }
  void value(const std::optional<double>& x) { x ? writer_.Double(*x) : writer_.Null(); }
  void value(duration d) { writer_.Double(in_seconds(d)); }
  void value(replica_id id) { writer_.String(to_string(id)); }
  void value(const std::optional<course::tiers>& t) { t ? list(*t) : static_cast<void>(writer_.Null()); }

  template <class T>
  void put(const char* name, const T& what) {
    writer_.Key(name);
    value(what);
  }
  template <class List>
  void list(const List& items) {
    array([&] {
      for (const auto& item : items)
        value(item);
    });
  }
  template <class Fill>
  void array(Fill fill) {
    writer_.StartArray();
    fill();
    writer_.EndArray();
  }
  template <class Fill>
  void object(Fill fill) {
    writer_.StartObject();
    fill();
    writer_.EndObject();
  }
  void key(const std::string& name) { writer_.Key(name); }
  void null() { writer_.Null(); }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer_;
};

void write_messages(json_writer& out, const course::figures& f) {
  out.put("total_msgs", f.total_msgs);
  out.key("msgs_by_type");
  out.object([&] {
    for (const auto& [type, count] : f.msgs_by_type)
      out.put(type.c_str(), count);
  });
  out.put("lost_by_drops", f.lost_by_drops);
  out.put("lost_by_partition", f.lost_by_partition);
  out.put("to_the_dead", f.to_the_dead);
  out.put("stopped_at_max_packets", f.stopped_at_max_packets);
}

void write_requests(json_writer& out, const course::figures& f) {
  out.put("gets", f.gets);
  out.put("gets_ok", f.gets_ok);
  out.put("gets_unanswered", f.gets_unanswered);
  out.put("gets_not_generated", f.gets_not_generated);
  out.put("puts", f.puts);
  out.put("puts_ok", f.puts_ok);
  out.put("puts_unanswered", f.puts_unanswered);
  out.put("failures", f.failures());
  out.put("fails", f.fails);
  out.put("redirects", f.redirects);
  out.put("sent_again", f.sent_again);
  out.put("longest_silence", f.longest_silence);
  out.key("unanswered");
  out.array([&] {
    for (const auto& request : f.unanswered)
      out.object([&] {
        out.put("client", request.client);
        out.put("MID", std::string_view(request.mid));
        out.put("type", std::string_view(request.is_put ? "put" : "get"));
        out.put("key", std::string_view(request.key));
        out.put("asked", request.asked);
        out.put("sent", request.sent);
        out.key("killed_after");
        request.killed_after ? out.value(*request.killed_after) : out.null();
      });
  });
  out.put("duplicates", f.duplicates);
  out.put("incorrect", f.incorrect);
  out.key("incorrect_reasons");
  out.list(f.incorrect_reasons);
}

void write_latencies(json_writer& out, const latency_figures& latency) {
  out.put("median_latency", latency.median);
  out.put("p99_latency", latency.p99);
  out.put("median_get_latency", latency.median_get);
  out.put("p99_get_latency", latency.p99_get);
  out.put("median_put_latency", latency.median_put);
  out.put("p99_put_latency", latency.p99_put);
}

void write_events(json_writer& out, const course::figures& f) {
  out.put("leader_changes", f.leader_changes);
  out.key("events");
  out.array([&] {
    for (const auto& event : f.events)
      out.object([&] {
        out.put("type", to_string(event.type));
        out.put("time", event.time);
        out.key("replicas");
        out.list(event.hits);
      });
  });
}

void write_complaints(json_writer& out, const course::complaints& complaints) {
  out.key("complaints");
  out.array([&] {
    for (const auto& entry : complaints)
      out.object([&] {
        out.put("replica", entry.first.first);
        out.put("kind", to_string(entry.first.second));
        out.put("count", entry.second.count);
        out.put("first", std::string_view(entry.second.first));
      });
  });
}

void write_run(json_writer& out, const run_result& run) {
  out.put("scenario", std::string_view(run.plan.scenario->name));
  out.put("mode", to_string(run.plan.mode));
  out.put("seed", run.plan.seed);
  if (run.hash)
    out.put("hash", std::string_view(fmt::format("{:016x}", *run.hash)));
  out.put("passed", run.verdict.passed());
  out.key("failed_checks");
  out.list(run.verdict.failed_checks);
  out.put("tiers", run.verdict.tiers);
  write_messages(out, run.figures);
  write_requests(out, run.figures);
  write_latencies(out, run.latency);
  write_events(out, run.figures);
  out.key("deaths");
  out.list(run.figures.deaths);
  out.key("violations");
  out.list(run.figures.violations);
  write_complaints(out, run.complaints);
  out.put("took", run.figures.took);
}

void write_summary(json_writer& out, const scenario_summary& row) {
  out.put("scenario", std::string_view(row.scenario));
  out.put("runs", std::uint64_t{row.runs});
  out.put("passed", std::uint64_t{row.passed});
  out.put("total_msgs", row.total_msgs);
  out.put("failures", row.failures);
  out.put("duplicates", row.duplicates);
  out.put("median_latency", row.median_latency);
  out.put("tiers", row.tiers);
  out.key("distribution");
  out.object([&] {
    for (const auto& s : row.spreads) {
      out.key(std::string(s.figure));
      out.list(std::array{s.min, s.median, s.p99, s.max});
    }
  });
}

} // namespace

std::string format_json(const run_results& all) {
  const auto& results = all.results;
  const auto rows = summarize(results);
  json_writer out;
  out.object([&] {
    out.key("runs");
    out.array([&] {
      for (const auto& run : results)
        out.object([&] { write_run(out, run); });
    });
    out.key("scenarios");
    out.array([&] {
      for (const auto& row : rows)
        out.object([&] { write_summary(out, row); });
    });
    out.put("tier_sum", tier_sum(rows));
    out.put("planned_runs", std::uint64_t{all.planned});
    out.put("interrupted", all.stopped);
  });
  return out.text();
}

} // namespace troupe::sim
