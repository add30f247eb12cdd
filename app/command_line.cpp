#include "app/command_line.hpp"

#include "app/version.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <new>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace troupe::app {

namespace {

std::string check_whole_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? "" : "must be a whole number from 0 to 18446744073709551615";
}

} // namespace

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string counted(std::uint64_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : what.ends_with("ch") ? "es" : "s");
}

namespace {

void refuse_empty(CLI::App& app) {
  for (auto* option : app.get_options())
    if (option->get_items_expected_max() > 0)
      option->check([](const std::string& text) { return text.empty() ? "is empty" : std::string(); }, "");
  for (auto* command : app.get_subcommands({}))
    refuse_empty(*command);
}

/// Names those that there are, unless it is an option that is wrong.
void refuse_subcommand(const CLI::App& app, const std::string& word) {
  std::string known;
  for (const auto* command : app.get_subcommands({}))
    known += fmt::format("{}{}", known.empty() ? "" : ", ", command->get_name());
  if (word.empty())
    throw usage_error(fmt::format("a subcommand is missing: {}", known));
  if (!word.starts_with('-'))
    throw usage_error(fmt::format("\"{}\" is no subcommand: {}", word, known));
}

} // namespace

bool read_arguments(CLI::App& app, int argc, char** argv) {
  app.set_version_flag("--version", fmt::format("{} {}", app.get_name(), version));
  refuse_empty(app);
  try {
    app.parse(argc, argv);
    return true;
  } catch (const CLI::Success& help) {
    app.exit(help);
    return false;
  } catch (const CLI::ParseError& error) {
    if (app.get_require_subcommand_min() > 0 && app.get_subcommands().empty())
      refuse_subcommand(app, argc > 1 ? argv[1] : "");
    throw usage_error(one_line(error.what()));
  }
}

namespace {

/// False if it is not there.
bool look_at(const std::string& path, int descriptor_of_dash, struct stat& found) {
  return (path == "-" ? ::fstat(descriptor_of_dash, &found) : ::stat(path.c_str(), &found)) == 0;
}

struct closer {
  void operator()(std::FILE* file) const {
    if (file != stdin)
      std::fclose(file);
  }
};

constexpr std::size_t piece_bytes = std::size_t{1} << 20U;

} // namespace

std::string read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, closer> file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
  if (!file)
    throw usage_error(fmt::format("{}: {}", path, std::strerror(errno)));
  std::string text;
  for (std::size_t size = 0;;) {
    text.resize(size + piece_bytes);
    const auto got = std::fread(text.data() + size, 1, piece_bytes, file.get());
    size += got;
    if (std::ferror(file.get()) != 0)
      throw usage_error(fmt::format("{}: {}", path, std::strerror(errno))); // a directory, for one
    if (got == piece_bytes)
      continue;
    text.resize(size);
    return text;
  }
}

std::filesystem::path temporary_folder() {
  std::error_code error;
  auto folder = std::filesystem::temp_directory_path(error);
  if (!error)
    return folder;
  for (const char* name : {"TMPDIR", "TMP", "TEMP", "TEMPDIR"}) // in this order
    if (const char* value = std::getenv(name))
      throw usage_error(fmt::format("{}={}: {}", name, value, error.message()));
  throw usage_error(fmt::format("/tmp: {}", error.message()));
}

void refuse_to_overwrite(const std::string& written, const std::vector<std::string>& read) {
  struct stat out {};
  if (!look_at(written, STDOUT_FILENO, out) || !S_ISREG(out.st_mode))
    return;
  for (const auto& path : read) {
    struct stat in {};
    if (look_at(path, STDIN_FILENO, in) && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
      throw usage_error(fmt::format("{} would overwrite what is to be read",
                                    written == "-" ? "the standard output" : written));
  }
}

void refuse_repeated(const std::vector<std::string>& read) {
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const auto& path : read) {
    struct stat in {};
    if (look_at(path, STDIN_FILENO, in) && !seen.emplace(in.st_dev, in.st_ino).second)
      throw usage_error(fmt::format("{} is given twice", path));
  }
}

void refuse_to_mix(const std::vector<std::string>& written) {
  std::set<std::string> seen;
  for (const auto& path : written) {
    std::error_code error;
    const auto place = path == "-" ? path : std::filesystem::weakly_canonical(path, error).string();
    if (!path.empty() && !seen.insert(place).second)
      throw usage_error(fmt::format("{} would be written twice", path));
  }
}

namespace {

/// Where one of the first three descriptors is closed, the next file to be opened would get what is printed.
void keep_standard_descriptors() {
  for (int descriptor = ::open("/dev/null", O_RDWR); descriptor >= 0; descriptor = ::dup(descriptor))
    if (descriptor > STDERR_FILENO) {
      ::close(descriptor);
      break;
    }
}

void finish_output() {
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw usage_error(fmt::format("the standard output: {}",
                                  errno != 0 ? std::strerror(errno) : "not all of it could be written"));
}

/// What is said where there is no memory left to say it with.
struct last_words {
  std::string text;
  int status = 0;
};
last_words out_of_memory;

/// In any thread: an exception would end a thread of its own, and an actor would keep it to itself.
[[noreturn]] void end_without_memory() {
  [[maybe_unused]] const auto ignored =
      ::write(STDERR_FILENO, out_of_memory.text.data(), out_of_memory.text.size());
  ::_exit(out_of_memory.status);
}

/// std::thread does not say what it was that could not be done.
std::string explain(const std::system_error& error) {
  const bool was_a_thread =
      error.code() == std::errc::resource_unavailable_try_again && error.what() == error.code().message();
  return was_a_thread ? fmt::format("cannot start a thread: {}", error.what()) : error.what();
}

} // namespace

int run_program(const std::string& name, int bad_input, const std::function<int()>& run) {
  keep_standard_descriptors();
  out_of_memory = {fmt::format("{}: out of memory\n", name), bad_input};
  std::set_new_handler(end_without_memory);
  std::signal(SIGXFSZ, SIG_IGN); // a write that fails says why
  std::string why;
  try {
    const auto status = run();
    finish_output();
    return status;
  } catch (const std::system_error& error) { // of fmt, too, which does not know where it prints to
    why = std::ferror(stdout) != 0 ? fmt::format("the standard output: {}", error.code().message())
                                   : explain(error);
  } catch (const std::exception& error) {
    why = error.what();
  }
  std::fputs(fmt::format("{}: {}\n", name, one_line(why)).c_str(), stderr);
  return bad_input;
}

CLI::Validator seconds_check(double least, double most) {
  const auto check = [least, most](const std::string& text) {
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    const bool is_number = !text.empty() && *end == '\0';
    return is_number && seconds >= least && seconds <= most
               ? std::string()
               : fmt::format("must be a number of seconds from {} to {}", least, most);
  };
  return {check, "", "seconds"};
}

CLI::Validator whole_number_check() { return {check_whole_number, "", "whole number"}; }

} // namespace troupe::app
