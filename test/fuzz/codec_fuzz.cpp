// Arbitrary bytes arrive at one replica of five, over a transport of either size. Whatever it understands, it
// can send on, and that is understood the same.

#include "protocol/wire/codec.hpp"
#include "test/fuzz/fuzz.hpp"
#include "test/support/same_message.hpp"

#include <algorithm>
#include <map>

using namespace troupe;
using namespace troupe::wire;
using troupe::test::require;

namespace {

/// Each replica's codec, over one transport.
class cluster {
 public:
  explicit cluster(std::size_t max_bytes) : max_bytes_(max_bytes) {
    const std::vector<std::string> ids{"0000", "0001", "00a2", "0003", "FFFE"};
    for (const auto& self : ids) {
      std::vector<std::string> peers;
      std::copy_if(ids.begin(), ids.end(), std::back_inserter(peers),
                   [&](const auto& id) { return id != self; });
      directory replicas(self, peers);
      const auto id = replicas.self();
      codecs_.emplace(id, codec{std::move(replicas), {max_bytes}});
    }
  }

  void receive(std::string_view bytes) {
    const auto result = codecs_.at(receiver).decode(bytes);
    std::visit([this](const auto& r) { check(r); }, result);
  }

 private:
  static constexpr replica_id receiver{0};
  static constexpr replica_id other{1};

  void check(const from_peer& m) {
    const auto again = sent_on(m.from, m.message, m.leader);
    require(again.from == m.from, "the sender is the same");
    require(again.leader == m.leader, "the leader is the same");
    require(test::same_message(again.message, m.message), "the message is the same");
  }

  void check(const client_request& r) {
    std::visit([&](const auto& operation) { check_operation(r.id, operation); }, r.operation);
    check_answer(client_ok{r.id, std::nullopt, true});
    check_answer(client_redirect{r.id, other});
  }

  void check(const unservable& u) { check_answer(client_fail{u.id, u.reason}); }

  void check(const ignorable&) {}

  void check(const decode_error& e) {
    require(!e.text.empty() && e.text.size() < 300, "an error has a text of reasonable length");
    require(std::all_of(e.text.begin(), e.text.end(), [](char c) { return c >= ' ' && c <= '~'; }),
            "an error is printable");
  }

  void check_operation(const kv::request_id&, const kv::get&) {}

  /// What was accepted from a client fits into a message to the other replicas, and into an answer to a
  /// client.
  template <class Write>
  void check_operation(const kv::request_id& id, const Write& write) {
    constexpr std::uint64_t most = (std::uint64_t{1} << 62) - 1; // the codec takes no larger term
    append_request m{{most}, {~std::uint64_t{0}}, {most - 1}, {most}, {~std::uint64_t{0}}, {}};
    const raft::entry e{{most}, {most}, kv::command{id, write}, 0};
    m.entries.push_back(std::make_shared<raft::entry>(e));
    const auto again = sent_on(other, m, other);
    require(out_.size() <= max_bytes_, "an accepted write can be sent to the other replicas");
    require(out_.size() <= append_overhead_bytes + wire_bytes(e.payload), "the bound of its length holds");
    require(*std::get<append_request>(again.message).entries.front() == e, "the write is the same");
    if constexpr (requires { write.value; }) {
      check_answer(client_ok{id, write.value, true});
      require(out_.find(R"("type":"ok")") != std::string::npos, "an accepted value can be read again");
    }
  }

  void check_answer(const client_reply& reply) {
    codecs_.at(receiver).encode(reply, nobody, out_);
    require(out_.size() <= max_bytes_, "an answer can be carried");
  }

  from_peer sent_on(replica_id from, const peer_message& message, replica_id leader) {
    codecs_.at(from).encode(message, receiver, leader, out_);
    const auto result = codecs_.at(receiver).decode(out_);
    const auto* again = std::get_if<from_peer>(&result);
    require(again != nullptr, "what was understood can be sent on and is understood again");
    return *again;
  }

  std::size_t max_bytes_;
  std::map<replica_id, codec> codecs_;
  std::string out_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static cluster datagrams(65'507);
  static cluster packets(16'384);
  datagrams.receive(test::as_text(data, size));
  packets.receive(test::as_text(data, size));
  return 0;
}
