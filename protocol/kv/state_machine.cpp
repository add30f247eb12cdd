#include "protocol/kv/saving.hpp"

#include <iterator>

namespace troupe::kv {
namespace {

/// FNV-1a, 64 bits.
class hasher {
 public:
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      add_byte(static_cast<unsigned char>(number >> shift));
    }
  }

  /// The length goes first: "ab", "c" must not be taken for "a", "bc".
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    for (const char c : text) {
      add_byte(static_cast<unsigned char>(c));
    }
  }

  std::uint64_t value() const { return value_; }

 private:
  void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001B3U; }

  std::uint64_t value_ = 0xCBF29CE484222325U;
};

const std::string no_value;

} // namespace

state_machine::state_machine() = default;
state_machine::state_machine(state_machine&&) noexcept = default;
state_machine& state_machine::operator=(state_machine&&) noexcept = default;
state_machine::~state_machine() = default;

const std::string& state_machine::get(std::string_view key) const {
  const auto found = value_index_.find(key);
  return found == value_index_.end() ? no_value : found->second->second;
}

std::string* state_machine::find(std::string_view key) {
  const auto found = value_index_.find(key);
  return found == value_index_.end() ? nullptr : &found->second->second;
}

/// Precondition: the key has no value.
void state_machine::insert(std::string_view key, std::string_view value) {
  const auto made = values_.emplace(key, value).first;
  value_index_.emplace(made->first, made);
}

/// One overload for each write.
struct state_machine::executor {
  state_machine& state;

  result operator()(const put& p) const { return store(p.key, p.value, state.find(p.key)); }
  result operator()(const append& a) const {
    auto* held = state.find(a.key);
    if (!held)
      return store(a.key, a.value, held);
    if (held->size() + a.value.size() > max_value_bytes)
      return {false, *held};
    state.changing(a.key);
    *held += a.value;
    return {};
  }
  result operator()(const cas& c) const {
    auto* held = state.find(c.key);
    const auto& value = held ? *held : no_value;
    return value == c.expected ? store(c.key, c.value, held) : result{false, value};
  }
  result operator()(const erase& e) const {
    state.changing(e.key);
    if (const auto found = state.value_index_.find(e.key); found != state.value_index_.end()) {
      const auto at = found->second;
      state.value_index_.erase(found);
      state.values_.erase(at);
    }
    return {};
  }

  /// @param held  what the key holds; null: nothing
  result store(const std::string& key, const std::string& value, std::string* held) const {
    if (value.size() > max_value_bytes)
      return {false, held ? *held : no_value};
    state.changing(key);
    if (held)
      *held = value;
    else
      state.insert(key, value);
    return {};
  }
};

result state_machine::apply(const command& c) {
  auto now = apply_if_new(c);
  return now ? std::move(*now) : *remembered(c.id);
}

std::optional<result> state_machine::apply_if_new(const command& c) {
  const auto known = session_index_.find(c.id.client);
  if (known != session_index_.end() && known->second->requests.find(c.id.mid))
    return std::nullopt;
  result now = std::visit(executor{*this}, c.operation);
  if (known != session_index_.end()) // the last in line to be forgotten
    sessions_.splice(sessions_.end(), sessions_, known->second);
  auto& s = known != session_index_.end() ? *known->second : make_session(c.id.client);
  if (saving_)
    saving_->remembering(s);
  s.requests.add(c.id.mid, now);
  return now;
}

void state_machine::changing(const std::string& key) {
  if (saving_)
    saving_->changing(*this, key);
}

const result* state_machine::remembered(const request_id& id) const {
  const auto at = session_index_.find(id.client);
  return at == session_index_.end() ? nullptr : at->second->requests.find(id.mid);
}

/// Precondition: the client has none.
state_machine::session& state_machine::make_session(std::string_view client) {
  if (sessions_.size() == max_clients) {
    session_index_.erase(sessions_.front().client);
    if (saving_)
      saving_->forgetting(sessions_);
    else
      sessions_.pop_front();
  }
  session& made = sessions_.emplace_back();
  made.client = client;
  session_index_.emplace(made.client, std::prev(sessions_.end()));
  return made;
}

std::uint64_t state_machine::digest() const {
  hasher hash;
  hash.add(std::uint64_t{values_.size()});
  for (const auto& [key, value] : values_) {
    hash.add(key);
    hash.add(value);
  }
  hash.add(std::uint64_t{sessions_.size()});
  for (const auto& s : sessions_) {
    hash.add(s.client);
    hash.add(std::uint64_t{s.requests.size()});
    for (std::size_t i = 0; i < s.requests.size(); ++i) {
      const auto& request = s.requests[i];
      hash.add(request.mid);
      hash.add(std::uint64_t{request.result.applied});
      hash.add(request.result.value);
    }
  }
  return hash.value();
}

} // namespace troupe::kv
