#include "actors/network.hpp"

#include <fmt/format.h>

namespace troupe::actors {

network::network(caf::actor_config& c, rooms_ptr r, wire::codec codec, edge* e, direct_edge* d, host h)
    : room(c, std::move(r), std::move(h)), codec_(std::move(codec)), edge_(e), direct_(d) {}

network::behavior_type network::make_behavior() {
  return {
      [this](start) { greet(); },
      [this](const datagram& d) { receive(d); },
      [this](outbound& o) { send_out(o); },
      [this](client_answer& a) { answer(std::move(a.reply)); },
      [this](const standing_changed& s) { leader_ = s.standing.leader; },
      [this](flush) { send(rooms_->router, flush{}); },
  };
}

/// Only a simulator wants to hear that somebody is there.
void network::greet() {
  if (direct_)
    return;
  codec_.encode_hello(leader_, buffer_);
  put_on_the_wire();
}

void network::receive(const datagram& d) {
  ++counters_.received;
  auto decoded = codec_.decode(d.bytes);
  if (auto* m = std::get_if<wire::from_peer>(&decoded))
    send(rooms_->raft, raft::received{m->from, std::move(m->message)});
  else if (auto* request = std::get_if<client_request>(&decoded))
    send(rooms_->router, std::move(*request));
  else if (auto* refused = std::get_if<wire::unservable>(&decoded))
    answer(client_fail{std::move(refused->id), std::move(refused->reason)});
  else if (const auto* problem = std::get_if<wire::decode_error>(&decoded))
    drop(*problem);
}

/// Counts every one and mentions the first of its kind: a flood must not become a flood of lines.
void network::drop(const wire::decode_error& e) {
  if (++counters_.dropped[static_cast<std::size_t>(e.kind)] == 1)
    host_.log(log_level::warning,
              fmt::format("dropped a message ({}): {} (more of this kind are counted, not told)",
                          wire::to_string(e.kind), e.text));
}

void network::send_out(outbound& o) {
  for (auto& m : o.messages) {
    if (!has_address(m.to))
      continue;
    if (direct_) {
      ++counters_.sent;
      direct_->send(m.to, std::move(m.message));
      continue;
    }
    codec_.encode(m.message, m.to, leader_, buffer_);
    put_on_the_wire();
  }
}

bool network::has_address(replica_id to) {
  if (to == nobody || codec_.replicas().is_member(to))
    return true;
  if (++counters_.without_address == 1)
    host_.log(log_level::warning,
              fmt::format("has no address of {} (more such messages are counted, not told)", to_string(to)));
  return false;
}

void network::answer(client_reply r) {
  if (direct_) {
    ++counters_.sent;
    return direct_->answer(std::move(r));
  }
  codec_.encode(r, leader_, buffer_);
  put_on_the_wire();
}

void network::put_on_the_wire() {
  ++counters_.sent;
  edge_->send(buffer_);
}

} // namespace troupe::actors
