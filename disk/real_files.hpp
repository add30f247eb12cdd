#pragma once

#include "disk/file_system.hpp"

#include <map>

namespace troupe::disk {

/// A directory of the machine, for one process at a time.
class real_files : public file_system {
 public:
  enum class access {
    own, ///< makes the directory if it is not there, and keeps others from owning it
    look ///< for reading alone, whoever owns it
  };
  real_files(std::string directory, access how);
  ~real_files() override;

  /// Whether somebody else owned it when it was opened.
  bool is_owned_by_another() const { return owned_by_another_; }
  real_files(const real_files&) = delete;
  real_files& operator=(const real_files&) = delete;

  std::vector<std::string> list() override;
  std::string read(const std::string& name) override;
  void create(const std::string& name, std::size_t reserved_bytes) override;
  void write(const std::string& name, std::size_t offset, std::string_view bytes) override;
  void truncate(const std::string& name, std::size_t bytes) override;
  void sync(const std::string& name) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& name) override;
  void sync_directory() override;
  std::string path_of(const std::string& name) const override { return directory_ + '/' + name; }

 private:
  void make_directory();
  void sync_parent();
  void lock();
  void look_for_owner();
  /// A descriptor of a regular file. Does not wait, as opening a pipe would.
  int open_file(const std::string& name, int flags);
  /// The file's descriptor, which stays open for as long as it is written to.
  int open_to_write(const std::string& name);
  int keep_open(const std::string& name, int descriptor);
  /// Throws where nobody finds the open file by its name any more.
  void require_name(const std::string& name, int descriptor) const;
  void forget(const std::string& name);
  [[noreturn]] void fail(const std::string& name) const;

  std::string directory_;
  int directory_descriptor_ = -1;
  int lock_ = -1;
  bool owned_by_another_ = false;
  std::map<std::string, int> open_;
};

} // namespace troupe::disk
