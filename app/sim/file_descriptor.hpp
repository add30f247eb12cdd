#pragma once

#include <unistd.h>
#include <utility>

namespace troupe::sim {

/// Owns an open file of the kernel's.
class file_descriptor {
 public:
  file_descriptor() = default;
  explicit file_descriptor(int fd) : fd_(fd) {}
  file_descriptor(file_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~file_descriptor() { close(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void close() {
    if (is_open())
      ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

/// A pipe that no executed program inherits. Throws std::system_error.
struct pipe_ends {
  file_descriptor read;
  file_descriptor write;
};
pipe_ends make_pipe();

} // namespace troupe::sim
