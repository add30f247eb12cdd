#include "app/replica/tracing.hpp"

#include "app/command_line.hpp"
#include "app/version.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

namespace troupe::app {

namespace {

instant now() { return {std::chrono::steady_clock::now().time_since_epoch()}; }

} // namespace

tracing::tracing(const replica_arguments& a)
    : id_(to_string(a.directory.self())), path_(a.trace),
      is_on_(!path_.empty() || a.trace_memory_mib > 0), header_{.program = std::string(version),
                                                                .mode = "real",
                                                                .scenario = "",
                                                                .seed = a.raft.seed,
                                                                .command = a.command,
                                                                .replica = id_,
                                                                .replicas = a.directory.members().size(),
                                                                .began = now(),
                                                                .members = a.directory.members()},
      file_(path_.empty() ? std::nullopt : std::optional<trace::file>(std::in_place, path_, header_)),
      ring_(file_ ? 1 : std::max<std::size_t>(1, a.trace_memory_mib << 20U)),
      recorder_(file_ ? static_cast<trace::sink&>(*file_) : ring_) {
  recorder_.note("start", id_, "", now());
}

std::string tracing::keep() {
  if (!is_on_)
    return "no last moments are kept (--trace-memory 0)";
  if (file_) {
    recorder_.flush();
    const auto error = file_->error();
    return error.empty() ? fmt::format("the trace is in {}", path_)
                         : fmt::format("the trace could not be written: {}", error);
  }
  try {
    std::string records;
    recorder_.alone([&] { records = ring_.records(); });
    const auto path =
        (temporary_folder() / fmt::format("troupe-{}-{}-{}.jsonl", id_, ::getpid(), ++kept_)).string();
    trace::file file(path, header_, trace::file::place::fresh);
    file.take(records);
    trace::recorder(file).end(now());
    const auto error = file.error();
    if (error.empty())
      return fmt::format("the last moments are in {}", path);
    throw usage_error(error);
  } catch (const std::exception& e) {
    return fmt::format("the last moments could not be written: {}", e.what());
  }
}

void tracing::note_violation(const std::string& what) {
  recorder_.take_unfinished();
  recorder_.note_violation(id_, what, now());
}

std::string tracing::end() {
  if (!file_)
    return {};
  recorder_.end(now());
  return file_->error();
}

} // namespace troupe::app
