#pragma once
// The simulators' JSON <-> messages, seen from a replica. No other part of the program knows a JSON key;
// the bodies of what replicas say to each other follow the field lists in protocol/messages.hpp.
//
//   {"src":"0001","dst":"0000","leader":"0001","type":"append_request","term":7, ... ,
//    "entries":[[7,"put","00A3","F31","key","value"],[7,"no_op"],[7,"configuration",["0000"],["0001"]]]}
//
// Entries are arrays, since their keys would outweigh what they say: the term, what it is, and the fields of
// that in order. An entry's index is not sent: it follows from `previous_index` and the entry's place.

#include "protocol/messages.hpp"
#include "protocol/wire/directory.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace troupe::wire {

/// What the transport can carry.
struct limits {
  /// The longest message that may be sent: 65,507 as a datagram, 16,384 where the simulator's buffer ends.
  std::size_t max_datagram_bytes = 65'507;
};

/// What an append_request takes besides its entries, at most.
inline constexpr std::size_t append_overhead_bytes = 512;
/// What a client's id and a MID may take together, escaped as in JSON. Every answer repeats them.
inline constexpr std::size_t max_request_id_bytes = 512;
/// What an answer to a client takes besides its id, MID and value, at most.
inline constexpr std::size_t reply_overhead_bytes = 128;
/// How deep arrays and objects may be nested.
inline constexpr std::size_t max_depth = 16;

/// Another replica spoke.
struct from_peer {
  replica_id from;
  replica_id leader; ///< who the sender believes leads; `nobody` if it said `FFFF` or a stranger's id
  peer_message message;
};

/// A request that can be answered but not served: the answer is `fail` with this reason, in one line.
struct unservable {
  kv::request_id id;
  std::string reason;
};

/// Understood, and nothing needs to be done: another replica's hello.
struct ignorable {};

/// Why a message was dropped.
enum class decode_problem {
  malformed,     ///< no JSON
  not_utf8,      ///< bytes that are no UTF-8, or half a surrogate pair
  too_deep,      ///< nested deeper than `max_depth`
  too_long,      ///< longer than any transport carries
  not_an_object, ///< JSON, but no object
  missing_field, ///< a field that the type requires is not there
  wrong_type,    ///< a field is there but is, say, no string
  out_of_range,  ///< a number outside 0 .. 2^64 - 1, or a text outside its bounds
  inconsistent, ///< fields that contradict each other or Raft: entries whose terms decrease, a vote in term 0
  unknown_type, ///< no message of this name is for a replica
  foreign_sender, ///< a replica that asks as a client, a client that speaks as a replica, or this replica
                  ///< itself
  not_for_us,     ///< sent to somebody else
};
inline constexpr std::size_t decode_problem_count = 12;

/// `malformed`, `not_utf8`, and so on.
std::string_view to_string(decode_problem problem);

struct decode_error {
  decode_problem kind;
  std::string text; ///< what and where, in one printable line of at most about 200 bytes
};

using decoded = std::variant<from_peer, client_request, unservable, ignorable, decode_error>;

/// Reads and writes messages of one replica. Owns the buffers that it reuses; not for several threads at
/// once.
class codec {
 public:
  codec(directory replicas, limits transport);
  ~codec();
  codec(codec&&) noexcept;
  codec& operator=(codec&&) noexcept;

  const directory& replicas() const { return replicas_; }

  /// Understands one message, or says why not; throws nothing but std::bad_alloc. A newline at the end is
  /// allowed, unknown fields are ignored, and of equal keys the first counts.
  ///
  /// What a message from a replica says can be relied on: its entries are consecutive, with terms that are at
  /// least 1, never decrease and are at least `previous_term`; no term in it is beyond the message's own; an
  /// index is 0 exactly when its term is; configurations are sorted and have a voter; its term and the
  /// index of what it carries are below 2^62, and no offset overflows. An `append_rejected` names an index of
  /// at least 1. Each entry's `wire_bytes` is set.
  ///
  /// A client's request is `unservable` if a key or value is missing, is no string, or is too long to be sent
  /// on to other replicas and to be read again; if not even its sender and MID can be read, or they are
  /// longer than `max_request_id_bytes`, it is a decode_error. What a client says about the leader is not
  /// looked at.
  decoded decode(std::string_view bytes);

  /// These replace `out` by one line of compact JSON without a newline. `leader` is who this replica believes
  /// leads, or `nobody`. Strings must be valid UTF-8, as they are in whatever was decoded.
  ///
  /// A message to `nobody` is a broadcast. Its length is bounded by whoever makes it; see `wire_bytes`.
  void encode(const peer_message& message, replica_id to, replica_id leader, std::string& out) const;

  /// A redirect names its own leader. An answer that the transport cannot carry becomes a `fail`, or loses
  /// the value that a refused cas found.
  void encode(const client_reply& reply, replica_id leader, std::string& out) const;

  void encode_hello(replica_id leader, std::string& out) const;

 private:
  class parser;

  directory replicas_;
  limits limits_;
  std::unique_ptr<parser> parser_;
};

/// What an entry takes in an append_request, its comma included, in bytes: exact but for the term, for which
/// it reserves 20 digits. An append_request is never longer than `append_overhead_bytes` and the sum of
/// these.
std::size_t wire_bytes(const raft::payload& payload);
std::size_t wire_bytes(const kv::command& command);

/// What a text takes as a JSON string, its quotes included, in bytes.
std::size_t json_bytes(std::string_view text);

/// How many bytes of `text` fit into a JSON string of `max_bytes`, quotes included, without cutting a
/// character: how a snapshot, which must be valid UTF-8, is taken apart. 0 if not even the first one fits.
std::size_t fitting_prefix(std::string_view text, std::size_t max_bytes);

/// A snapshot piece is never longer than this, `json_bytes` of its data, and `voter_bytes` for each voter and
/// learner.
inline constexpr std::size_t snapshot_overhead_bytes = 512;
inline constexpr std::size_t voter_bytes = 7;

} // namespace troupe::wire
