// The log of ShiViz: an event is a line with a host and its vector clock, and one that says what happened.

#include "cluster/trace/export/exporter.hpp"
#include "cluster/trace/export/words.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <vector>

namespace troupe::trace {

namespace {

/// What is about nobody happens to the world.
constexpr auto nobodys_host = "world";
/// The first line tells ShiViz how to read the others, the second what stands between runs: there is one.
constexpr auto beginning = "(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)\n\n";

class shiviz : public exporter {
 public:
  shiviz(std::string& out, shiviz_hosts hosts) : out_(out), of_actors_(hosts == shiviz_hosts::actors) {
    out_ += beginning;
  }

  void take(const record& r) override {
    if (r.event == "end")
      return;
    const auto host = number_of(host_of(r));
    auto& clock = hosts_[host].clock;
    if (const auto cause = stamps_.find(r.cause); r.cause != 0 && cause != stamps_.end())
      merge(clock, cause->second);
    clock.resize(std::max(clock.size(), host + 1));
    ++clock[host];
    if (r.id != 0 && r.kind != event_kind::note)
      stamps_[r.id] = keep(clock);
    write(host, r);
  }

  void finish() override {}

 private:
  using count = std::uint32_t;
  struct host_clock {
    std::string name;   ///< without blanks
    std::string quoted; ///< as JSON
    std::vector<count> clock;
  };
  /// A clock that was kept.
  struct stamp {
    std::size_t begin;
    std::size_t size;
  };

  std::string host_of(const record& r) const {
    std::string name = process_of(r);
    if (of_actors_ && r.kind == event_kind::message)
      name += '/' + r.to;
    else if (of_actors_ && r.kind == event_kind::network && !names_client(name))
      name += "/network";
    if (name.empty())
      name = nobodys_host;
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == 0x7F; }, '_');
    return name;
  }

  std::size_t number_of(const std::string& name) {
    const auto [entry, is_new] = numbers_.try_emplace(name, hosts_.size());
    if (is_new)
      hosts_.push_back({name, json_text(name), {}});
    return entry->second;
  }

  void merge(std::vector<count>& clock, const stamp& other) const {
    clock.resize(std::max(clock.size(), other.size));
    for (std::size_t i = 0; i < other.size; ++i)
      clock[i] = std::max(clock[i], kept_[other.begin + i]);
  }

  stamp keep(const std::vector<count>& clock) {
    kept_.insert(kept_.end(), clock.begin(), clock.end());
    return {kept_.size() - clock.size(), clock.size()};
  }

  void write(std::size_t host, const record& r) {
    const auto& h = hosts_[host];
    out_ += h.name;
    auto separator = " {";
    for (std::size_t i = 0; i < h.clock.size(); ++i) {
      if (h.clock[i] == 0)
        continue;
      out_ += separator;
      out_ += hosts_[i].quoted;
      out_ += ':';
      char digits[20];
      out_.append(digits, std::to_chars(digits, digits + sizeof digits, h.clock[i]).ptr);
      separator = ",";
    }
    out_ += "}\n";
    if (!of_actors_ && r.kind == event_kind::message) {
      out_ += r.to;
      out_ += ": ";
    }
    out_ += title_of(r);
    if (!r.raft.empty()) {
      out_ += " => ";
      out_ += parse(r.raft).print();
    }
    out_ += '\n';
  }

  std::string& out_;
  bool of_actors_;
  std::vector<host_clock> hosts_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::unordered_map<std::uint64_t, stamp> stamps_; ///< by the number of the record
  std::vector<count> kept_;                         ///< all clocks, one behind the other
};

} // namespace

std::unique_ptr<exporter> to_shiviz(std::string& out, shiviz_hosts hosts) {
  return std::make_unique<shiviz>(out, hosts);
}

} // namespace troupe::trace
