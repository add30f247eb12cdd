// What Porcupine's page draws: the history of the clients, and an order that explains it.

#include "cluster/history/orders.hpp"
#include "cluster/history/quoted.hpp"
#include "cluster/trace/export/exporter.hpp"
#include "cluster/trace/export/words.hpp"
#include "cluster/trace/history_of.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace troupe::trace {

namespace {

using history::operation_kind;

constexpr std::size_t shown_bytes = 40;

/// The page wants times that are small numbers, and moves some by up to 16.
constexpr std::size_t between_times = 100;

std::string shown(const std::string& text) { return history::quoted(text, shown_bytes); }

std::string answer_of(const history::operation& o) {
  if (o.ending == history::ending::unknown)
    return " (not answered with ok)";
  if (o.kind == operation_kind::get)
    return " -> " + shown(o.result.value_or(""));
  if (o.applied)
    return "";
  return o.result ? fmt::format(" -> not applied, it met {}", shown(*o.result)) : " -> not applied";
}

std::string describe(const history::operation& o) {
  auto text = fmt::format("{} {}", to_string(o.kind), shown(o.key));
  if (o.kind == operation_kind::cas)
    text += fmt::format(" from {} to {}", shown(o.expected), shown(o.value));
  else if (o.kind == operation_kind::put || o.kind == operation_kind::append)
    text += ' ' + shown(o.value);
  return text + answer_of(o);
}

/// The page takes it for HTML.
std::string html(const std::string& text) {
  std::string safe;
  for (const char c : text)
    switch (c) {
    case '<':
      safe += "&lt;";
      break;
    case '>':
      safe += "&gt;";
      break;
    case '&':
      safe += "&amp;";
      break;
    default:
      safe += c;
    }
  return safe;
}

class porcupine : public exporter {
 public:
  porcupine(std::string& out, const history::check_limits& limits) : out_(out), limits_(limits) {}

  void take(const record& r) override {
    clients_.take(r);
    latest_ = std::max({latest_, r.begin, r.end});
    if (r.kind == event_kind::note) {
      if (r.event != "end")
        annotate(r.begin, r.replica, title_of(r));
    } else if (r.raft.find("\"leader\"") != r.raft.npos) {
      const auto change = parse(r.raft);
      if (change["role"].text == "leader")
        annotate(r.begin, r.replica, "leads");
    }
  }

  void finish() override {
    auto told = clients_.finish();
    if (told.is_cut)
      throw export_error("long values are cut in a trace, and appends need whole ones");
    if (told.operations.empty())
      throw export_error("no client asked anything in this trace");
    history_ = std::move(told.operations);
    const auto keys = find_orders(history_, told.writes_in_log, limits_);
    find_times();
    find_rows();
    out_ += "{\"Partitions\":[";
    for (std::size_t i = 0; i < keys.size(); ++i) {
      out_ += i == 0 ? "\n" : ",\n";
      write(keys[i]);
    }
    out_ += "\n],\"Annotations\":[";
    write_annotations();
    out_ += "\n]}\n";
  }

 private:
  void annotate(std::int64_t t, const std::string& replica, const std::string& text) {
    const auto tag = replica.empty() ? std::string("world") : "replica " + replica;
    // Two at one moment would be drawn over each other.
    auto& all = annotations_[{t, tag}];
    all += (all.empty() ? "" : "; ") + text;
  }

  std::int64_t end_of(const history::operation& o) const {
    return o.ending == history::ending::unknown ? latest_ + 1 : o.done;
  }

  void find_times() {
    for (const auto& o : history_) {
      times_.push_back(o.call);
      times_.push_back(end_of(o));
    }
    for (const auto& [where, text] : annotations_)
      times_.push_back(where.first);
    std::sort(times_.begin(), times_.end());
    times_.erase(std::unique(times_.begin(), times_.end()), times_.end());
  }

  std::size_t time_of(std::int64_t t) const {
    return between_times *
           static_cast<std::size_t>(std::lower_bound(times_.begin(), times_.end(), t) - times_.begin());
  }

  /// The page draws a row for each of its clients, in which nothing may overlap. One of ours gets as many as
  /// it needs: a request that is never answered goes on while others follow.
  void find_rows() {
    std::map<std::string, std::vector<std::size_t>> by_client;
    for (std::size_t i = 0; i < history_.size(); ++i)
      by_client[history_[i].client].push_back(i);
    rows_.resize(history_.size());
    std::size_t first = 0;
    for (auto& [client, places] : by_client) {
      std::stable_sort(places.begin(), places.end(),
                       [this](auto a, auto b) { return history_[a].call < history_[b].call; });
      std::vector<std::int64_t> busy_until;
      for (const auto i : places) {
        const auto& o = history_[i];
        const auto free =
            std::find_if(busy_until.begin(), busy_until.end(), [&](auto end) { return end < o.call; });
        rows_[i] = first + static_cast<std::size_t>(free - busy_until.begin());
        if (free == busy_until.end())
          busy_until.push_back(end_of(o));
        else
          *free = end_of(o);
      }
      first += busy_until.size();
    }
  }

  void write(const history::key_order& k) {
    std::map<std::size_t, std::size_t> numbers; // in the partition, by place in the history
    out_ += "{\"History\":[";
    for (std::size_t i = 0; i < k.operations.size(); ++i) {
      numbers[k.operations[i]] = i;
      out_ += i == 0 ? "\n" : ",\n";
      write_operation(k.operations[i]);
    }
    out_ += "\n],\"PartialLinearizations\":[";
    std::string largest;
    for (std::size_t i = 0; i < k.order.size(); ++i) {
      const auto number = numbers[k.order[i].operation];
      out_ += fmt::format(R"({}{{"Index":{},"StateDescription":{}}})", i == 0 ? "[" : ",", number,
                          json_text(html(shown(k.order[i].held))));
      largest += fmt::format(R"({}"{}":0)", i == 0 ? "" : ",", number);
    }
    out_ += k.order.empty() ? "]" : "]]"; // the page wants no empty order
    out_ += fmt::format(",\"Largest\":{{{}}}}}", largest);
  }

  void write_operation(std::size_t place) {
    const auto& o = history_[place];
    out_ += fmt::format(
        R"({{"ClientId":{},"Start":{},"End":{},"OriginalStart":"{}","OriginalEnd":"{}","Description":{},"Metadata":{}}})",
        rows_[place], time_of(o.call), time_of(end_of(o)), o.call,
        o.ending == history::ending::unknown ? "never" : std::to_string(o.done), json_text(describe(o)),
        json_text(html(fmt::format("{} {}", o.client, o.id))));
  }

  void write_annotations() {
    bool first = true;
    for (const auto& [where, text] : annotations_) {
      out_ += first ? "\n" : ",\n";
      first = false;
      out_ += fmt::format(
          R"({{"ClientId":0,"Tag":{},"Start":{},"End":{},"OriginalStart":"{}","OriginalEnd":"{}","Description":{},"Details":{},"Annotation":true,"TextColor":"","BackgroundColor":""}})",
          json_text(where.second), time_of(where.first), time_of(where.first), where.first, where.first,
          json_text(history::printable(text, shown_bytes)), json_text(html(text)));
    }
  }

  std::string& out_;
  history::check_limits limits_;
  history_collector clients_;
  history::operations history_;
  /// What befell replicas, by time and whom.
  std::map<std::pair<std::int64_t, std::string>, std::string> annotations_;
  std::vector<std::int64_t> times_; ///< each once, in order
  std::vector<std::size_t> rows_;   ///< by place in the history
  std::int64_t latest_ = 0;
};

} // namespace

std::unique_ptr<exporter> to_porcupine(std::string& out, const history::check_limits& limits) {
  return std::make_unique<porcupine>(out, limits);
}

} // namespace troupe::trace
