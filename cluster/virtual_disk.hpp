#pragma once
// A disk on virtual time that does to files what real ones do: what was not synced when the power goes may be
// there, in part, or not at all, in any combination; and it can be told to fail.

#include "cluster/course/random_source.hpp"
#include "disk/file_system.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace troupe {

class virtual_disk : public disk::file_system {
 public:
  /// @param random  decides what survives
  explicit virtual_disk(course::random_source random) : random_(random) {}

  std::vector<std::string> list() override;
  std::string read(const std::string& name) override;
  void create(const std::string& name, std::size_t reserved_bytes) override;
  void write(const std::string& name, std::size_t offset, std::string_view bytes) override;
  void truncate(const std::string& name, std::size_t bytes) override;
  void sync(const std::string& name) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& name) override;
  void sync_directory() override;
  std::string path_of(const std::string& name) const override { return name; }

  /// The power goes: of what was not synced, each write survives whole, up to some byte, or not, whatever
  /// becomes of those before it; so do names.
  void lose_power();

  /// The process has to end before its so many-th operation from now on (at least 1) takes place: it and all
  /// later ones do nothing, and the hook is called once.
  void interrupt(std::size_t operations, std::function<void()> hook);
  bool is_interrupted() const { return interrupted_; }

  /// The so many-th operation from now on that changes something fails, half done, with these words.
  void fail_at(std::size_t operations, std::string words);
  /// From now on nothing can be read.
  void fail_reads() { reads_fail_ = true; }
  /// Whether any of that has happened since the power went last.
  bool has_failed() const { return failed_; }
  /// Whatever was planned of all that, and has not happened yet, does not.
  void mend();
  /// From now on sync says that it is done, and does nothing.
  void lie(bool does) { lies_ = does; }
  /// A bit of what is durable turns over.
  void flip(const std::string& name, std::size_t byte, unsigned bit);

  /// How many operations changed something, or should have.
  std::size_t operations() const { return operations_; }

 private:
  struct change {
    std::size_t offset = 0;
    std::string bytes;
    std::optional<std::size_t> cut_to; ///< a truncation instead
  };
  struct file {
    std::string content; ///< as processes see it
    std::string durable;
    std::vector<change> unsynced;
  };
  using file_ptr = std::shared_ptr<file>;
  using names = std::map<std::string, file_ptr>;
  /// Names that change together; null: the name goes.
  using renaming = std::vector<std::pair<std::string, file_ptr>>;

  static void apply(const change& c, std::string& to);
  static void apply(const renaming& r, names& to);
  /// False if nothing may happen any more.
  bool begin_operation(const std::string& name);
  file& find(const std::string& name);
  void change_file(const std::string& name, change c);
  void change_names(renaming r);

  course::random_source random_;
  names names_;
  names durable_names_;
  std::vector<renaming> unsynced_names_;
  std::size_t operations_ = 0;
  std::size_t interrupt_at_ = 0; ///< 0: never
  std::function<void()> hook_;
  bool interrupted_ = false;
  std::size_t fail_at_ = 0;
  std::string failure_;
  bool reads_fail_ = false;
  bool failed_ = false;
  bool lies_ = false;
};

} // namespace troupe
