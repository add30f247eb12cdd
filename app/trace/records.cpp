#include "app/trace/records.hpp"

#include "app/trace/command.hpp"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>

namespace troupe::trace_app {

record_source::record_source(const std::vector<std::string>& paths) {
  if (paths.size() == 1) {
    open(paths.front());
  } else {
    story_.emplace(read_story(paths));
    began_ = story_->began();
    missing_members_ = trace::missing_members(story_->files());
  }
}

void record_source::open(const std::string& path) {
  path_ = path;
  file_.reset(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
  if (!file_)
    throw usage_error(fmt::format("{}: {}", path, std::strerror(errno)));
  try {
    const auto head = trace::read(next_line() ? std::string_view(line_.text, size_) : std::string_view());
    began_ = head.began;
    missing_members_ = trace::missing_members({head});
  } catch (const trace::read_error& error) {
    throw usage_error(fmt::format("{}: {}", path, error.what()));
  }
}

/// With its newline, if it has one.
bool record_source::next_line() {
  errno = 0;
  const auto size = ::getline(&line_.text, &line_.room, file_.get());
  if (size < 0 && (std::ferror(file_.get()) != 0 || errno == ENOMEM)) // a directory, for one
    throw usage_error(fmt::format("{}: {}", path_, std::strerror(errno)));
  size_ = size < 0 ? 0 : static_cast<std::size_t>(size);
  ++number_;
  return size >= 0;
}

bool record_source::next(trace::record& r) {
  if (story_) {
    if (next_ == story_->records().size())
      return false;
    r = story_->records()[next_++];
    return true;
  }
  if (over_ || !next_line()) {
    if (!complete_ && !over_)
      fmt::print(stderr, "troupe-trace: {}: has no end record: its process was killed, or still runs\n",
                 path_);
    over_ = true;
    return false;
  }
  try {
    const std::string_view line(line_.text, size_);
    if (!line.ends_with('\n'))
      throw trace::read_error("is cut off");
    r = trace::read_line(line.substr(0, line.size() - 1));
  } catch (const trace::read_error& error) {
    fmt::print(stderr, "troupe-trace: {}: line {} {}: read up to there\n", path_, number_, error.what());
    over_ = true;
    return false;
  }
  r.line = number_;
  complete_ = r.event == "end";
  return true;
}

} // namespace troupe::trace_app
