#include "protocol/wire/codec.hpp"

#include "protocol/wire/parser.hpp"
#include "protocol/wire/read.hpp"

#include <utility>

namespace troupe::wire {

std::string_view to_string(decode_problem problem) {
  switch (problem) {
  case decode_problem::malformed:
    return "malformed";
  case decode_problem::not_utf8:
    return "not_utf8";
  case decode_problem::too_deep:
    return "too_deep";
  case decode_problem::too_long:
    return "too_long";
  case decode_problem::not_an_object:
    return "not_an_object";
  case decode_problem::missing_field:
    return "missing_field";
  case decode_problem::wrong_type:
    return "wrong_type";
  case decode_problem::out_of_range:
    return "out_of_range";
  case decode_problem::inconsistent:
    return "inconsistent";
  case decode_problem::unknown_type:
    return "unknown_type";
  case decode_problem::foreign_sender:
    return "foreign_sender";
  case decode_problem::not_for_us:
    return "not_for_us";
  }
  return "unknown";
}

codec::codec(directory replicas, limits transport)
    : replicas_(std::move(replicas)), limits_(transport), parser_(std::make_unique<parser>()) {}
codec::~codec() = default;
codec::codec(codec&&) noexcept = default;
codec& codec::operator=(codec&&) noexcept = default;

decoded codec::decode(std::string_view bytes) {
  const auto parsed = parser_->parse(bytes);
  if (const auto* error = std::get_if<decode_error>(&parsed)) {
    return *error;
  }
  return read_message(*std::get<const json*>(parsed), replicas_, limits_);
}

} // namespace troupe::wire
