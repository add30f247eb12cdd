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
  const auto found = values_.find(key);
  return found == values_.end() ? no_value : found->second;
}

/// One overload for each write.
struct state_machine::executor {
  state_machine& state;

  result operator()(const put& p) const { return store(p.key, p.value); }
  result operator()(const append& a) const {
    if (state.get(a.key).size() + a.value.size() > max_value_bytes) {
      return refuse(a.key);
    }
    state.changing(a.key);
    state.values_[a.key] += a.value;
    return {};
  }
  result operator()(const cas& c) const {
    return state.get(c.key) == c.expected ? store(c.key, c.value) : refuse(c.key);
  }
  result operator()(const erase& e) const {
    state.changing(e.key);
    state.values_.erase(e.key);
    return {};
  }

  result store(const std::string& key, const std::string& value) const {
    if (value.size() > max_value_bytes) {
      return refuse(key);
    }
    state.changing(key);
    state.values_.insert_or_assign(key, value);
    return {};
  }
  result refuse(const std::string& key) const { return {false, state.get(key)}; }
};

result state_machine::apply(const command& c) {
  if (const result* before = remembered(c.id)) {
    return *before;
  }
  result now = std::visit(executor{*this}, c.operation);
  auto& s = session_of(c.id.client);
  if (saving_)
    saving_->remembering(s);
  s.remember(c.id.mid, now);
  return now;
}

void state_machine::changing(const std::string& key) {
  if (saving_)
    saving_->changing(*this, key);
}

const result* state_machine::remembered(const request_id& id) const {
  const auto at = session_index_.find(id.client);
  if (at == session_index_.end()) {
    return nullptr;
  }
  const auto found = at->second->index.find(id.mid);
  return found == at->second->index.end() ? nullptr : found->second;
}

/// The client's session, made now if there is none, and the last in line to be forgotten.
state_machine::session& state_machine::session_of(std::string_view client) {
  if (const auto found = session_index_.find(client); found != session_index_.end()) {
    sessions_.splice(sessions_.end(), sessions_, found->second);
    return sessions_.back();
  }
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

void state_machine::session::remember(std::string_view mid, const result& r) {
  if (requests.size() == max_remembered_per_client) {
    index.erase(requests.front().mid);
    requests.pop_front();
  }
  const answered& kept = requests.emplace_back(answered{std::string(mid), r});
  index.emplace(kept.mid, &kept.result);
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
    for (const auto& request : s.requests) {
      hash.add(request.mid);
      hash.add(std::uint64_t{request.result.applied});
      hash.add(request.result.value);
    }
  }
  return hash.value();
}

} // namespace troupe::kv
