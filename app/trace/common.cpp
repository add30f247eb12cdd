#include "app/trace/command.hpp"

#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>

namespace troupe::trace_app {

trace::story read_story(const std::vector<std::string>& paths) {
  app::refuse_repeated(paths);
  std::vector<trace::recording> files;
  for (const auto& path : paths) {
    try {
      files.push_back(trace::read(app::read_file(path), path));
    } catch (const trace::read_error& error) {
      throw usage_error(fmt::format("{}: {}", path, error.what()));
    }
    if (!files.back().damage.empty())
      fmt::print(stderr, "troupe-trace: {}: {}\n", path, files.back().damage);
    else if (!files.back().complete)
      fmt::print(stderr, "troupe-trace: {}: has no end record: its process was killed, or still runs\n",
                 path);
  }
  if (const auto why = trace::why_not_one_run(files); !why.empty())
    throw usage_error(why);
  return trace::story(std::move(files));
}

std::string seconds(std::int64_t ns) {
  const auto us = (std::abs(ns) + 500) / 1000; // as the page and troupe-sim round
  return fmt::format("{}{}.{:06}", ns < 0 ? "-" : "", us / 1'000'000, us % 1'000'000);
}

std::string length(std::int64_t ns) {
  const auto n = static_cast<double>(ns);
  if (ns < 1'000'000)
    return fmt::format("{:.1f} us", n / 1e3);
  return ns < 1'000'000'000 ? fmt::format("{:.2f} ms", n / 1e6) : fmt::format("{:.3f} s", n / 1e9);
}

std::string place_of(const trace::record& r) {
  switch (r.kind) {
  case trace::event_kind::message:
    return fmt::format("{}/{}", r.replica, r.to);
  case trace::event_kind::network:
    return fmt::format("{}->{}", r.from, r.to);
  case trace::event_kind::note:
    break;
  }
  return r.replica;
}

std::string describe(const trace::record& r) {
  switch (r.kind) {
  case trace::event_kind::message: {
    auto text = r.type;
    if (r.content.size() > 2) // {} says nothing
      text += fmt::format(" {}", trace::parse(r.content).print());
    if (!r.raft.empty())
      text += fmt::format("  => {}", trace::parse(r.raft).print());
    return text;
  }
  case trace::event_kind::network:
    return fmt::format("{} {}{}", r.fate, r.type, r.mid.empty() ? "" : fmt::format(" MID={}", r.mid));
  case trace::event_kind::note:
    break;
  }
  return fmt::format("{}{}{}", r.event, r.text.empty() ? "" : ": ", r.text);
}

std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most)
    return text;
  auto at = most;
  while ((static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U)
    --at;
  return text.substr(0, at) + "...";
}

} // namespace troupe::trace_app
