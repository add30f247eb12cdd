#pragma once
// What replicas say to each other: one struct for each meaning. Sections are those of the extended Raft
// paper; D is the dissertation.

#include "protocol/fields.hpp"
#include "protocol/raft/entry.hpp"
#include "protocol/types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace troupe {

/// "Would you vote for me in this term?" Changes nothing at whoever answers (D 9.6).
struct pre_vote_request {
  static constexpr std::string_view type_name = "pre_vote_request";
  term_number term; ///< the term that would be campaigned in
  log_index last_index;
  term_number last_term;
  static constexpr auto fields() {
    return std::tuple{field{"term", &pre_vote_request::term},
                      field{"last_index", &pre_vote_request::last_index},
                      field{"last_term", &pre_vote_request::last_term}};
  }
};

struct pre_vote_reply {
  static constexpr std::string_view type_name = "pre_vote_reply";
  term_number term;     ///< the answering replica's term
  term_number campaign; ///< the term that was asked for
  bool granted = false;
  /// The leader that the answering replica has heard from just now.
  replica_id hears = nobody;
  static constexpr auto fields() {
    return std::tuple{field{"term", &pre_vote_reply::term}, field{"campaign", &pre_vote_reply::campaign},
                      field{"granted", &pre_vote_reply::granted}, field{"hears", &pre_vote_reply::hears}};
  }
};

/// RequestVote (section 5.2).
struct vote_request {
  static constexpr std::string_view type_name = "vote_request";
  term_number term;
  log_index last_index;
  term_number last_term;
  /// The old leader asked for this election, so its followers need not stay loyal to it (D 3.10).
  bool transfer = false;
  static constexpr auto fields() {
    return std::tuple{field{"term", &vote_request::term}, field{"last_index", &vote_request::last_index},
                      field{"last_term", &vote_request::last_term},
                      field{"transfer", &vote_request::transfer}};
  }
};

struct vote_reply {
  static constexpr std::string_view type_name = "vote_reply";
  term_number term;
  bool granted = false;
  /// How far the voter knows the log to be committed. Whoever wins holds all of it (section 5.4.3) and need
  /// not answer clients for it again.
  log_index commit;
  static constexpr auto fields() {
    return std::tuple{field{"term", &vote_reply::term}, field{"granted", &vote_reply::granted},
                      field{"commit", &vote_reply::commit}};
  }
};

/// AppendEntries (section 5.3); without entries a heartbeat.
struct append_request {
  static constexpr std::string_view type_name = "append_request";
  term_number term;
  sequence_number sequence; ///< what the answer refers to
  log_index previous_index;
  term_number previous_term;
  log_index commit; ///< the leader's commit index, not bounded by what this message carries
  std::vector<raft::entry_ptr> entries; ///< consecutive, from previous_index + 1 on
  static constexpr auto fields() {
    return std::tuple{field{"term", &append_request::term},
                      field{"sequence", &append_request::sequence},
                      field{"previous_index", &append_request::previous_index},
                      field{"previous_term", &append_request::previous_term},
                      field{"commit", &append_request::commit},
                      field{"entries", &append_request::entries}};
  }
};

/// The log matched, and all of the message's entries are stored.
struct append_accepted {
  static constexpr std::string_view type_name = "append_accepted";
  term_number term;
  sequence_number sequence;
  log_index match; ///< the last index that the message proved to be the same as the leader's
  static constexpr auto fields() {
    return std::tuple{field{"term", &append_accepted::term}, field{"sequence", &append_accepted::sequence},
                      field{"match", &append_accepted::match}};
  }
};

/// The log does not hold the message's previous entry, or the message's term is over.
struct append_rejected {
  static constexpr std::string_view type_name = "append_rejected";
  term_number term;
  sequence_number sequence; ///< 0: what is answered was of an earlier term
  /// The term of the conflicting entry, and the first index of that term in the follower's log; where the log
  /// is too short, 0 and the index behind its end (section 5.3, last paragraphs).
  term_number conflict_term;
  log_index conflict_index;
  static constexpr auto fields() {
    return std::tuple{field{"term", &append_rejected::term}, field{"sequence", &append_rejected::sequence},
                      field{"conflict_term", &append_rejected::conflict_term},
                      field{"conflict_index", &append_rejected::conflict_index}};
  }
};

/// How far the log is committed, when no append is about to say so. Not answered.
struct commit_notice {
  static constexpr std::string_view type_name = "commit_notice";
  term_number term;
  log_index commit; ///< holds for what the follower knows to be the same as in this term's leader's log
  static constexpr auto fields() {
    return std::tuple{field{"term", &commit_notice::term}, field{"commit", &commit_notice::commit}};
  }
};

/// "Start an election now": the leader hands over (D 3.10).
struct timeout_now {
  static constexpr std::string_view type_name = "timeout_now";
  term_number term;
  static constexpr auto fields() { return std::tuple{field{"term", &timeout_now::term}}; }
};

/// A piece of a snapshot (section 7), for a follower that lags behind the start of the leader's log.
struct snapshot_piece {
  static constexpr std::string_view type_name = "snapshot_piece";
  term_number term;
  sequence_number sequence;
  log_index last_index; ///< the last entry that the snapshot replaces
  term_number last_term;
  std::vector<replica_id> voters; ///< the configuration as of last_index
  std::vector<replica_id> learners;
  std::uint64_t offset = 0; ///< where in the snapshot the data belongs, in bytes
  std::string data;         ///< valid UTF-8
  bool done = false;        ///< no more pieces follow
  static constexpr auto fields() {
    return std::tuple{field{"term", &snapshot_piece::term},
                      field{"sequence", &snapshot_piece::sequence},
                      field{"last_index", &snapshot_piece::last_index},
                      field{"last_term", &snapshot_piece::last_term},
                      field{"voters", &snapshot_piece::voters},
                      field{"learners", &snapshot_piece::learners},
                      field{"offset", &snapshot_piece::offset},
                      field{"data", &snapshot_piece::data},
                      field{"done", &snapshot_piece::done}};
  }
};

/// Says which byte of the snapshot is wanted next; when all are there, `match` is the snapshot's last index.
struct snapshot_reply {
  static constexpr std::string_view type_name = "snapshot_reply";
  term_number term;
  sequence_number sequence;
  std::uint64_t next_offset = 0;
  log_index match; ///< 0 while pieces are missing
  static constexpr auto fields() {
    return std::tuple{field{"term", &snapshot_reply::term}, field{"sequence", &snapshot_reply::sequence},
                      field{"next_offset", &snapshot_reply::next_offset},
                      field{"match", &snapshot_reply::match}};
  }
};

/// Anything that one replica says to another.
using peer_message =
    std::variant<pre_vote_request, pre_vote_reply, vote_request, vote_reply, append_request, append_accepted,
                 append_rejected, commit_notice, timeout_now, snapshot_piece, snapshot_reply>;

/// What a client asks for. Reads and writes part ways in the router.
struct client_request {
  static constexpr std::string_view type_name = "client_request";
  kv::request_id id;
  kv::operation operation;
  bool operator==(const client_request&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"id", &client_request::id}, field{"operation", &client_request::operation}};
  }
};

/// The request was served.
struct client_ok {
  static constexpr std::string_view type_name = "client_ok";
  kv::request_id id;
  std::optional<std::string> value; ///< of a get; and of a cas that found something else
  bool applied = true;              ///< as in kv::result
  bool operator==(const client_ok&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"id", &client_ok::id}, field{"value", &client_ok::value},
                      field{"applied", &client_ok::applied}};
  }
};

/// Somebody else has to be asked; the request has had and will have no effect.
struct client_redirect {
  static constexpr std::string_view type_name = "client_redirect";
  kv::request_id id;
  replica_id leader; ///< never `nobody`
  bool operator==(const client_redirect&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"id", &client_redirect::id}, field{"leader", &client_redirect::leader}};
  }
};

/// The request was refused and has had no effect.
struct client_fail {
  static constexpr std::string_view type_name = "client_fail";
  kv::request_id id;
  std::string reason;
  bool operator==(const client_fail&) const = default;
  static constexpr auto fields() {
    return std::tuple{field{"id", &client_fail::id}, field{"reason", &client_fail::reason}};
  }
};

using client_reply = std::variant<client_ok, client_redirect, client_fail>;

} // namespace troupe
