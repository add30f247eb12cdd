// What latency cannot go below: a replica of a few lines, without Raft, actors or a log. It is called as the
// simulator calls any replica. The lowest id leads. As `yardstick-instant` the leader answers at once, which
// measures the simulator and the network alone; as `yardstick-majority` it copies every put to just enough
// followers and answers when they have it. Nothing of it survives a fault.

#include <arpa/inet.h>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace {

using members = std::vector<std::pair<std::string_view, std::string_view>>;

class replica {
 public:
  replica(bool instant, const char* port, std::string id, std::vector<std::string> peers)
      : instant_(instant), id_(std::move(id)), leader_(id_), peers_(std::move(peers)),
        socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    for (const auto& peer : peers_)
      leader_ = std::min(leader_, peer);
    sockaddr_in simulator{};
    simulator.sin_family = AF_INET;
    simulator.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(port, nullptr, 10)));
    simulator.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&simulator), sizeof simulator) != 0)
      std::exit(2);
    send("FFFF", "hello", {});
  }

  [[noreturn]] void run() {
    std::vector<char> bytes(1 << 16);
    for (;;) {
      const auto got = ::recv(socket_, bytes.data(), bytes.size() - 1, 0);
      if (got <= 0)
        std::exit(1);
      bytes[static_cast<std::size_t>(got)] = '\0';
      rapidjson::Document message;
      if (!message.ParseInsitu(bytes.data()).HasParseError() && message.IsObject())
        receive(message);
    }
  }

 private:
  struct waiting {
    std::string client, key, value;
    std::size_t copies = 0;
  };

  static std::string_view text(const rapidjson::Document& m, const char* name) {
    const auto found = m.FindMember(name);
    return found == m.MemberEnd() || !found->value.IsString() ? "" : found->value.GetString();
  }

  void receive(const rapidjson::Document& m) {
    const auto type = text(m, "type");
    const auto from = text(m, "src");
    const auto mid = text(m, "MID");
    const auto key = text(m, "key");
    const auto value = text(m, "value");
    const bool is_put = type == "put";
    if (type == "copy") {
      store_[std::string(key)] = value;
      send(from, "copied", {{"MID", mid}});
    } else if (type == "copied") {
      copied(std::string(mid));
    } else if (!is_put && type != "get") {
      return;
    } else if (leader_ != id_) {
      send(from, "redirect", {{"MID", mid}});
    } else if (!is_put) {
      send(from, "ok", {{"MID", mid}, {"value", store_[std::string(key)]}});
    } else if (instant_ || peers_.empty()) {
      store_[std::string(key)] = value;
      send(from, "ok", {{"MID", mid}});
    } else {
      waiting_[std::string(mid)] = {std::string(from), std::string(key), std::string(value)};
      for (std::size_t i = 0; i < needed(); ++i)
        send(peers_[i], "copy", {{"MID", mid}, {"key", key}, {"value", value}});
    }
  }

  std::size_t needed() const { return (peers_.size() + 1) / 2; }

  void copied(const std::string& mid) {
    const auto found = waiting_.find(mid);
    if (found == waiting_.end() || ++found->second.copies < needed())
      return;
    store_[found->second.key] = found->second.value;
    send(found->second.client, "ok", {{"MID", mid}});
    waiting_.erase(found);
  }

  void send(std::string_view to, std::string_view type, const members& more) {
    text_.Clear();
    rapidjson::Writer<rapidjson::StringBuffer> json(text_);
    const auto member = [&](std::string_view name, std::string_view value) {
      json.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
      json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    };
    json.StartObject();
    member("src", id_);
    member("dst", to);
    member("leader", leader_);
    member("type", type);
    for (const auto& [name, value] : more)
      member(name, value);
    json.EndObject();
    [[maybe_unused]] const auto ignored = ::send(socket_, text_.GetString(), text_.GetSize(), 0);
  }

  bool instant_;
  std::string id_;
  std::string leader_;
  std::vector<std::string> peers_;
  int socket_;
  rapidjson::StringBuffer text_;
  std::map<std::string, std::string> store_;
  std::map<std::string, waiting> waiting_;
};

} // namespace

int main(int argc, char** argv) {
  if (argc < 3)
    return 2;
  const auto is_instant = std::string_view(argv[0]).ends_with("instant");
  replica(is_instant, argv[1], argv[2], {argv + 3, argv + argc}).run();
}
