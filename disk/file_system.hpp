#pragma once
// What the log needs of a disk. The real one is POSIX (real_files.hpp); on virtual time it is a model of one
// that forgets, tears and lies (cluster/virtual_disk.hpp).

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::disk {

/// Something that cannot be read or written; `what()` is one line that names the file and says why, and what
/// can be done about it.
struct disk_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One directory. What is written, created, renamed or removed may be lost in a crash, in any combination,
/// until it is synced. Everything throws disk_error; after that nobody knows what is on the disk.
class file_system {
 public:
  virtual ~file_system() = default;

  /// The names of all files, sorted.
  virtual std::vector<std::string> list() = 0;
  virtual std::string read(const std::string& name) = 0;

  /// A file of so many zeros, in place of one of this name; where the disk can, room is reserved for them.
  virtual void create(const std::string& name, std::size_t reserved_bytes) = 0;
  /// Into a file that exists.
  virtual void write(const std::string& name, std::size_t offset, std::string_view bytes) = 0;
  virtual void truncate(const std::string& name, std::size_t bytes) = 0;
  /// The file's content is durable when this returns; its name is when the directory has been synced, too.
  virtual void sync(const std::string& name) = 0;
  /// In place of whatever has the new name; never both or neither.
  virtual void rename(const std::string& from, const std::string& to) = 0;
  virtual void remove(const std::string& name) = 0;
  virtual void sync_directory() = 0;

  /// How people call it.
  virtual std::string path_of(const std::string& name) const = 0;
};

} // namespace troupe::disk
