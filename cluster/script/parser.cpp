#include "cluster/script/parser.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

namespace troupe::script {

namespace {

constexpr std::size_t most_replicas = 21;
constexpr std::size_t largest_file_bytes = 1 << 20;
constexpr std::uint64_t most_proposals = 10'000;

struct keyword {
  std::string_view name;
  action (*read)(reader&);
};

action read_process_change(process_change what, reader& r) { return change_process{what, r.replicas()}; }

action read_elect(reader& r) {
  const auto who = r.replica();
  const bool chosen = r.accept("with");
  auto voters = chosen ? r.replicas() : r.everybody();
  std::erase(voters, who);
  if (chosen && voters.empty())
    r.complain("nobody but the candidate is to vote");
  return elect{who, std::move(voters)};
}

action read_cut(reader& r) {
  cut c;
  c.from = r.replicas();
  c.both_ways = r.accept("from");
  if (!c.both_ways)
    r.require("to");
  c.to = r.replicas();
  return c;
}

action read_transfer(reader& r) {
  transfer t;
  r.require("from");
  t.from = r.replica();
  r.require("to");
  t.to = r.replica();
  return t;
}

action read_advance(reader& r) {
  advance a;
  a.replicas = r.replicas();
  r.require("by");
  a.time = r.time("how far");
  return a;
}

action read_deliver(reader& r) {
  deliver d;
  d.messages = r.selection();
  d.backwards = r.accept("backwards");
  return d;
}

action read_keep(reader& r) {
  keep k;
  k.messages = r.selection();
  r.require("as");
  k.name = r.text("a name");
  return k;
}

action read_propose(reader& r) {
  propose p;
  if (r.sees_number())
    p.count = r.number("how many", 1, most_proposals);
  r.require("at");
  p.at = r.replica();
  return p;
}

constexpr std::array keywords{
    keyword{"advance", read_advance},
    keyword{"campaign", [](reader& r) -> action { return campaign{r.replica()}; }},
    keyword{"client", read_client},
    keyword{"count",
            [](reader& r) -> action {
              r.require("anew");
              return count_anew{};
            }},
    keyword{"crash", [](reader& r) { return read_process_change(process_change::crash, r); }},
    keyword{"cut", read_cut},
    keyword{"deliver", read_deliver},
    keyword{"drop", [](reader& r) -> action { return drop{r.selection()}; }},
    keyword{"elect", read_elect},
    keyword{"expect", read_expectation},
    keyword{"heal", [](reader&) -> action { return heal{}; }},
    keyword{"keep", read_keep},
    keyword{"pause", [](reader& r) { return read_process_change(process_change::pause, r); }},
    keyword{"propose", read_propose},
    keyword{"repeat", [](reader& r) -> action { return repeat{r.selection()}; }},
    keyword{"replay", [](reader& r) -> action { return replay{r.text("a name")}; }},
    keyword{"restart", [](reader& r) { return read_process_change(process_change::restart, r); }},
    keyword{"resume", [](reader& r) { return read_process_change(process_change::resume, r); }},
    keyword{"run", [](reader& r) -> action { return run{r.time("how long")}; }},
    keyword{"timeout", [](reader& r) -> action { return time_out{r.replicas()}; }},
    keyword{"transfer", read_transfer},
    keyword{"wait", [](reader& r) -> action { return wait{r.time("how long")}; }},
    keyword{"wipe", [](reader& r) { return read_process_change(process_change::wipe, r); }},
};

std::string trimmed(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == line.npos)
    return "";
  return std::string(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
}

/// Takes the script line by line, and knows what has been said so far.
class parser {
 public:
  explicit parser(const std::string& origin) { story_.origin = origin; }

  void take(std::string_view line) {
    ++line_;
    note_title(line);
    check_text(line);
    reader r(line, here(), story_.setup.replicas);
    if (r.done())
      return;
    const auto keyword = r.word("a statement");
    if (keyword == "start")
      start(r);
    else if (story_.setup.replicas == 0)
      r.complain(fmt::format("{} before \"start N replicas\"", in_quotes(keyword)));
    else if (!take_setup(keyword, r))
      take_statement(keyword, r, trimmed(line));
    r.finish();
  }

  story finish() {
    if (story_.setup.replicas == 0)
      complain(here(), "no script: nothing says \"start N replicas\"");
    check_setup(story_.setup, story_.origin, start_line_);
    check_names();
    return std::move(story_);
  }

 private:
  place here() const { return {story_.origin, std::max<std::size_t>(line_, 1)}; }

  void note_title(std::string_view line) {
    const auto text = trimmed(line);
    if (story_.title.empty() && text.starts_with('#'))
      story_.title = trimmed(std::string_view(text).substr(1));
  }

  void check_text(std::string_view line) const {
    const auto bad = std::find_if(line.begin(), line.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return (byte < 0x20 && c != '\t' && c != '\r') || byte == 0x7F;
    });
    if (bad != line.end())
      complain(here(), fmt::format("no text: byte 0x{:02x} in column {}", static_cast<unsigned char>(*bad),
                                   bad - line.begin() + 1));
    if (!is_utf8(line))
      complain(here(), "no text: the line is not UTF-8");
  }

  void start(reader& r) {
    if (story_.setup.replicas != 0)
      r.complain(fmt::format("line {} has started the replicas already", start_line_));
    start_line_ = line_;
    story_.setup.replicas = r.number("how many replicas", 1, most_replicas);
    story_.setup.logs.resize(story_.setup.replicas);
    if (!r.accept("replica"))
      r.require("replicas");
  }

  bool take_setup(const std::string& keyword, reader& r) {
    auto changed = story_.setup;
    if (!read_setup_line(keyword, r, changed))
      return false;
    if (!story_.statements.empty())
      r.complain(fmt::format("{} comes too late: the replicas run since line {}", in_quotes(keyword),
                             story_.statements.front().line));
    story_.setup = std::move(changed);
    return true;
  }

  void take_statement(const std::string& keyword, reader& r, std::string text) {
    const auto found =
        std::find_if(keywords.begin(), keywords.end(), [&](const auto& k) { return k.name == keyword; });
    if (found == keywords.end()) {
      std::string known;
      for (const auto& k : keywords)
        known += fmt::format("{}, ", k.name);
      r.complain(
          fmt::format("unknown statement {}; known are: {}and before the first of them log, seed, set, "
                      "term, vote",
                      in_quotes(keyword), known));
    }
    story_.statements.push_back({line_, std::move(text), found->read(r)});
  }

  /// What is replayed must have been kept, and who is asked about must have asked.
  void check_names() const {
    std::set<std::string> kept;
    std::set<std::string> clients;
    const auto check = [this](const std::set<std::string>& names, const std::string& name, std::size_t line,
                              std::string_view what) {
      if (!names.contains(name))
        complain({story_.origin, line}, fmt::format("{} {} yet", what, in_quotes(name)));
    };
    for (const auto& s : story_.statements) {
      if (const auto* k = std::get_if<keep>(&s.action))
        kept.insert(k->name);
      if (const auto* a = std::get_if<ask>(&s.action))
        clients.insert(a->client);
      if (const auto* p = std::get_if<replay>(&s.action))
        check(kept, p->name, s.line, "nothing was kept as");
      if (const auto* a = std::get_if<ask_again>(&s.action))
        check(clients, a->client, s.line, "nothing was asked by client");
      if (const auto* e = std::get_if<expect_answer>(&s.action))
        check(clients, e->client, s.line, "nothing was asked by client");
      if (const auto* e = std::get_if<expect_answers>(&s.action))
        check(clients, e->client, s.line, "nothing was asked by client");
    }
  }

  story story_;
  std::size_t line_ = 0;
  std::size_t start_line_ = 0;
};

std::string read_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw script_error(fmt::format("{}: is a directory, no script", path));
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw script_error(fmt::format("{}: {}", path, std::strerror(errno)));
  std::string text(largest_file_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > largest_file_bytes)
    throw script_error(fmt::format("{}: longer than {} bytes, so no script", path, largest_file_bytes));
  return text;
}

} // namespace

std::string names_of(const std::vector<replica_id>& ids) {
  std::string text;
  for (auto id : ids)
    text += fmt::format("{}{}", text.empty() ? "" : " ", number_of(id));
  return text;
}

// ---- what statements have in common
// ---------------------------------------------------------------------------

std::vector<replica_id> reader::everybody() const {
  std::vector<replica_id> all;
  for (std::size_t i = 0; i < replicas_; ++i)
    all.push_back({static_cast<std::uint16_t>(i)});
  return all;
}

replica_id reader::replica() {
  const auto n = number("a replica's number", 0, UINT64_MAX);
  if (n < 1 || n > replicas_)
    complain(fmt::format("there is no replica {}: they are numbered from 1 to {}", n, replicas_));
  return {static_cast<std::uint16_t>(n - 1)};
}

std::vector<replica_id> reader::replicas() {
  if (accept("all"))
    return everybody();
  std::set<replica_id> found;
  do {
    const auto first = replica();
    const auto last = accept("..") ? replica() : first;
    if (last < first)
      complain(fmt::format("{} to {} is nobody", number_of(first), number_of(last)));
    for (auto i = first.value; i <= last.value; ++i)
      found.insert({i});
    accept("and");
  } while (sees_number());
  return {found.begin(), found.end()};
}

selection reader::plain_selection() {
  script::selection s;
  if (accept("oldest"))
    s.which = picked::oldest;
  else if (accept("newest"))
    s.which = picked::newest;
  if (!accept("all"))
    do {
      s.types.push_back(one_of(message_types(), "type of message"));
      accept("and");
    } while (!done() && !sees("from") && !sees("to") && !sees("with") && !sees("but") && !sees("as") &&
             !sees("on") && !sees("sent") && !sees("backwards"));
  if (accept("from"))
    s.from = replicas();
  if (accept("to"))
    s.to = replicas();
  if (accept("with"))
    do {
      const auto name = word("a field");
      if (!is_field(name))
        complain(fmt::format("no message has a field {}", in_quotes(name)));
      s.conditions.push_back({name, accept("yes")  ? 1
                                    : accept("no") ? 0
                                                   : number("a field's value", 0, UINT64_MAX)});
      accept("and");
    } while (!done() && !sees("but") && !sees("as") && !sees("on") && !sees("sent") && !sees("backwards"));
  return s;
}

selection reader::selection() {
  auto s = plain_selection();
  while (accept("but"))
    s.but.push_back(plain_selection());
  return s;
}

// ---- the whole of it
// ------------------------------------------------------------------------------------------

story parse(std::string_view text, const std::string& origin) {
  parser p(origin);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    p.take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return p.finish();
}

story load(const std::string& path) { return parse(read_file(path), path); }

} // namespace troupe::script
