#include "app/check/history_report.hpp"

#include "cluster/history/describe.hpp"
#include "cluster/history/quoted.hpp"
#include "cluster/history/write.hpp"
#include "protocol/utf8.hpp"

#include <fmt/format.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

namespace troupe::check {

namespace {

using history::verdict;

std::string indented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n') + 1;
    out += fmt::format("  {}", text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

class json_report {
 public:
  json_report() { writer_.SetIndent(' ', 2); }

  std::string of(const std::vector<judged_file>& files) {
    writer_.StartObject();
    writer_.Key("files");
    writer_.StartArray();
    for (const auto& file : files)
      write(file);
    writer_.EndArray();
    writer_.EndObject();
    buffer_.Put('\n');
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  void write(const judged_file& file) {
    writer_.StartObject();
    // A name can be any bytes, JSON cannot.
    put("file", is_utf8(file.path) ? file.path : history::printable(file.path, file.path.size()));
    if (file.error.empty())
      write_verdict(file);
    else
      write_error(file);
    writer_.EndObject();
  }

  void write_error(const judged_file& file) {
    put("error", file.error);
    if (file.error_line > 0)
      put("line", file.error_line);
  }

  void write_verdict(const judged_file& file) {
    put("format", to_string(file.format));
    put("verdict", to_string(file.result.verdict));
    put("operations", file.operations);
    put("keys", file.result.keys);
    put("configurations", file.result.configurations);
    if (!file.result.undecided.empty())
      put("undecided", file.result.undecided);
    if (file.result.explanation) {
      writer_.Key("explanation");
      write(*file.result.explanation);
    }
  }

  void write(const history::explanation& e) {
    writer_.StartObject();
    put("key", e.key);
    put("why", e.why);
    put("stretch", e.stretch);
    put("culprit", e.culprit);
    put("sources", e.sources);
    writer_.Key("would_fit");
    writer_.StartArray();
    for (const auto& value : e.would_fit)
      writer_.String(value);
    writer_.EndArray();
    writer_.Key("cut_short");
    writer_.Bool(e.cut_short);
    writer_.EndObject();
  }

  /// As in our own format, and with the line.
  void put(const char* name, const history::operations& list) {
    writer_.Key(name);
    writer_.StartArray();
    for (const auto& o : list) {
      std::string text;
      history::write(o, text);
      text.erase(text.size() - 2); // the bracket and the end of the line
      text += fmt::format(",\"line\":{}}}", o.line);
      writer_.RawValue(text.data(), text.size(), rapidjson::kObjectType);
    }
    writer_.EndArray();
  }

  void put(const char* name, std::string_view text) {
    writer_.Key(name);
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
  void put(const char* name, std::uint64_t number) {
    writer_.Key(name);
    writer_.Uint64(number);
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer_{buffer_};
};

} // namespace

std::string format_text(const judged_file& file) {
  const auto& result = file.result;
  auto text = fmt::format("{}: {}\n", file.path, to_string(result.verdict));
  if (result.explanation) {
    const auto times =
        file.format == history::format::troupe ? history::clock::counter : history::clock::line_numbers;
    text += indented(describe(*result.explanation, times));
  } else if (result.verdict == verdict::unknown) {
    text += indented(result.undecided + "; --time-limit and --memory give it more\n");
  }
  return text;
}

std::string format_error(const judged_file& file) {
  return file.error_line == 0 ? fmt::format("{}: {}", file.path, file.error)
                              : fmt::format("{}:{}: {}", file.path, file.error_line, file.error);
}

std::string format_json(const std::vector<judged_file>& files) { return json_report().of(files); }

} // namespace troupe::check
