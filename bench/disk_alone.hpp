#pragma once
// What a disk can do by itself, beside which replicas are measured.

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>

namespace troupe::bench {

/// One write and its fdatasync into a file that was reserved, so many seconds behind the one before: the
/// median, in seconds.
double sync_seconds(const std::string& where, std::size_t bytes, double pause = 0);
/// The same while another process does so, too; their mean.
double two_sync_seconds(const std::string& where, std::size_t bytes, double pause = 0);
/// One process tells another and stores its record, the other stores its own and answers, until the first has
/// both: what a leader and its follower cannot do without. What the disk adds to that.
double pair_seconds(const std::string& where, std::size_t bytes, double pause);

/// In a process of its own, as a replica that starts again is: memory that was used before is faster. A
/// SIGINT from the terminal ends that one alone, so that directories are removed here.
class in_new_process {
 public:
  explicit in_new_process(const std::function<double()>& what);
  in_new_process(const in_new_process&) = delete;
  in_new_process& operator=(const in_new_process&) = delete;
  ~in_new_process();

  double wait();

 private:
  void (*before_)(int);
  pid_t child_ = -1;
  int result_ = -1;
};

} // namespace troupe::bench
