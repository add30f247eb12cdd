#include "protocol/wire/value_reader.hpp"

#include "protocol/wire/check.hpp"
#include "protocol/wire/keys.hpp"

#include <fmt/format.h>

namespace troupe::wire {

std::string quoted(std::string_view text) {
  constexpr std::size_t enough = 40;
  std::string line = "\"";
  for (const char c : text.substr(0, enough)) {
    line += c >= ' ' && c <= '~' ? c : '?';
  }
  return line + (text.size() > enough ? "...\"" : "\"");
}

void value_reader::fail(decode_problem kind, std::string text) {
  if (!problem_) {
    problem_ = decode_error{kind, std::move(text)};
  }
}

bool value_reader::expect(bool holds, std::string_view name, std::string_view what) {
  if (!holds) {
    fail(decode_problem::wrong_type, fmt::format("{} is no {}", quoted(name), what));
  }
  return !failed();
}

const json* value_reader::find(const json& object, std::string_view name) {
  if (failed()) {
    return nullptr;
  }
  const auto found = object.FindMember(
      json(rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
  if (found == object.MemberEnd()) {
    fail(decode_problem::missing_field, fmt::format("{} is missing", quoted(name)));
    return nullptr;
  }
  return &found->value;
}

void value_reader::read(const json& value, std::string_view name, std::uint64_t& out) {
  if (!expect(value.IsNumber(), name, "number")) {
    return;
  }
  if (!value.IsUint64()) {
    fail(decode_problem::out_of_range, fmt::format("{} is no whole number from 0 to 2^64 - 1", quoted(name)));
    return;
  }
  out = value.GetUint64();
}

void value_reader::read(const json& value, std::string_view name, bool& out) {
  if (expect(value.IsBool(), name, "truth value")) {
    out = value.GetBool();
  }
}

void value_reader::read(const json& value, std::string_view name, std::string& out) {
  if (expect(value.IsString(), name, "string")) {
    out = text_of(value);
  }
}

void value_reader::read(const json& value, std::string_view name, replica_id& out) {
  if (!expect(value.IsString(), name, "string")) {
    return;
  }
  const auto id = parse_replica_id(text_of(value));
  if (!id) {
    fail(decode_problem::out_of_range,
         fmt::format("{} holds {}, which is no replica's id", quoted(name), quoted(text_of(value))));
    return;
  }
  out = *id;
}

void value_reader::read(const json& value, std::string_view name, std::vector<replica_id>& out) {
  if (!expect(value.IsArray(), name, "array")) {
    return;
  }
  out.resize(value.Size());
  for (rapidjson::SizeType i = 0; i < value.Size() && !failed(); ++i) {
    read(value[i], name, out[i]);
  }
}

void value_reader::read(const json& value, std::string_view name, std::vector<raft::entry_ptr>&) {
  if (expect(value.IsArray(), name, "array")) {
    entries_ = &value;
  }
}

void value_reader::entries(append_request& message) {
  if (failed() || entries_ == nullptr) {
    return;
  }
  term_number least = std::max(message.previous_term, term_number{1});
  log_index index = message.previous_index;
  message.entries.reserve(entries_->Size());
  for (const json& value : entries_->GetArray()) {
    auto made = entry(value, ++index);
    if (failed()) {
      return;
    }
    if (made->term < least || made->term > message.term) {
      fail(decode_problem::inconsistent,
           fmt::format("entry {} of term {} does not follow one of term {} in term {}", index.value,
                       made->term.value, message.previous_term.value, message.term.value));
      return;
    }
    least = made->term;
    message.entries.push_back(std::move(made));
  }
}

/// [term, what it is, its fields...]
raft::entry_ptr value_reader::entry(const json& value, log_index index) {
  auto made = std::make_shared<raft::entry>();
  if (!expect(value.IsArray(), "entries", "array of arrays") ||
      !expect(value.Size() >= 2, "entries", "list of terms and names")) {
    return made;
  }
  std::string_view name;
  read(value[0], "term of an entry", made->term);
  if (expect(value[1].IsString(), "name of an entry", "string")) {
    name = text_of(value[1]);
    made->payload = payload(value, name);
  }
  made->index = index;
  made->wire_bytes = wire_bytes(made->payload);
  return made;
}

raft::payload value_reader::payload(const json& items, std::string_view name) {
  if (name == entry_names::no_op) {
    expect(items.Size() == 2, name, "entry of this length");
    return raft::no_op{};
  }
  if (name != entry_names::configuration) {
    return command(items, name);
  }
  raft::configuration c;
  if (expect(items.Size() == 4, name, "entry of this length")) {
    read(items[2], "voters", c.voters);
    read(items[3], "learners", c.learners);
  }
  if (!failed() && !contradiction(c).empty()) {
    fail(decode_problem::inconsistent, std::string(contradiction(c)));
  }
  return c;
}

kv::command value_reader::command(const json& items, std::string_view name) {
  kv::command c;
  const bool known = with_alternative<kv::write>(name, [&](auto write) {
    rapidjson::SizeType next = 2;
    values(items, next, c.id);
    values(items, next, write);
    expect(next == items.Size(), name, "entry of this length");
    c.operation = std::move(write);
  });
  if (!known) {
    fail(decode_problem::unknown_type, fmt::format("no entry is called {}", quoted(name)));
  }
  return c;
}

} // namespace troupe::wire
