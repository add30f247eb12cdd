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

std::string cluster_of(const disk::owner& o) {
  std::string text;
  for (auto id : o.cluster)
    text += fmt::format("{}{}", text.empty() ? "" : " ", to_string(id));
  return text;
}

void tell(const disk::file_system& files, const disk::owner& o, const disk::recovered& r) {
  fmt::print("the log of replica {} of {}\n", to_string(o.self), cluster_of(o));
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
  for (const auto& s : r.segments)
    fmt::print("  {}: {} bytes, {} batches, {} records, {} of them entries{}\n", disk::segment_name(s.number),
               s.bytes, s.batches, s.records, s.entries,
               s.entries > 0 ? fmt::format(" up to {}", s.last_entry.value) : "");
  for (const auto& name : r.leftovers)
    fmt::print("  {}: not needed any more\n", name);
  if (r.torn_at)
    fmt::print(
        "{}: ends at byte {} in a batch that a crash interrupted before it was durable; the replica will "
        "cut it off\n",
        files.path_of(disk::segment_name(r.segments.back().number)), *r.torn_at);
}

exit_status judge(const std::string& directory) {
  try {
    disk::real_files files(directory, disk::real_files::access::look);
    const auto names = files.list();
    if (std::find(names.begin(), names.end(), disk::identity_name) == names.end())
      throw usage_error(
          fmt::format("{}: is no directory of a log: it has no file {}", directory, disk::identity_name));
    const auto o = disk::read_identity(files);
    try {
      tell(files, o, disk::recover(files, o.self));
      return all_right;
    } catch (const disk::disk_error& damage) {
      fmt::print("{}\n", damage.what());
      return not_right;
    }
  } catch (const disk::disk_error& error) {
    throw usage_error(error.what());
  }
}

} // namespace

void add_log_command(CLI::App& app, exit_status& status) {
  auto directory = std::make_shared<std::string>();
  auto* command =
      app.add_subcommand("log", "Says what is in the directory of a replica, and whether it is whole");
  command->footer("Changes nothing. Of a replica that runs it may see half a batch.\n"
                  "Exit status: 0 if it is whole, 1 if it is damaged, 3 if it cannot be read.");
  command->add_option("directory", *directory, "What troupe-replica was given with --data")->required();
  command->callback([directory, &status] { status = judge(*directory); });
}

} // namespace troupe::check
