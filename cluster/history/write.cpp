#include "cluster/history/write.hpp"

#include <ostream>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace troupe::history {

namespace {

class line_writer {
 public:
  std::string_view line(const operation& o) {
    buffer_.Clear();
    writer_.Reset(buffer_);
    writer_.StartObject();
    if (!o.client.empty())
      put("client", o.client);
    if (!o.id.empty())
      put("id", o.id);
    put("op", to_string(o.kind));
    put("key", o.key);
    put_values(o);
    put("call", o.call);
    if (o.ending != ending::unknown)
      put("done", o.done);
    put("end", to_string(o.ending));
    if (o.ending == ending::ok)
      put_answer(o);
    writer_.EndObject();
    buffer_.Put('\n');
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  void put_values(const operation& o) {
    if (o.kind == operation_kind::cas)
      put("expected", o.expected);
    if (o.kind != operation_kind::get && o.kind != operation_kind::erase)
      put("value", o.value);
  }

  void put_answer(const operation& o) {
    const bool is_get = o.kind == operation_kind::get;
    if (!is_get && !o.applied) {
      writer_.Key("applied");
      writer_.Bool(false);
    }
    if ((is_get || !o.applied) && o.result)
      put("result", *o.result);
  }

  void put(const char* name, std::string_view text) {
    writer_.Key(name);
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
  void put(const char* name, std::int64_t number) {
    writer_.Key(name);
    writer_.Int64(number);
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

} // namespace

void write(const operation& o, std::string& out) { out += line_writer().line(o); }

void write(const operations& history, std::ostream& out) {
  line_writer lines;
  for (const auto& o : history)
    out << lines.line(o);
}

} // namespace troupe::history
