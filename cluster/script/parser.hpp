#pragma once
// How statements are read. Each function takes what follows the statement's first word.

#include "cluster/script/story.hpp"

namespace troupe::script {

/// Reads what several statements have in common.
class reader : public words {
 public:
  reader(std::string_view line, place where, std::size_t replicas)
      : words(line, std::move(where)), replicas_(replicas) {}

  /// One replica's number.
  replica_id replica();
  /// Numbers of replicas, `2..4` for 2 3 4, or `all`. At least one, sorted, each once.
  std::vector<replica_id> replicas();
  std::vector<replica_id> everybody() const;
  /// `all` or types of messages, and what narrows them down.
  script::selection selection();

 private:
  script::selection plain_selection();

  std::size_t replicas_;
};

/// A line between `start` and the first statement. False if it is none.
bool read_setup_line(const std::string& keyword, reader& r, setup& into);
/// Throws script_error if no replicas can start like that.
void check_setup(const setup& s, const std::string& origin, std::size_t start_line);

action read_expectation(reader& r);
action read_client(reader& r);

} // namespace troupe::script
