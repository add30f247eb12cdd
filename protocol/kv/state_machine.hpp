#pragma once
// The replicated state: keys and values, and what each client was told.

#include "protocol/kv/command.hpp"
#include "protocol/kv/remembered_requests.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace troupe::kv {

/// Why a snapshot was refused, in one printable line.
struct snapshot_error {
  std::string text;
};

/// Applies committed writes, each exactly once. Deterministic: the same commands in the same order give the
/// same state and the same answers on every replica, and the sessions are part of that state (D 6.3).
///
/// A write that was applied before is recognised by its request id, changes nothing and is answered as it was
/// then, but for a long value that it found. What is remembered is bounded: the last
/// `max_remembered_per_client` requests of each client, in the order they were applied in, and of the clients
/// the last `max_clients` whose requests were applied. A request that is repeated after it was forgotten is
/// applied again, so a client must not repeat requests that old.
class state_machine {
 public:
  /// A write that would make a value longer than this is not applied.
  static constexpr std::size_t max_value_bytes = std::size_t{1} << 20;
  static constexpr std::size_t max_remembered_per_client = remembered_requests::most;
  static constexpr std::size_t max_clients = 10'000;
  /// Of a write that was refused: what its key held is remembered up to this length. Or a few clients that
  /// compete for one large value would have every replica keep it a thousand times.
  static constexpr std::size_t max_remembered_value_bytes = 1'024;

  state_machine();
  state_machine(state_machine&&) noexcept;
  state_machine& operator=(state_machine&&) noexcept;
  ~state_machine();

  /// The value of a key, `""` if it has none. Valid until the next write.
  const std::string& get(std::string_view key) const;

  /// What it did: now, or when it was applied before.
  result apply(const command& c);
  /// The same, but nothing if it was applied before, and is remembered.
  std::optional<result> apply_if_new(const command& c);

  /// What a request was answered, or nullptr if it was not applied or is forgotten. Valid until the next
  /// write.
  const result* remembered(const request_id& id) const;
  /// Whether a request that is not remembered may have been applied all the same: so much came since, from
  /// its client or from others, that something was forgotten.
  bool may_have_forgotten(const request_id& id) const;

  /// How many keys are stored; one that was set to `""` is.
  std::size_t size() const { return values_.size(); }

  /// How many clients are remembered.
  std::size_t sessions() const { return sessions_.size(); }

  /// The whole state as text: equal states give equal texts. Valid UTF-8 if all keys, values and ids are.
  /// The format is described in snapshot.cpp.
  std::string serialise() const;

  /// The same a piece at a time, since a large state takes long: begins to write down the state as it is now,
  /// which may change meanwhile. Precondition: !is_saving().
  /// @param expected_bytes  how long the text is going to be, more or less
  void begin_saving(std::size_t expected_bytes = 0);
  bool is_saving() const { return saving_ != nullptr; }
  /// Writes down about so many bytes more. The whole text, when nothing is left to be written; then it does
  /// not save any more. Precondition: is_saving().
  std::optional<std::string> save_some(std::size_t bytes);

  /// The state that a text was made of, or why it is none: whatever is not exactly what `serialise` makes,
  /// beyond the bounds above, or no UTF-8.
  static std::variant<state_machine, snapshot_error> restore(std::string_view text);
  /// The same while the text arrives: protocol/kv/reading.hpp.
  class reader;

  /// Of a state that nobody needs any more: frees a little of it. All at once would take milliseconds.
  void free_some();

  /// Equal for equal states, sessions included, and on every platform. Takes time proportional to the state.
  std::uint64_t digest() const;

 private:
  struct session {
    std::string client;
    remembered_requests requests;
  };

  struct executor;
  class saving;

  using session_list = std::list<session>;
  using value_map = std::map<std::string, std::string, std::less<>>;

  session& make_session(std::string_view client);
  value_map::value_type* find(std::string_view key) const;
  void index(value_map::iterator value);
  /// Call it before the value of a key changes.
  void changing(const std::string& key);

  value_map values_; ///< in order, for those who write them down
  place_index<std::uint32_t, value_map::value_type*> value_index_;
  session_list sessions_; ///< the longest idle first
  std::unordered_map<std::string_view, session_list::iterator> session_index_;
  std::unique_ptr<saving> saving_; ///< null unless one is under way
};

} // namespace troupe::kv
