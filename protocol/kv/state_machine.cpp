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

std::uint32_t hash_of(std::string_view key) {
  return static_cast<std::uint32_t>(std::hash<std::string_view>{}(key));
}

} // namespace

state_machine::state_machine() = default;
state_machine::state_machine(state_machine&&) noexcept = default;
state_machine& state_machine::operator=(state_machine&&) noexcept = default;
state_machine::~state_machine() = default;

const std::string& state_machine::get(std::string_view key) const {
  const auto* held = find(key);
  return held ? held->second : no_value;
}

state_machine::value_map::value_type* state_machine::find(std::string_view key) const {
  return value_index_.find(hash_of(key), [&](const auto* held) { return held->first == key; });
}

void state_machine::index(value_map::iterator value) { value_index_.add(hash_of(value->first), &*value); }

/// One overload for each write.
struct state_machine::executor {
  state_machine& state;

  result operator()(const put& p) const { return store(p.key, p.value, state.find(p.key)); }
  result operator()(const append& a) const {
    auto* held = state.find(a.key);
    if (!held)
      return store(a.key, a.value, held);
    if (held->second.size() + a.value.size() > max_value_bytes)
      return refuse(held);
    state.changing(a.key);
    held->second += a.value;
    return {};
  }
  result operator()(const cas& c) const {
    auto* held = state.find(c.key);
    return (held ? held->second : no_value) == c.expected ? store(c.key, c.value, held) : refuse(held);
  }
  result operator()(const erase& e) const {
    auto* held = state.find(e.key);
    if (!held)
      return {};
    state.changing(e.key);
    state.value_index_.remove(hash_of(e.key), held);
    state.values_.erase(e.key);
    return {};
  }

  /// @param held  where the key and its value are; null: it has none
  result store(const std::string& key, const std::string& value, value_map::value_type* held) const {
    if (value.size() > max_value_bytes)
      return refuse(held);
    state.changing(key);
    if (held)
      held->second = value;
    else
      state.index(state.values_.emplace(key, value).first);
    return {};
  }
  result refuse(const value_map::value_type* held) const { return {false, held ? held->second : no_value}; }
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
  if (now.value.size() > max_remembered_value_bytes)
    s.requests.add(c.id.mid, {now.applied, "", true});
  else
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

bool state_machine::may_have_forgotten(const request_id& id) const {
  const auto at = session_index_.find(id.client);
  return sessions_.size() == max_clients || (at != session_index_.end() && at->second->requests.is_full());
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

void state_machine::free_some() {
  constexpr int at_once = 8;
  saving_.reset();
  value_index_ = {};
  for (int i = 0; i < at_once && !values_.empty(); ++i)
    values_.erase(values_.begin());
  if (!values_.empty() || sessions_.empty())
    return;
  session_index_.erase(sessions_.front().client);
  sessions_.pop_front();
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
      hash.add(std::uint64_t{request.result().cut ? 2U : request.result().applied ? 1U : 0U});
      hash.add(request.result().value);
    }
  }
  return hash.value();
}

} // namespace troupe::kv
