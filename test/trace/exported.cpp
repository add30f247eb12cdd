#include "test/trace/exported.hpp"

#include "app/sim/virtual_run.hpp"
#include "cluster/chaos/run.hpp"
#include "cluster/trace/export/ordering.hpp"
#include "trace/recorder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace troupe::test {

namespace {

class nobody_watches : public sim::spectator {
 public:
  void replica_said(replica_id, duration, const std::string&) override {}
  void happened(duration, const std::string&) override {}
  void progressed(duration, replica_id) override {}
};

class memory : public trace::sink {
 public:
  void take(std::string_view records) override { text += trace::print(records); }
  std::string text = format(trace::header{"0", "virtual", "test", 1, "", "", 0});
};

traced_run play_scenario(const std::string& name, std::uint64_t seed) {
  memory m;
  trace::recorder r(m);
  nobody_watches silence;
  sim::play_virtual(
      {std::make_shared<const scenario>(load_scenario(name)), sim::run_mode::virtual_time, seed}, silence,
      &r);
  return {fmt::format("{}, seed {}", name, seed), m.text, story_of(m.text)};
}

traced_run play_chaos(std::uint64_t seed) {
  memory m;
  trace::recorder r(m);
  chaos::play(chaos::draw(seed), nullptr, &r);
  return {fmt::format("chaos, seed {}", seed), m.text, story_of(m.text)};
}

std::unique_ptr<trace::exporter> make(target t, std::string& out) {
  switch (t) {
  case target::shiviz:
    return trace::to_shiviz(out, trace::shiviz_hosts::processes);
  case target::shiviz_actors:
    return trace::to_shiviz(out, trace::shiviz_hosts::actors);
  case target::perfetto:
    return trace::to_perfetto(out);
  case target::porcupine:
    return trace::to_porcupine(out);
  case target::history:
    return trace::to_history(out);
  }
  return nullptr;
}

} // namespace

trace::story story_of(const std::string& text) {
  std::vector<trace::recording> files;
  files.push_back(trace::read(text));
  REQUIRE(files.back().damage == "");
  return trace::story(std::move(files));
}

const std::vector<traced_run>& traced_runs() {
  static const auto all = [] {
    std::vector<traced_run> runs;
    runs.push_back(play_scenario("crash-4", 7));
    runs.push_back(play_scenario("unreliable-3", 3));
    runs.push_back(play_scenario("partition-4", 5));
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
      runs.push_back(play_chaos(seed));
    return runs;
  }();
  return all;
}

exported export_as(target t, const trace::story& s) {
  exported result;
  const auto exporter = make(t, result.text);
  trace::ordering ordered([&](const trace::record& r) {
    result.records.push_back(r);
    exporter->take(r);
  });
  for (const auto& r : s.records())
    ordered.take(r);
  ordered.finish();
  exporter->finish();
  return result;
}

rapidjson::Document parsed(const std::string& text) {
  rapidjson::Document d;
  d.Parse(text.data(), text.size());
  REQUIRE(!d.HasParseError());
  return d;
}

} // namespace troupe::test
