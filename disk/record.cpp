#include "disk/record.hpp"

#include "protocol/wire/codec.hpp"

#include <fmt/format.h>
#include <isa-l/crc.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <type_traits>

namespace troupe::disk {

std::uint32_t checksum(std::string_view bytes, std::uint32_t before) {
  constexpr std::size_t piece = std::numeric_limits<int>::max();
  auto crc = ~before;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    std::string_view next = bytes.substr(0, piece);
    // It does not write there.
    crc = crc32_iscsi(const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(next.data())),
                      static_cast<int>(next.size()), crc);
  }
  return ~crc;
}

namespace {

static_assert(std::endian::native == std::endian::little, "numbers are stored as little-endian machines do");

// ---- numbers and texts

template <class Number>
void put(std::string& out, Number n) {
  static_assert(std::is_integral_v<Number>);
  char bytes[sizeof n];
  std::memcpy(bytes, &n, sizeof n);
  out.append(bytes, sizeof n);
}

void put(std::string& out, position p) {
  put(out, p.index.value);
  put(out, p.term.value);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

void put_ids(std::string& out, const std::vector<replica_id>& ids) {
  put(out, static_cast<std::uint32_t>(ids.size()));
  for (auto id : ids)
    put(out, id.value);
}

/// Takes them off again. Once something was not there, nothing is.
class taker {
 public:
  explicit taker(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number number() {
    Number n{};
    const auto bytes = take(sizeof n);
    if (bytes.size() == sizeof n)
      std::memcpy(&n, bytes.data(), sizeof n);
    return n;
  }
  std::string_view text() { return take(number<std::uint32_t>()); }
  std::vector<replica_id> ids() {
    std::vector<replica_id> all;
    for (auto left = number<std::uint32_t>(); left > 0 && !failed_; --left)
      all.push_back({number<std::uint16_t>()});
    return all;
  }
  /// Of something larger, which comes last.
  std::string_view take(std::size_t bytes) {
    if (bytes > rest_.size()) {
      failed_ = true;
      return {};
    }
    const auto taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  bool is_at_end() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// ---- what an entry says

void put_payload(std::string& out, const raft::payload& p) {
  put(out, static_cast<std::uint8_t>(p.index()));
  if (const auto* c = std::get_if<kv::command>(&p)) {
    put_text(out, c->id.client);
    put_text(out, c->id.mid);
    put(out, static_cast<std::uint8_t>(c->operation.index()));
    std::visit(
        [&](const auto& o) {
          for_each_field(o, [&](std::string_view, const std::string& text) { put_text(out, text); });
        },
        c->operation);
  } else if (const auto* members = std::get_if<raft::configuration>(&p)) {
    put_ids(out, members->voters);
    put_ids(out, members->learners);
  }
}

/// Makes it the alternative of that number, default-made. Whether there is one.
template <class... Alternatives>
bool become(std::variant<Alternatives...>& v, std::size_t which) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return ((which == I && (v.template emplace<I>(), true)) || ...);
  }
  (std::index_sequence_for<Alternatives...>());
}

template <class Operation>
void take_texts(taker& in, Operation& o) {
  std::apply([&](const auto&... f) { ((o.*(f.member) = in.text()), ...); }, Operation::fields());
}

/// Whether it is one. A log may have millions: each is made where it stays.
bool take_payload(taker& in, raft::payload& p) {
  if (!become(p, in.number<std::uint8_t>()))
    return false;
  if (auto* c = std::get_if<kv::command>(&p)) {
    c->id.client = in.text();
    c->id.mid = in.text();
    if (!become(c->operation, in.number<std::uint8_t>()))
      return false;
    std::visit([&](auto& o) { take_texts(in, o); }, c->operation);
  } else if (auto* members = std::get_if<raft::configuration>(&p)) {
    members->voters = in.ids();
    members->learners = in.ids();
  }
  return true;
}

// ---- records

enum class kind : std::uint8_t { batch = 1, hard_state, entry, truncate, snapshot, base, commit };

/// Length and checksum.
constexpr std::size_t frame_bytes = 8;
/// More than any message can bring.
constexpr std::size_t longest_record_bytes = std::size_t{64} << 20U;

struct body_writer {
  std::string& out;
  void begin(kind k) const { put(out, static_cast<std::uint8_t>(k)); }
  void operator()(const batch_record& r) const {
    begin(kind::batch);
    put(out, r.segment);
    put(out, r.offset);
  }
  void operator()(const raft::hard_state& r) const {
    begin(kind::hard_state);
    put(out, r.term.value);
    put(out, r.voted_for.value);
  }
  void operator()(const entry_record& r) const {
    begin(kind::entry);
    put(out, r.entry->term.value);
    put(out, r.entry->index.value);
    put_payload(out, r.entry->payload);
  }
  void operator()(const truncate_record& r) const {
    begin(kind::truncate);
    put(out, r.behind.value);
  }
  void operator()(const snapshot_record& r) const {
    begin(kind::snapshot);
    put(out, r.last);
    put(out, static_cast<std::uint8_t>(r.keeps_rest));
  }
  void operator()(const base_record& r) const {
    begin(kind::base);
    put(out, r.last);
    put(out, r.end);
  }
  void operator()(const commit_record& r) const {
    begin(kind::commit);
    put(out, r.index.value);
  }
};

position take_position(taker& in) {
  const log_index index{in.number<std::uint64_t>()};
  return {index, {in.number<std::uint64_t>()}};
}

std::optional<record> take_entry(taker& in) {
  const auto e = std::make_shared<raft::entry>();
  e->term = {in.number<std::uint64_t>()};
  e->index = {in.number<std::uint64_t>()};
  if (!take_payload(in, e->payload))
    return std::nullopt;
  e->wire_bytes = wire::wire_bytes(e->payload);
  return entry_record{e};
}

std::optional<record> take_body(taker& in) {
  switch (static_cast<kind>(in.number<std::uint8_t>())) {
  case kind::batch: {
    const auto segment = in.number<std::uint64_t>();
    return batch_record{segment, in.number<std::uint64_t>()};
  }
  case kind::hard_state: {
    const term_number term{in.number<std::uint64_t>()};
    return raft::hard_state{term, {in.number<std::uint16_t>()}};
  }
  case kind::entry:
    return take_entry(in);
  case kind::truncate:
    return truncate_record{{in.number<std::uint64_t>()}};
  case kind::snapshot: {
    const auto last = take_position(in);
    return snapshot_record{last, in.number<std::uint8_t>() != 0};
  }
  case kind::base: {
    const auto last = take_position(in);
    return base_record{last, take_position(in)};
  }
  case kind::commit:
    return commit_record{{in.number<std::uint64_t>()}};
  }
  return std::nullopt;
}

} // namespace

void write_record(const record& r, std::string& out) {
  const auto begin = out.size();
  out.append(frame_bytes, '\0');
  std::visit(body_writer{out}, r);
  const auto length = static_cast<std::uint32_t>(out.size() - begin - frame_bytes);
  std::memcpy(out.data() + begin, &length, sizeof length);
  const std::string_view all(out);
  const auto crc = checksum(all.substr(begin + frame_bytes), checksum(all.substr(begin, sizeof length)));
  std::memcpy(out.data() + begin + sizeof length, &crc, sizeof crc);
}

found_record read_record(std::string_view segment, std::size_t offset) {
  const auto rest = segment.substr(std::min(offset, segment.size()));
  taker frame(rest.substr(0, frame_bytes));
  const auto length = frame.number<std::uint32_t>();
  const auto crc = frame.number<std::uint32_t>();
  if (!frame.is_at_end() || length == 0)
    return {{}, rest.find_first_not_of('\0') == rest.npos, 0};
  if (length > longest_record_bytes || length > rest.size() - frame_bytes)
    return {};
  const auto body = rest.substr(frame_bytes, length);
  if (checksum(body, checksum(rest.substr(0, sizeof length))) != crc)
    return {};
  taker in(body);
  auto r = take_body(in);
  return r && in.is_at_end() ? found_record{std::move(r), false, frame_bytes + length} : found_record{};
}

// ---- segments

namespace {

constexpr std::string_view segment_magic = "TROUPELG";
constexpr std::string_view snapshot_magic = "TROUPESN";
constexpr std::string_view segment_prefix = "log-";
constexpr std::string_view snapshot_prefix = "snapshot-";
constexpr std::size_t number_digits = 16;

std::optional<std::uint64_t> parse_hex(std::string_view digits) {
  std::uint64_t n = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, n, 16);
  const bool good = error == std::errc() && stop == end && digits.size() == number_digits;
  return good ? std::optional(n) : std::nullopt;
}

} // namespace

std::string segment_header(std::uint64_t number, replica_id owner, std::uint64_t reserved_bytes) {
  std::string out(segment_magic);
  put(out, format_version);
  put(out, std::uint32_t{owner.value});
  put(out, number);
  put(out, reserved_bytes);
  put(out, checksum(out));
  out.resize(segment_header_bytes);
  return out;
}

header_facts read_header(std::string_view segment, std::uint64_t number, replica_id owner) {
  const auto header = segment.substr(0, segment_header_bytes);
  taker in(header);
  if (in.take(segment_magic.size()) != segment_magic)
    return {.fault = "is no segment of a log"};
  const auto version = in.number<std::uint32_t>();
  const replica_id named{static_cast<std::uint16_t>(in.number<std::uint32_t>())};
  if (owner == nobody)
    owner = named;
  in.number<std::uint64_t>();
  header_facts facts;
  facts.reserved_bytes = in.number<std::uint64_t>();
  const auto right = segment_header(number, owner, facts.reserved_bytes);
  auto mark = header.substr(std::min(followed_mark_offset, header.size()), followed_mark.size());
  facts.is_followed = mark == followed_mark;
  mark = mark.substr(0, mark.find_last_not_of('\0') + 1);
  auto unmarked = std::string(header);
  std::fill_n(unmarked.begin() + static_cast<std::ptrdiff_t>(std::min(followed_mark_offset, header.size())),
              mark.size(), '\0');
  if (unmarked == right && followed_mark.starts_with(mark))
    return facts;
  const auto before_checksum = followed_mark_offset - 2 * sizeof(std::uint32_t);
  taker rest(header.substr(std::min(before_checksum, header.size())));
  if (version != format_version &&
      rest.number<std::uint32_t>() == checksum(header.substr(0, before_checksum)))
    facts.fault = fmt::format("is of format {}; this program reads format {}", version, format_version);
  else
    facts.fault = "has a header that is damaged, or another segment's";
  return facts;
}

std::string segment_name(std::uint64_t number) { return fmt::format("{}{:016x}", segment_prefix, number); }

std::optional<std::uint64_t> segment_number(std::string_view name) {
  const auto n =
      name.starts_with(segment_prefix) ? parse_hex(name.substr(segment_prefix.size())) : std::nullopt;
  return n && segment_name(*n) == name ? n : std::nullopt; // not with capitals, say
}

// ---- snapshots

position last_of(const raft::snapshot& s) { return {s.last_index, s.last_term}; }

std::string snapshot_name(position last) {
  return fmt::format("{}{:016x}-{:016x}", snapshot_prefix, last.index.value, last.term.value);
}

std::optional<position> snapshot_position(std::string_view name) {
  if (!name.starts_with(snapshot_prefix))
    return std::nullopt;
  name.remove_prefix(snapshot_prefix.size());
  if (name.size() != 2 * number_digits + 1)
    return std::nullopt;
  const auto index = parse_hex(name.substr(0, number_digits));
  const auto term = parse_hex(name.substr(number_digits + 1));
  return index && term && name[number_digits] == '-' ? std::optional(position{{*index}, {*term}})
                                                     : std::nullopt;
}

std::string snapshot_head(const raft::snapshot& s) {
  std::string body;
  put(body, s.last_index.value);
  put(body, s.last_term.value);
  put_ids(body, s.configuration.voters);
  put_ids(body, s.configuration.learners);
  put(body, std::uint64_t{s.data.size()});
  std::string out(snapshot_magic);
  put(out, format_version);
  put(out, checksum(s.data, checksum(body)));
  return out + body;
}

raft::snapshot_ptr read_snapshot(std::string_view bytes) {
  taker in(bytes);
  const bool is_one = in.take(snapshot_magic.size()) == snapshot_magic;
  const auto version = in.number<std::uint32_t>();
  const auto crc = in.number<std::uint32_t>();
  constexpr auto before_body = snapshot_magic.size() + 2 * sizeof(std::uint32_t);
  if (!is_one || version != format_version || bytes.size() < before_body ||
      checksum(bytes.substr(before_body)) != crc)
    return nullptr;
  auto s = std::make_shared<raft::snapshot>();
  s->last_index = {in.number<std::uint64_t>()};
  s->last_term = {in.number<std::uint64_t>()};
  s->configuration.voters = in.ids();
  s->configuration.learners = in.ids();
  s->data = in.take(in.number<std::uint64_t>());
  return in.is_at_end() ? s : nullptr;
}

} // namespace troupe::disk
