// Messages -> JSON.

#include "protocol/wire/codec.hpp"
#include "protocol/wire/json_writer.hpp"
#include "protocol/wire/keys.hpp"

namespace troupe::wire {
namespace {

/// An overload for each type that a field may have.
struct value_writer {
  json_writer& json;

  template <class Meaning>
  void operator()(number<Meaning> n) {
    json.number(n.value);
  }
  void operator()(std::uint64_t n) { json.number(n); }
  void operator()(bool b) { json.boolean(b); }
  void operator()(const std::string& text) { json.string(text); }
  // The configuration may name replicas that the directory does not: these are not spelled, but printed.
  void operator()(replica_id id) { json.string(to_string(id)); }

  template <class T>
  void operator()(const std::vector<T>& list) {
    json.open('[');
    for (const auto& item : list) {
      (*this)(item);
    }
    json.close(']');
  }

  void operator()(const raft::entry_ptr& e) {
    json.open('[');
    (*this)(e->term);
    std::visit(*this, e->payload);
    json.close(']');
  }

  void operator()(const raft::no_op&) { json.string(entry_names::no_op); }

  void operator()(const raft::configuration& c) {
    json.string(entry_names::configuration);
    (*this)(c.voters);
    (*this)(c.learners);
  }

  void operator()(const kv::command& c) {
    std::visit(
        [&](const auto& write) {
          json.string(write.type_name);
          values_of(c.id);
          values_of(write);
        },
        c.operation);
  }

  /// Without their names.
  template <class T>
  void values_of(const T& object) {
    for_each_field(object, [&](std::string_view, const auto& value) { (*this)(value); });
  }
};

struct framing {
  std::string_view from, to, leader, type;
};

void write_framing(json_writer& json, const framing& e) {
  json.open('{');
  json.member(keys::from, e.from);
  json.member(keys::to, e.to);
  json.member(keys::leader, e.leader);
  json.member(keys::type, e.type);
}

/// Writes answers to clients as they are, whatever their length.
struct reply_writer {
  const directory& replicas;
  replica_id leader;
  std::string& out;

  template <class More>
  void write(const kv::request_id& id, std::string_view type, replica_id named_leader, More&& more) {
    out.clear();
    json_writer json(out);
    write_framing(json,
                  {replicas.spelling(replicas.self()), id.client, replicas.spelling(named_leader), type});
    json.member(keys::mid, id.mid);
    more(json);
    json.close('}');
  }

  void operator()(const client_ok& ok) {
    write(ok.id, types::ok, leader, [&](json_writer& json) {
      if (!ok.applied) {
        json.key(keys::applied);
        json.boolean(false);
      }
      if (ok.value) {
        json.member(keys::value, *ok.value);
      }
    });
  }

  void operator()(const client_redirect& redirect) {
    write(redirect.id, types::redirect, redirect.leader, [](json_writer&) {});
  }

  void operator()(const client_fail& fail) {
    write(fail.id, types::fail, leader, [&](json_writer& json) {
      if (!fail.reason.empty()) {
        json.member(keys::reason, fail.reason);
      }
    });
  }
};

/// The answer that takes the place of one that is too long to be carried.
struct shorten {
  client_reply operator()(const client_ok& ok) const {
    if (!ok.applied) {
      return client_ok{ok.id, std::nullopt, false};
    }
    return client_fail{ok.id, "the value is longer than the transport carries"};
  }
  client_reply operator()(const client_redirect& redirect) const { return redirect; }
  client_reply operator()(const client_fail& fail) const { return client_fail{fail.id, ""}; }
};

} // namespace

void codec::encode(const peer_message& message, replica_id to, replica_id leader, std::string& out) const {
  out.clear();
  json_writer json(out);
  std::visit(
      [&](const auto& m) {
        write_framing(json, {replicas_.spelling(replicas_.self()), replicas_.spelling(to),
                             replicas_.spelling(leader), m.type_name});
        value_writer write{json};
        for_each_field(m, [&](std::string_view name, const auto& value) {
          json.key(name);
          write(value);
        });
      },
      message);
  json.close('}');
}

void codec::encode(const client_reply& reply, replica_id leader, std::string& out) const {
  reply_writer write{replicas_, leader, out};
  std::visit(write, reply);
  if (out.size() > limits_.max_datagram_bytes) {
    std::visit(write, std::visit(shorten{}, reply));
  }
}

void codec::encode_hello(replica_id leader, std::string& out) const {
  out.clear();
  json_writer json(out);
  write_framing(json, {replicas_.spelling(replicas_.self()), replicas_.spelling(nobody),
                       replicas_.spelling(leader), types::hello});
  json.close('}');
}

} // namespace troupe::wire
