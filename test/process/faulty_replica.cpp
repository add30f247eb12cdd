// A little replica for the simulator's tests. It is no Raft: the lowest id leads, copies every put to the
// others and answers once most of them have it. That is right as long as nothing goes wrong. It is called as
// the simulator calls any replica, so the fault that it has is in its name: `replica-forgets`.

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <poll.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using fields = std::vector<std::pair<const char*, std::string>>;

constexpr int beat_ms = 100;
constexpr int patience_ms = 400;

long long now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

class replica {
 public:
  replica(std::string fault, const char* port, std::string id, std::vector<std::string> peers)
      : fault_(std::move(fault)), id_(std::move(id)), peers_(std::move(peers)), leader_(id_),
        socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
    simulator_.sin_family = AF_INET;
    simulator_.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
    simulator_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool highest = true;
    for (const auto& peer : peers_) {
      leader_ = std::min(leader_, peer);
      highest = highest && peer < id_;
    }
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(socket_, reinterpret_cast<sockaddr*>(&any), sizeof any);
    if (fault_ != "nohello" || !highest)
      send("FFFF", "hello", {});
    if (fault_ == "stubborn")
      be_stubborn();
    if (fault_ == "chatter")
      for (int i = 0; i < 4000; ++i) // more than a pipe holds
        std::printf("line %d of far too many\n", i);
    std::printf("started as %d\n", getpid());
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    std::vector<char> buffer(1 << 16);
    for (;;) {
      pollfd file{socket_, POLLIN, 0};
      if (poll(&file, 1, fault_ == "loses" ? beat_ms / 2 : -1) > 0) {
        const auto got = recv(socket_, buffer.data(), buffer.size(), 0);
        rapidjson::Document message;
        message.Parse(buffer.data(), static_cast<std::size_t>(got > 0 ? got : 0));
        if (message.IsObject())
          receive(message);
      }
      if (fault_ == "loses")
        keep_leading();
    }
  }

 private:
  void receive(const rapidjson::Document& m) {
    const std::string type = m["type"].GetString();
    const std::string from = m["src"].GetString();
    if (fault_ == "silent" || (fault_ == "noanswer" && (type == "get" || type == "put")))
      return;
    if (fault_ == "storm")
      send("FFFF", "noise", {});
    if (type == "beat") {
      leader_ = from;
      last_beat_ = now_ms();
    } else if (type == "copy") {
      store_[m["key"].GetString()] = m["value"].GetString();
      send(from, "copied", {{"MID", m["MID"].GetString()}});
    } else if (type == "copied") {
      copied(m["MID"].GetString());
    } else if (type == "get" || type == "put") {
      request(m, from, type == "put");
    }
  }

  void request(const rapidjson::Document& m, const std::string& client, bool is_put) {
    const std::string mid = m["MID"].GetString();
    const std::string key = m["key"].GetString();
    if (fault_ == "dies" && ++requests_ == 10)
      std::exit(3);
    if (fault_ == "loop")
      return send(client, "redirect", {{"MID", mid}}, peers_.front());
    if (fault_ == "fails" && ++requests_ % 3 == 0)
      return send(client, "fail", {{"MID", mid}});
    if (leader_ != id_)
      return send(client, "redirect", {{"MID", mid}});
    if (!is_put)
      return answer(client, mid, {{"value", store_[key] + (fault_ == "wrongvalue" ? "x" : "")}});
    if (fault_ == "loses") {
      store_[key] = m["value"].GetString();
      return answer(client, mid, {});
    }
    pending_[mid] = {client, key, m["value"].GetString(), 0};
    send("FFFF", "copy", {{"MID", mid}, {"key", key}, {"value", m["value"].GetString()}});
  }

  void copied(const std::string& mid) {
    const auto found = pending_.find(mid);
    if (found == pending_.end() || ++found->second.copies < (peers_.size() + 1) / 2)
      return;
    store_[found->second.key] = found->second.value;
    answer(found->second.client, mid, {});
    pending_.erase(found);
    if (fault_ == "forgets" && ++stored_ % 20 == 0)
      store_.clear();
  }

  void answer(const std::string& client, const std::string& mid, fields more) {
    more.emplace_back("MID", fault_ == "wrongmid" ? "no such MID" : mid);
    send(client, "ok", more);
    if (fault_ == "twice")
      send(client, "ok", more);
    if (fault_ == "twofaced") {
      send(client, "redirect", {{"MID", mid}});
    }
    if (fault_ == "garbage")
      transmit("{\"src\": \"0000\", nonsense");
    if (fault_ == "impostor")
      transmit(R"({"src":")" + peers_.front() + R"(","dst":"FFFF","leader":"FFFF","type":"lie"})");
  }

  /// Only for the fault that needs a second leader: whoever has not heard a beat for long takes over.
  void keep_leading() {
    const auto now = now_ms();
    if (leader_ == id_ && now - last_beat_ >= beat_ms) {
      last_beat_ = now;
      send("FFFF", "beat", {});
    }
    const auto rank = static_cast<long long>(std::strtol(id_.c_str(), nullptr, 16)) + 1;
    if (leader_ != id_ && now - last_beat_ > patience_ms * rank)
      leader_ = id_;
  }

  /// Will not be asked to end, and has a child that will not either.
  void be_stubborn() {
    std::signal(SIGTERM, SIG_IGN);
    if (fork() == 0)
      for (;;)
        pause();
  }

  void send(const std::string& to, const char* type, const fields& more, const std::string& leader = "") {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    const std::string hint = !leader.empty() ? leader : std::strcmp(type, "hello") == 0 ? "FFFF" : leader_;
    writer.StartObject();
    const fields head{{"src", id_}, {"dst", to}, {"leader", hint}, {"type", type}};
    for (const auto* list : {&head, &more})
      for (const auto& [name, value] : *list) {
        writer.Key(name);
        writer.String(value);
      }
    writer.EndObject();
    transmit(buffer.GetString());
  }

  void transmit(const std::string& bytes) {
    sendto(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&simulator_),
           sizeof simulator_);
  }

  struct put {
    std::string client, key, value;
    std::size_t copies = 0;
  };

  std::string fault_;
  std::string id_;
  std::vector<std::string> peers_;
  std::string leader_;
  int socket_;
  sockaddr_in simulator_{};
  std::map<std::string, std::string> store_;
  std::map<std::string, put> pending_;
  int requests_ = 0;
  int stored_ = 0;
  long long last_beat_ = now_ms();
};

} // namespace

int main(int argc, char** argv) {
  if (argc < 4)
    return 2;
  const std::string name = argv[0];
  const auto dash = name.rfind("replica-");
  replica(dash == name.npos ? "none" : name.substr(dash + 8), argv[1], argv[2], {argv + 3, argv + argc})
      .run();
}
