#pragma once
#include "protocol/kv/reading.hpp"
#include "protocol/raft/snapshot_reader.hpp"

namespace troupe::actors {

/// The core has it read a snapshot piece by piece, and the router takes the state.
class state_reader : public raft::snapshot_reader {
 public:
  std::optional<std::string> read(const std::string& data, bool is_all) override {
    const auto error = reader_.read(data, is_all);
    return error ? std::optional(error->text) : std::nullopt;
  }
  /// Once. Precondition: all was read, and nothing was wrong.
  kv::state_machine take() { return reader_.take(); }

 private:
  kv::state_machine::reader reader_;
};

} // namespace troupe::actors
