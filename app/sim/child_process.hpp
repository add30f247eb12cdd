#pragma once
// One replica as a process: a group of its own, its output in pipes.

#include "app/sim/file_descriptor.hpp"
#include "app/sim/watchdog.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace troupe::sim {

class child_process {
 public:
  using line_sink = std::function<void(const std::string&)>;

  /// Starts `arguments`, the first of which is the path of the executable. Throws std::system_error if it
  /// cannot be executed. The watchdog must outlive the child.
  /// @param environment  `NAME=value` for each variable that is not inherited; `NAME` for one that it does
  ///                     not have
  child_process(const std::vector<std::string>& arguments, const watchdog& guard,
                const std::vector<std::string>& environment = {});
  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&&) = delete;
  /// Kills the whole group and waits for the child.
  ~child_process();

  pid_t id() const { return process_; }
  /// SIGTERM to the whole group.
  void terminate() const;
  /// Sends any signal to the whole process group.
  void signal(int number) const;
  /// How it ended; nothing while it runs. It stays a zombie, so that its group's number stays taken.
  std::optional<std::string> ended() const;

  /// The pipes of stdout and stderr, -1 once they are closed.
  std::array<int, 2> pipes() const { return {output_[0].pipe.get(), output_[1].pipe.get()}; }
  /// Reads what is there without waiting, and hands over whole lines (cut to 2000 bytes, controls replaced).
  void read_output(const line_sink& sink);

 private:
  struct output {
    file_descriptor pipe;
    std::string unfinished;
  };
  static void read_stream(output& from, const line_sink& sink);

  pid_t process_ = -1;
  const watchdog& guard_;
  std::array<output, 2> output_;
};

} // namespace troupe::sim
