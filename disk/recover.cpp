#include "disk/recover.hpp"

#include "protocol/wire/directory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

namespace troupe::disk {

namespace {

constexpr std::string_view what_to_do =
    "restore this replica's directory from a copy, or remove it to start with an empty log - only while all "
    "other replicas of the cluster run and have caught up, since what this one has acknowledged may be on no "
    "other that runs";

/// A segment gets its name when it is durable with these: the base, the term with the vote, and how far the
/// log is committed.
constexpr std::size_t first_records = 3;

[[noreturn]] void refuse(const file_system& files, const std::string& name, std::size_t offset,
                         std::string_view what) {
  throw log_damaged(fmt::format("{}: at byte {}: {}: {}", files.path_of(name), offset, what, what_to_do));
}

/// The log as its records tell it, one after the other.
class replay {
 public:
  /// What is wrong with it; empty if nothing is.
  std::string take(const record& r) {
    return std::visit([this](const auto& one) { return on(one); }, r);
  }

  const raft::hard_state& hard_state() const { return hard_; }
  position base() const { return base_; }
  log_index commit() const { return commit_; }
  std::vector<raft::entry_ptr> take_entries() { return std::move(entries_); }

  /// What is missing between the snapshot and the entries; empty if they follow on it.
  std::string find_gap() {
    forget_up_to(base_.index);
    const auto next = entries_.empty() ? end_.index + 1 : entries_.front()->index;
    if (next <= base_.index + 1)
      return {};
    return fmt::format("entries {} to {}", base_.index.value + 1, next.value - 1);
  }

  std::string find_fault() const {
    if (end_.term > hard_.term)
      return fmt::format("the log ends in term {}, beyond the replica's own, {}", end_.term.value,
                         hard_.term.value);
    if (commit_ > end_.index)
      return fmt::format("the log ends with entry {}, and was committed up to entry {}", end_.index.value,
                         commit_.value);
    return {};
  }

 private:
  std::string on(const batch_record&) { return {}; }
  std::string on(const raft::hard_state& h) {
    if (h.term < hard_.term)
      return fmt::format("the term goes back from {} to {}", hard_.term.value, h.term.value);
    hard_ = h;
    return {};
  }
  std::string on(const entry_record& r) {
    const auto& e = *r.entry;
    if (e.index != end_.index + 1)
      return fmt::format("entry {} does not follow on entry {}", e.index.value, end_.index.value);
    if (e.term < end_.term)
      return fmt::format("entry {} is of term {}, the one before of term {}", e.index.value, e.term.value,
                         end_.term.value);
    entries_.push_back(r.entry);
    end_ = {e.index, e.term};
    return {};
  }
  std::string on(const truncate_record& r) {
    if (r.behind < commit_)
      return fmt::format("the log is cut off behind entry {}, and was committed up to entry {}",
                         r.behind.value, commit_.value);
    if (r.behind >= end_.index)
      return {};
    while (!entries_.empty() && entries_.back()->index > r.behind)
      entries_.pop_back();
    if (!entries_.empty())
      end_ = {entries_.back()->index, entries_.back()->term};
    else if (r.behind == base_.index)
      end_ = base_;
    else // in a segment that was removed
      end_ = {r.behind, unknown};
    return {};
  }
  std::string on(const snapshot_record& r) {
    if (r.last.index <= base_.index)
      return fmt::format("a snapshot up to entry {} after one up to entry {}", r.last.index.value,
                         base_.index.value);
    if (r.keeps_rest && r.last.index > end_.index)
      return fmt::format("a snapshot up to entry {} of a log that ends with entry {}", r.last.index.value,
                         end_.index.value);
    base_ = r.last;
    if (!r.keeps_rest) {
      entries_.clear();
      end_ = base_;
    } else {
      forget_up_to(base_.index);
    }
    return {};
  }
  std::string on(const base_record& r) {
    if (!is_first_ && r.last != base_)
      return fmt::format("a segment begins with the snapshot up to entry {}, not {}", r.last.index.value,
                         base_.index.value);
    const bool same_end = r.end.index == end_.index && (r.end.term == end_.term || end_.term == unknown);
    if (!is_first_ && !same_end)
      return fmt::format(
          "the log ended with entry {} of term {} when this segment began, and what is before it ends "
          "with entry {} of term {}",
          r.end.index.value, r.end.term.value, end_.index.value, end_.term.value);
    base_ = r.last;
    end_ = r.end;
    is_first_ = false;
    return {};
  }

  std::string on(const commit_record& r) {
    if (r.index < commit_)
      return fmt::format("what is committed goes back from entry {} to entry {}", commit_.value,
                         r.index.value);
    commit_ = r.index;
    return {};
  }

  void forget_up_to(log_index index) {
    const auto kept = std::find_if(entries_.begin(), entries_.end(),
                                   [&](const raft::entry_ptr& e) { return e->index > index; });
    entries_.erase(entries_.begin(), kept);
  }

  static constexpr term_number unknown{};

  bool is_first_ = true;
  raft::hard_state hard_;
  position base_;
  position end_; ///< of the log; entries up to there may be in segments that were removed
  log_index commit_;
  std::vector<raft::entry_ptr> entries_;
};

/// Whether a batch begins behind a place: then all before it was durable.
bool begins_batch_behind(std::string_view segment, std::uint64_t number, std::size_t offset) {
  constexpr char frame_and_kind[] = {batch_record_bytes - 8, 0, 0, 0};
  const std::string_view length(frame_and_kind, sizeof frame_and_kind);
  for (auto at = segment.find(length, offset); at != segment.npos; at = segment.find(length, at + 1)) {
    const auto found = read_record(segment, at);
    const auto* b = found.record ? std::get_if<batch_record>(&*found.record) : nullptr;
    if (b && b->segment == number && b->offset == at)
      return true;
  }
  return false;
}

class reader {
 public:
  reader(file_system& files, replica_id self, recovered& result)
      : files_(files), self_(self), result_(result) {}

  void read_all(const std::vector<std::uint64_t>& numbers) {
    replay log;
    for (const auto number : numbers)
      read_segment(number, number == numbers.back(), log);
    if (const auto gap = log.find_gap(); !gap.empty() && numbers.front() > 1)
      refuse_missing(files_, segment_name(numbers.front() - 1), fmt::format("and {} with it", gap));
    else if (!gap.empty())
      refuse(files_, segment_name(numbers.back()), result_.segments.back().bytes, gap + " are missing");
    if (const auto fault = log.find_fault(); !fault.empty())
      refuse(files_, segment_name(numbers.back()), result_.segments.back().bytes, fault);
    result_.state.hard_state = log.hard_state();
    result_.state.entries = log.take_entries();
    result_.state.commit = log.commit();
    result_.base = log.base();
  }

 private:
  void read_segment(std::uint64_t number, bool is_last, replay& log) {
    const auto name = segment_name(number);
    const auto text = files_.read(name);
    const auto header = read_header(text, number, self_);
    if (!header.fault.empty())
      refuse(files_, name, 0, header.fault);
    if (is_last && header.is_followed)
      refuse_missing(files_, segment_name(number + 1), "while the segment before says that it was there");
    if (is_last && text.size() < header.reserved_bytes)
      refuse(files_, name, text.size(),
             fmt::format("the file ends here, and was {} bytes long", header.reserved_bytes));
    segment_facts facts{.number = number, .bytes = segment_header_bytes};
    while (facts.bytes < text.size()) {
      const auto found = read_record(text, facts.bytes);
      if (found.record) {
        count(*found.record, facts, name);
        if (const auto fault = log.take(*found.record); !fault.empty())
          refuse(files_, name, facts.bytes, fault);
        facts.bytes += found.bytes;
      } else if (found.is_blank) {
        break;
      } else if (is_last && facts.records >= first_records &&
                 !begins_batch_behind(text, number, facts.bytes)) {
        // Only the mark behind all that is whole makes it longer, or one batch that is larger than a segment;
        // and that one comes first.
        if (text.size() > std::max<std::size_t>(header.reserved_bytes, facts.bytes + batch_record_bytes) &&
            facts.batches > 2)
          refuse(files_, name, facts.bytes,
                 fmt::format("damaged, in a file of {} bytes that was made {} bytes long", text.size(),
                             header.reserved_bytes));
        result_.torn_at = facts.bytes;
        result_.torn_bytes = text.find_last_not_of('\0') + 1 - facts.bytes;
        break;
      } else {
        refuse(files_, name, facts.bytes, "damaged, in the middle of what was durable");
      }
    }
    if (facts.records < first_records)
      refuse(files_, name, facts.bytes, "ends before its first batch does");
    result_.segments.push_back(facts);
  }

  void count(const record& r, segment_facts& facts, const std::string& name) {
    const auto* batch = std::get_if<batch_record>(&r);
    if (batch && (batch->segment != facts.number || batch->offset != facts.bytes))
      refuse(files_, name, facts.bytes, "a batch that was written in another place");
    if (batch) {
      facts.last_mark = facts.bytes;
      return;
    }
    facts.batches += facts.bytes == facts.last_mark + batch_record_bytes ? 1 : 0;
    ++facts.records;
    if (const auto* e = std::get_if<entry_record>(&r)) {
      ++facts.entries;
      facts.last_entry = std::max(facts.last_entry, e->entry->index);
    }
  }

  file_system& files_;
  replica_id self_;
  recovered& result_;
};

void require_consecutive(const file_system& files, const std::vector<std::uint64_t>& numbers) {
  for (std::size_t i = 1; i < numbers.size(); ++i)
    if (numbers[i] != numbers[i - 1] + 1)
      refuse_missing(files, segment_name(numbers[i - 1] + 1),
                     "while the segments before and behind it are there");
}

/// Of a file of ours: nothing else is to be removed.
bool is_draft(std::string_view name) {
  if (!name.ends_with(unfinished))
    return false;
  name.remove_suffix(unfinished.size());
  return name == identity_name || segment_number(name) || snapshot_position(name);
}

} // namespace

void refuse_missing(const file_system& files, const std::string& name, std::string_view where) {
  throw log_damaged(fmt::format("{}: is missing, {}: {}", files.path_of(name), where, what_to_do));
}

// ---- whose it is

namespace {

constexpr std::string_view checksum_word = " crc32c ";

/// Of what stands before it; nothing if that is not so.
std::optional<std::string> take_checksum_off(const std::string& text) {
  const auto at = text.rfind(checksum_word);
  if (at == text.npos)
    return std::nullopt;
  const auto words = text.substr(0, at);
  return text == fmt::format("{}{}{:08x}\n", words, checksum_word, checksum(words)) ? std::optional(words)
                                                                                    : std::nullopt;
}

} // namespace

std::string names_of(const std::vector<replica_id>& cluster) {
  std::vector<std::string> names;
  for (auto id : cluster)
    names.push_back(to_string(id));
  return fmt::format("{}", fmt::join(names, " "));
}

std::string identity_text(const owner& o) {
  const auto words = fmt::format("troupe-log {} replica {} cluster {}", format_version, to_string(o.self),
                                 names_of(o.cluster));
  return fmt::format("{}{}{:08x}\n", words, checksum_word, checksum(words));
}

owner read_identity(file_system& files) {
  const auto text = files.read(identity_name);
  const auto checked = take_checksum_off(text);
  std::istringstream words(checked.value_or(text));
  std::string magic, replica, self, cluster;
  std::uint32_t version = 0;
  words >> magic >> version >> replica >> self >> cluster;
  const auto path = files.path_of(identity_name);
  // The first format had no checksum there.
  const bool may_be_first = version == 1 && text.find(checksum_word) == text.npos;
  if (magic == "troupe-log" && version != format_version && (checked || may_be_first))
    throw disk_error(fmt::format("{}: the log is of format {}; this program reads format {}", path, version,
                                 format_version));
  owner o;
  const auto id = wire::parse_replica_id(self);
  bool good = checked && id && replica == "replica" && cluster == "cluster";
  o.self = id.value_or(nobody);
  for (std::string word; good && words >> word;) {
    const auto member = wire::parse_replica_id(word);
    good = member.has_value();
    o.cluster.push_back(member.value_or(nobody));
  }
  if (!good || identity_text(o) != text)
    throw log_damaged(fmt::format("{}: is damaged: {}", path, what_to_do));
  return o;
}

// ---- what it holds

recovered recover(file_system& files, replica_id self) {
  recovered result;
  std::vector<std::uint64_t> numbers;
  std::vector<std::pair<std::string, position>> snapshots;
  for (const auto& name : files.list()) {
    if (const auto number = segment_number(name))
      numbers.push_back(*number);
    else if (const auto last = snapshot_position(name))
      snapshots.emplace_back(name, *last);
    else if (is_draft(name))
      result.leftovers.push_back(name);
  }
  std::sort(numbers.begin(), numbers.end());
  require_consecutive(files, numbers);
  if (numbers.empty() && !snapshots.empty())
    refuse_missing(files, segment_name(1), "as are all others, beside a snapshot");
  if (!numbers.empty())
    reader(files, self, result).read_all(numbers);
  for (const auto& [name, last] : snapshots)
    if (last != result.base)
      result.leftovers.push_back(name);
  if (result.base == position{})
    return result;
  const auto name = snapshot_name(result.base);
  const auto there =
      std::any_of(snapshots.begin(), snapshots.end(), [&](const auto& s) { return s.second == result.base; });
  if (!there)
    refuse_missing(files, name, "and the log begins behind it");
  result.state.snapshot = read_snapshot(files.read(name));
  if (!result.state.snapshot || result.state.snapshot->last_index != result.base.index ||
      result.state.snapshot->last_term != result.base.term)
    throw log_damaged(fmt::format("{}: is damaged: {}", files.path_of(name), what_to_do));
  return result;
}

} // namespace troupe::disk
