#include "disk/real_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

namespace troupe::disk {

namespace {

constexpr const char* lock_name = "lock";
constexpr mode_t for_everybody = 0666;

/// Again for as long as a signal came in between.
template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR)
    result = call();
  return result;
}

} // namespace

real_files::real_files(std::string directory, access how) : directory_(std::move(directory)) {
  while (directory_.size() > 1 && directory_.back() == '/')
    directory_.pop_back();
  if (how == access::own)
    make_directory();
  directory_descriptor_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory_descriptor_ < 0)
    throw disk_error(fmt::format("{}: {}", directory_, std::strerror(errno)));
  if (how == access::own && list().empty())
    sync_parent();
  how == access::own ? lock() : look_for_owner();
}

real_files::~real_files() {
  for (const auto& [name, descriptor] : open_)
    ::close(descriptor);
  if (lock_ >= 0)
    ::close(lock_);
  if (directory_descriptor_ >= 0)
    ::close(directory_descriptor_);
}

void real_files::make_directory() {
  if (::mkdir(directory_.c_str(), 0777) != 0 && errno != EEXIST)
    throw disk_error(fmt::format("{}: {}", directory_, std::strerror(errno)));
}

/// Whoever finds its new directory's name gone after a crash would take up its work with an empty log. Not
/// only who has made it: a process that did may have been killed before it came here.
void real_files::sync_parent() {
  const auto parent = std::filesystem::absolute(directory_).parent_path();
  const int descriptor = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0 && errno == EACCES)
    return; // somebody else has made it
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0)
    ::close(descriptor);
  if (!synced)
    throw disk_error(fmt::format("{}: {}", parent.string(), std::strerror(error)));
}

void real_files::lock() {
  lock_ =
      ::openat(directory_descriptor_, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, for_everybody);
  if (lock_ < 0)
    fail(lock_name);
  // Who only looks whether somebody owns it holds the lock for an instant.
  for (int tries = 0; tries < 20; ++tries) {
    if (::flock(lock_, LOCK_EX | LOCK_NB) == 0)
      return;
    if (errno != EWOULDBLOCK)
      break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const auto error = errno == EWOULDBLOCK ? "another process uses this directory" : std::strerror(errno);
  ::close(lock_);
  ::close(directory_descriptor_);
  throw disk_error(fmt::format("{}: {}", directory_, error));
}

void real_files::look_for_owner() {
  const int descriptor = ::openat(directory_descriptor_, lock_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return;
  owned_by_another_ = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
}

int real_files::open_file(const std::string& name, int flags) {
  const int descriptor =
      ::openat(directory_descriptor_, name.c_str(), flags | O_CLOEXEC | O_NONBLOCK, for_everybody);
  struct stat facts {};
  // A pipe that nobody reads is refused with ENXIO.
  if (descriptor < 0 || ::fstat(descriptor, &facts) != 0)
    fail(name);
  if (S_ISREG(facts.st_mode))
    return descriptor;
  ::close(descriptor);
  throw disk_error(fmt::format("{}: is no file", path_of(name)));
}

void real_files::fail(const std::string& name) const {
  throw disk_error(fmt::format("{}: {}", real_files::path_of(name), std::strerror(errno)));
}

std::vector<std::string> real_files::list() {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator i(directory_, error), end; !error && i != end; i.increment(error))
    names.push_back(i->path().filename().string());
  if (error)
    throw disk_error(fmt::format("{}: {}", directory_, error.message()));
  std::sort(names.begin(), names.end());
  std::erase(names, lock_name);
  return names;
}

std::string real_files::read(const std::string& name) {
  const int descriptor = open_file(name, O_RDONLY);
  struct stat facts {};
  std::string text;
  bool good = ::fstat(descriptor, &facts) == 0;
  if (good)
    text.resize(static_cast<std::size_t>(facts.st_size));
  std::size_t got = 0;
  while (good && got < text.size()) {
    const auto more = retry([&] { return ::read(descriptor, text.data() + got, text.size() - got); });
    if (more == 0)
      text.resize(got);
    good = more >= 0;
    got += good ? static_cast<std::size_t>(more) : 0;
  }
  const int error = errno;
  ::close(descriptor);
  errno = error;
  if (!good)
    fail(name);
  return text;
}

int real_files::open_to_write(const std::string& name) {
  const auto known = open_.find(name);
  if (known != open_.end())
    return known->second;
  return keep_open(name, open_file(name, O_WRONLY));
}

/// Only the last few are written to.
int real_files::keep_open(const std::string& name, int descriptor) {
  constexpr std::size_t most = 8;
  if (open_.size() == most)
    while (!open_.empty())
      forget(open_.begin()->first);
  return open_.emplace(name, descriptor).first->second;
}

void real_files::forget(const std::string& name) {
  const auto known = open_.find(name);
  if (known == open_.end())
    return;
  ::close(known->second);
  open_.erase(known);
}

void real_files::create(const std::string& name, std::size_t reserved_bytes) {
  forget(name);
  const int descriptor = open_file(name, O_WRONLY | O_CREAT | O_TRUNC);
  keep_open(name, descriptor);
  const auto bytes = static_cast<off_t>(reserved_bytes);
  if (bytes == 0 || retry([&] { return ::fallocate(descriptor, 0, 0, bytes); }) == 0)
    return;
  // A disk that cannot reserve writes all the same, into a file of that length.
  if ((errno != EOPNOTSUPP && errno != ENOSYS) || retry([&] { return ::ftruncate(descriptor, bytes); }) != 0)
    fail(name);
}

void real_files::write(const std::string& name, std::size_t offset, std::string_view bytes) {
  const int descriptor = open_to_write(name);
  while (!bytes.empty()) {
    const auto written =
        retry([&] { return ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (written < 0)
      fail(name);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::size_t>(written);
  }
}

void real_files::truncate(const std::string& name, std::size_t bytes) {
  if (retry([&] { return ::ftruncate(open_to_write(name), static_cast<off_t>(bytes)); }) != 0)
    fail(name);
}

/// Not again after a failure: the kernel may have dropped what it could not write, and would then say that
/// all is well.
void real_files::sync(const std::string& name) {
  const int descriptor = open_to_write(name);
  if (::fdatasync(descriptor) != 0)
    fail(name);
  // What is written to it is durable, and nobody will ever find it; or another process writes there, too.
  require_name(name, descriptor);
  if (lock_ >= 0)
    require_name(lock_name, lock_);
}

void real_files::require_name(const std::string& name, int descriptor) const {
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0)
    fail(name);
  if (facts.st_nlink == 0)
    throw disk_error(fmt::format("{}: was removed while it was in use", real_files::path_of(name)));
}

void real_files::rename(const std::string& from, const std::string& to) {
  forget(from);
  forget(to);
  if (::renameat(directory_descriptor_, from.c_str(), directory_descriptor_, to.c_str()) != 0)
    fail(from);
}

void real_files::remove(const std::string& name) {
  forget(name);
  if (::unlinkat(directory_descriptor_, name.c_str(), 0) != 0)
    fail(name);
}

void real_files::sync_directory() {
  if (::fsync(directory_descriptor_) != 0)
    throw disk_error(fmt::format("{}: {}", directory_, std::strerror(errno)));
}

} // namespace troupe::disk
