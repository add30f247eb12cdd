#pragma once
// What the yardsticks of bench/latency say and hear: as little of the simulators' protocol as will do. The
// lowest id leads, for ever.

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <cstdlib>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace troupe::bench {

class yardstick_wire {
 public:
  using members = std::vector<std::pair<std::string_view, std::string_view>>;

  /// With the arguments that simulators give: a port, an id and the peers' ids. Ends the program where it
  /// cannot be served.
  yardstick_wire(int argc, char** argv) : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    if (argc < 3)
      std::exit(2);
    id_ = argv[2];
    peers_.assign(argv + 3, argv + argc);
    leader_ = id_;
    for (const auto& peer : peers_)
      leader_ = std::min(leader_, peer);
    sockaddr_in simulator{};
    simulator.sin_family = AF_INET;
    simulator.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10)));
    simulator.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&simulator), sizeof simulator) != 0)
      std::exit(2);
    send("FFFF", "hello", {});
  }

  bool leads() const { return leader_ == id_; }
  /// How many followers must have a copy: with the leader a majority.
  std::size_t needed() const { return (peers_.size() + 1) / 2; }
  const std::vector<std::string>& peers() const { return peers_; }

  /// Waits for a datagram; with a 0 behind it.
  std::string_view receive() {
    const auto got = ::recv(socket_, bytes_.data(), bytes_.size() - 1, 0);
    if (got <= 0)
      std::exit(1);
    bytes_[static_cast<std::size_t>(got)] = '\0';
    return {bytes_.data(), static_cast<std::size_t>(got)};
  }

  static std::string_view text(const rapidjson::Document& m, const char* name) {
    const auto found = m.FindMember(name);
    return found == m.MemberEnd() || !found->value.IsString() ? "" : found->value.GetString();
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

 private:
  std::string id_;
  std::string leader_;
  std::vector<std::string> peers_;
  int socket_;
  std::vector<char> bytes_ = std::vector<char>(1 << 16);
  rapidjson::StringBuffer text_;
};

} // namespace troupe::bench
