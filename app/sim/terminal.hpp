#pragma once
// What goes to stderr while runs go on: lines, and below them, on a terminal, one line of progress.

#include "protocol/types.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace troupe::sim {

/// True if colours may be used on this descriptor: a terminal, and nobody asked for none (NO_COLOR).
bool wants_colour(int descriptor);

/// Where one run stands.
struct run_progress {
  std::string scenario;
  duration elapsed{0};
  duration total{0};
  replica_id leader;
};

/// May be used from several threads.
class terminal {
 public:
  /// `runs` is how many there will be.
  explicit terminal(std::size_t runs);
  /// Wipes the line of progress away.
  ~terminal();
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;

  bool is_interactive() const { return interactive_; }
  /// Prints a line. `dim` is for what is not the simulator's own.
  void line(const std::string& text, bool dim = false);
  /// Updates one run's progress; shown only on a terminal.
  void progress(std::size_t run, const run_progress& state);
  void finished(std::size_t run);
  /// One of many short runs is done, which show no progress of their own.
  void count(bool passed);

 private:
  std::string status() const;
  std::string bar(const run_progress& state) const;
  std::string counts() const;
  void draw();
  void wipe();

  std::mutex mutex_;
  bool interactive_;
  bool colour_;
  bool drawn_ = false;
  std::size_t runs_;
  std::size_t done_ = 0;
  std::map<std::size_t, run_progress> active_;
  std::size_t failed_ = 0;
  bool counting_ = false;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point counted_; ///< when the counts were last drawn
};

} // namespace troupe::sim
