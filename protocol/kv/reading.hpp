#pragma once
// Reads a state that was written down, while its text arrives.

#include "protocol/kv/state_machine.hpp"

namespace troupe::kv {

/// Reads up to the first thing that is wrong; from there on it reads nothing.
class state_machine::reader {
 public:
  /// Goes on where it ended the last time, and takes time for what is new.
  /// @param text    what there is so far, from the beginning on
  /// @param is_all  nothing follows
  /// Returns what is wrong with it; nothing if that is all right, so far or as a whole.
  std::optional<snapshot_error> read(std::string_view text, bool is_all);
  /// Precondition: all of it was read, and nothing was wrong.
  state_machine take();

 private:
  enum class part { values_head, values, clients_head, clients, requests, footer, end };

  void read_part();
  void begin(part next, std::size_t left);
  void read_value();
  void read_client();
  void read_request();

  void expect(std::string_view word);
  std::size_t number(std::string_view end);
  std::size_t line() { return number("\n"); }
  std::size_t bounded(std::size_t most, const char* problem);
  std::string_view text();

  void fail(const char* problem);
  void fail_at_end(const char* problem);
  bool failed() const { return problem_ != nullptr; }
  bool stopped() const { return failed() || cut_; }

  state_machine state_;
  std::string_view text_;
  std::size_t at_ = 0;
  bool is_all_ = false;
  bool cut_ = false; ///< the text ends here, for now
  const char* problem_ = nullptr;

  part part_ = part::values_head;
  std::size_t left_ = 0; ///< values or clients, this one included
  remembered_requests* requests_ = nullptr;
  std::size_t requests_left_ = 0;
};

} // namespace troupe::kv
