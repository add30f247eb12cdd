#pragma once
// Writes a state down while it changes. For the state machine's own files.

#include "protocol/kv/state_machine.hpp"

#include <vector>

namespace troupe::kv {

/// Knows the state as it was at its beginning: what is not written yet, and changes, is kept as it was.
class state_machine::saving {
 public:
  /// @param expected_bytes  how long the text is going to be, more or less
  saving(const state_machine& s, std::size_t expected_bytes);
  saving(const saving&) = delete;
  saving& operator=(const saving&) = delete;

  /// Writes about so many bytes more. Whether all is written.
  bool go_on(const state_machine& s, std::size_t bytes);
  /// Precondition: go_on has returned true.
  std::string take() { return std::move(out_); }

  /// To be called before the value of a key changes.
  void changing(const state_machine& s, const std::string& key);
  /// Before a session remembers one request more.
  void remembering(const session& s);
  /// To forget the client that was idle for longest.
  void forgetting(session_list& all);

 private:
  /// A session that has gone on since the beginning.
  struct changed_session {
    std::size_t count;                                    ///< of its requests at the beginning
    std::vector<remembered_requests::answered> forgotten; ///< the first of those
  };

  void write_values(const value_map& now, std::size_t stop);
  void write_requests(std::size_t stop);
  void line(std::size_t number);
  void text(std::string_view bytes);

  std::string out_;

  bool all_values_ = false; ///< are written; else those of the keys up to this one
  std::optional<std::string> written_up_to_;
  std::map<std::string, std::optional<std::string>> before_; ///< behind that; nothing: there was no such key

  std::vector<const session*> sessions_; ///< all, in their order
  std::size_t at_session_ = 0;           ///< is written next
  std::size_t at_request_ = 0;           ///< of its requests
  std::unordered_map<const session*, changed_session> changed_;
  session_list forgotten_; ///< kept, since they may not be written yet
};

} // namespace troupe::kv
