// What latency cannot go below: a replica of a few lines, without Raft, actors or a log. It is called as the
// simulator calls any replica. As `yardstick-instant` the leader answers at once, which measures the
// simulator and the network alone; as `yardstick-majority` it copies every put to just enough followers and
// answers when they have it. Nothing of it survives a fault.

#include "bench/yardstick.hpp"

#include <map>

namespace {

using troupe::bench::yardstick_wire;

class replica {
 public:
  replica(bool instant, int argc, char** argv) : instant_(instant), wire_(argc, argv) {}

  [[noreturn]] void run() {
    for (;;) {
      rapidjson::Document message;
      if (!message.ParseInsitu(const_cast<char*>(wire_.receive().data())).HasParseError() &&
          message.IsObject())
        receive(message);
    }
  }

 private:
  struct waiting {
    std::string client, key, value;
    std::size_t copies = 0;
  };

  void receive(const rapidjson::Document& m) {
    const auto type = yardstick_wire::text(m, "type");
    const auto from = yardstick_wire::text(m, "src");
    const auto mid = yardstick_wire::text(m, "MID");
    const auto key = yardstick_wire::text(m, "key");
    const auto value = yardstick_wire::text(m, "value");
    const bool is_put = type == "put";
    if (type == "copy") {
      store_[std::string(key)] = value;
      wire_.send(from, "copied", {{"MID", mid}});
    } else if (type == "copied") {
      copied(std::string(mid));
    } else if (!is_put && type != "get") {
      return;
    } else if (!wire_.leads()) {
      wire_.send(from, "redirect", {{"MID", mid}});
    } else if (!is_put) {
      wire_.send(from, "ok", {{"MID", mid}, {"value", store_[std::string(key)]}});
    } else if (instant_ || wire_.needed() == 0) {
      store_[std::string(key)] = value;
      wire_.send(from, "ok", {{"MID", mid}});
    } else {
      waiting_[std::string(mid)] = {std::string(from), std::string(key), std::string(value)};
      for (std::size_t i = 0; i < wire_.needed(); ++i)
        wire_.send(wire_.peers()[i], "copy", {{"MID", mid}, {"key", key}, {"value", value}});
    }
  }

  void copied(const std::string& mid) {
    const auto found = waiting_.find(mid);
    if (found == waiting_.end() || ++found->second.copies < wire_.needed())
      return;
    store_[found->second.key] = found->second.value;
    wire_.send(found->second.client, "ok", {{"MID", mid}});
    waiting_.erase(found);
  }

  bool instant_;
  yardstick_wire wire_;
  std::map<std::string, std::string> store_;
  std::map<std::string, waiting> waiting_;
};

} // namespace

int main(int argc, char** argv) { replica(std::string_view(argv[0]).ends_with("instant"), argc, argv).run(); }
