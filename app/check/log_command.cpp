// troupe-check log: what is in a replica's directory, and is it whole?

#include "app/check/command.hpp"
#include "disk/real_files.hpp"
#include "disk/recover.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace troupe::check {

namespace {

/// A replica that runs goes on writing and removing meanwhile, so what was read may not fit together. What is
/// damaged looks the same when it is read once more.
disk::recovered read(disk::file_system& files, const std::string& directory, replica_id self) {
  constexpr int most_tries = 50;
  std::string said;
  for (int tries = 0; tries < most_tries; ++tries)
    try {
      return disk::recover(files, self);
    } catch (const disk::disk_error& error) {
      if (error.what() == said)
        throw;
      said = error.what();
    }
  throw disk::disk_error(directory +
                         ": the replica changes it faster than it can be read; try again, or stop it first");
}

void tell(const disk::real_files& files, const disk::owner& o, const disk::recovered& r) {
  const bool runs = files.is_owned_by_another();
  fmt::print("the log of replica {} of {}{}\n", to_string(o.self), disk::names_of(o.cluster),
             runs ? ", which runs: this is how it was a moment ago" : "");
  fmt::print("term {}, vote for {}\n", r.state.hard_state.term.value,
             r.state.hard_state.voted_for == nobody ? "nobody" : to_string(r.state.hard_state.voted_for));
  if (r.state.snapshot)
    fmt::print("snapshot up to entry {} of term {}: {} bytes\n", r.base.index.value, r.base.term.value,
               r.state.snapshot->data.size());
  if (r.state.entries.empty())
    fmt::print("no entries{}\n", r.state.snapshot ? " behind it" : "");
  else
    fmt::print("entries {} to {}, of terms {} to {}\n", r.state.entries.front()->index.value,
               r.state.entries.back()->index.value, r.state.entries.front()->term.value,
               r.state.entries.back()->term.value);
  if (r.state.commit > r.base.index)
    fmt::print("committed up to entry {} at least\n", r.state.commit.value);
  for (const auto& s : r.segments)
    fmt::print("  {}: {}, {}, {}, {} of them entries{}\n", disk::segment_name(s.number),
               app::counted(s.bytes, "byte"), app::counted(s.batches, "batch"),
               app::counted(s.records, "record"), s.entries,
               s.entries > 0 ? fmt::format(" up to {}", s.last_entry.value) : "");
  for (const auto& name : r.leftovers)
    fmt::print("  {}: {}\n", name, runs ? "not finished, or not needed any more" : "not needed any more");
  if (r.torn_at)
    fmt::print("{}: at byte {}: {} bytes that are not whole: {}\n",
               files.path_of(disk::segment_name(r.segments.back().number)), *r.torn_at, r.torn_bytes,
               runs ? "the replica is writing them"
                    : "what a crash interrupted before it was durable; the replica will cut them off");
}

void require_log(disk::real_files& files, const std::string& directory) {
  const auto names = files.list();
  if (std::find(names.begin(), names.end(), disk::identity_name) != names.end())
    return;
  if (!disk::recover(files, nobody).is_unused())
    disk::refuse_missing(files, disk::identity_name, "beside a log");
  throw usage_error(
      fmt::format("{}: is no directory of a log: it has no file {}", directory, disk::identity_name));
}

exit_status judge(const std::string& directory) {
  try {
    disk::real_files files(directory, disk::real_files::access::look);
    require_log(files, directory);
    const auto o = disk::read_identity(files);
    const auto r = read(files, directory, o.self);
    if (r.segments.empty())
      disk::refuse_missing(files, disk::segment_name(1), "as are all others");
    tell(files, o, r);
    return all_right;
  } catch (const disk::log_damaged& damage) {
    fmt::print("{}\n", damage.what());
    return not_right;
  } catch (const disk::disk_error& error) {
    throw usage_error(error.what());
  }
}

} // namespace

void add_log_command(CLI::App& app, exit_status& status) {
  auto directory = std::make_shared<std::string>();
  auto* command =
      app.add_subcommand("log", "Says what is in the directory of a replica, and whether it is whole");
  command->footer(
      "Changes nothing, and says so if the replica runs.\n"
      "Exit status: 0 if it is whole, 1 if something is damaged or missing, 3 if it cannot be read, is of "
      "another format or no log.");
  command->add_option("directory", *directory, "What troupe-replica was given with --data")->required();
  command->callback([directory, &status] { status = judge(*directory); });
}

} // namespace troupe::check
