#include "cluster/history/history.hpp"

namespace troupe::history {

std::string_view to_string(operation_kind kind) {
  switch (kind) {
  case operation_kind::get:
    return "get";
  case operation_kind::put:
    return "put";
  case operation_kind::append:
    return "append";
  case operation_kind::cas:
    return "cas";
  case operation_kind::erase:
    return "delete";
  }
  return "";
}

std::string_view to_string(ending how) {
  switch (how) {
  case ending::ok:
    return "ok";
  case ending::refused:
    return "refused";
  case ending::unknown:
    return "unknown";
  }
  return "";
}

} // namespace troupe::history
