#include "cluster/page/page.hpp"

#include "cluster/history/linearizable.hpp"
#include "cluster/history/witness.hpp"
#include "cluster/page/tables.hpp"
#include "cluster/trace/history_of.hpp"
#include "cluster/trace/judge.hpp"
#include "protocol/invariant.hpp"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace troupe::page {

namespace {

/// Of records whose texts are deflated together: enough to be small, few enough to be unpacked at a click.
constexpr std::size_t texts_per_piece = 2'000;

/// What the page says about the run as a whole.
struct verdict {
  std::string state = "kept"; ///< kept, broken, unknown
  std::string words;
  std::vector<std::int64_t> rows; ///< that show it, the last of which is where it shows
  operation_names culprits;
  operation_names stretch;
};

void judge_history(const trace::story& s, std::chrono::nanoseconds limit, verdict& v) {
  const auto told = trace::history_of(s);
  const auto not_all = [&v] {
    if (v.state == "kept")
      v.words += "; answers not judged: the trace does not have all of them";
  };
  if (told.is_cut || trace::find_late_beginning(s) || !trace::missing_members(s.files()).empty())
    return not_all();
  if (!history::find_misfit(told.operations, told.writes_in_log)) {
    if (v.state == "kept")
      v.words += fmt::format(", {} operations linearizable", told.operations.size());
    return;
  }
  history::check_limits limits;
  limits.time = limit;
  const auto result = history::check(told.operations, limits);
  if (result.explanation && told.lacks_entries)
    return not_all();
  if (result.explanation) {
    const auto& e = *result.explanation;
    for (const auto& o : e.stretch)
      v.stretch.emplace(o.client, o.id);
    v.culprits.emplace(e.stretch[e.culprit].client, e.stretch[e.culprit].id);
    if (v.state != "broken")
      v.words = fmt::format("not linearizable: {}", e.why);
    v.state = "broken";
  } else if (v.state == "kept" && result.verdict == history::verdict::unknown) {
    v.state = "unknown";
    v.words += fmt::format("; linearizable? {}", result.undecided);
  }
}

verdict judge(const trace::story& s, std::chrono::nanoseconds limit) {
  verdict v;
  v.words = "no rule of Raft broken";
  const auto found = trace::find_violation(s);
  if (found) {
    v.state = "broken";
    v.words = found->what;
    for (const auto* r : found->events)
      if (r)
        v.rows.push_back(row_of(s, *r));
  }
  judge_history(s, limit, v);
  // A run notes at its end that an answer was wrong: the answer itself is the moment to look at.
  if (!v.culprits.empty() && !v.rows.empty() && found->events.back()->event == "violation")
    v.rows.clear();
  return v;
}

using json = rapidjson::Writer<rapidjson::StringBuffer>;

void put(json& w, const char* name, const std::string& text) {
  w.Key(name);
  w.String(text);
}

void put(json& w, const char* name, const trace::recording& f) {
  w.StartObject();
  put(w, name, f.path);
  put(w, "mode", f.mode);
  put(w, "program", f.program);
  put(w, "scenario", f.scenario);
  put(w, "replica", f.replica);
  put(w, "command", f.command);
  // JavaScript's numbers are too short for some seeds.
  put(w, "seed", fmt::format("{}", f.seed));
  put(w, "damage", f.damage);
  w.Key("complete");
  w.Bool(f.complete);
  w.EndObject();
}

std::string head_of(const tables& t, const trace::story& s, const verdict& v, std::size_t pieces) {
  rapidjson::StringBuffer buffer;
  json w(buffer);
  w.StartObject();
  w.Key("format");
  w.Int(1);
  w.Key("files");
  w.StartArray();
  for (const auto& f : s.files())
    put(w, "path", f);
  w.EndArray();
  for (const auto& [name, list] :
       {std::pair("replicas", &t.replicas), std::pair("strings", &t.strings.all())}) {
    w.Key(name);
    w.StartArray();
    for (const auto& text : *list)
      w.String(text);
    w.EndArray();
  }
  w.Key("zero_ns");
  w.Int64(t.zero_ns);
  w.Key("columns");
  w.StartArray();
  for (const auto& c : t.columns) {
    w.StartObject();
    put(w, "name", c.name());
    w.Key("count");
    w.Uint64(c.count());
    w.Key("wide");
    w.Bool(c.wide());
    w.EndObject();
  }
  w.EndArray();
  w.Key("texts_per_piece");
  w.Uint64(texts_per_piece);
  w.Key("pieces");
  w.Uint64(pieces);
  w.Key("verdict");
  w.StartObject();
  put(w, "state", v.state);
  put(w, "words", v.words);
  w.Key("rows");
  w.StartArray();
  for (const auto row : v.rows)
    w.Int64(row);
  w.EndArray();
  w.EndObject();
  w.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

/// A script of a type that browsers do not run.
void write_script(std::ostream& to, std::string_view name, std::string_view bytes) {
  to << "<script type=\"text/plain\" id=\"" << name << "\">" << base64(deflated(bytes)) << "</script>\n";
}

void write_head(std::ostream& to, const std::string& head, const tables& t) {
  std::string bytes;
  constexpr unsigned byte_bits = 8;
  for (unsigned i = 0; i < sizeof(std::uint32_t); ++i)
    bytes.push_back(static_cast<char>(static_cast<std::uint32_t>(head.size()) >> (byte_bits * i)));
  bytes += head;
  for (const auto& c : t.columns)
    bytes += c.bytes();
  write_script(to, "trace", bytes);
}

/// A line for each record: its content, a tab, and what changed in Raft's state. JSON has neither inside.
void write_texts(std::ostream& to, const trace::story& s) {
  std::string piece;
  const auto& all = s.records();
  for (std::size_t i = 0; i < all.size(); ++i) {
    piece += all[i].content;
    piece += '\t';
    piece += all[i].raft;
    piece += '\n';
    if ((i + 1) % texts_per_piece != 0 && i + 1 != all.size())
      continue;
    write_script(to, fmt::format("texts-{}", i / texts_per_piece), piece);
    piece.clear();
  }
}

} // namespace

void write(const trace::story& s, std::ostream& to, std::chrono::nanoseconds limit) {
  const auto page = viewer();
  const auto mark = page.find(trace_mark);
  require(mark != page.npos, "the page has no place for a trace");
  const auto v = judge(s, limit);
  auto t = begin_tables(s);
  add_rows(t, s);
  add_states(t, s);
  add_operations(t, s, v.culprits, v.stretch);
  to << page.substr(0, mark);
  const auto pieces = (s.records().size() + texts_per_piece - 1) / texts_per_piece;
  write_head(to, head_of(t, s, v, pieces), t);
  write_texts(to, s);
  to << page.substr(mark + trace_mark.size());
}

void write(const trace::story& s, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  if (file)
    write(s, file);
  if (!file || !file.flush())
    throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
}

} // namespace troupe::page
