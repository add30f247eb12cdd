// What latency cannot go below in actors: what bench/yardstick.cpp does, divided among four actors of CAF in
// the loop that replicas run in. They have the names of a replica's, send each other what those send, and
// know nothing of Raft: no terms, no recording, no timers, nothing that survives a fault.

#include "actors/loop.hpp"
#include "bench/yardstick.hpp"

#include <caf/event_based_actor.hpp>
#include <map>

namespace {

using troupe::bench::yardstick_wire;

struct datagram {
  std::string bytes;
};
struct request {
  std::string client, mid, key, value;
  bool is_put;
};
struct answer {
  std::string client, mid, value;
  std::string_view type;
};
struct proposal {
  request what;
};
struct from_peer {
  std::string peer, mid, key, value;
  bool is_copy;
};
struct outbound {
  std::vector<std::string> to;
  std::string_view type;
  request what;
};
struct entry {
  request what;
  bool is_own;
};
struct stored {
  request what;
  bool is_own;
};
struct committed {
  request what;
};

} // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(datagram)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(proposal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(from_peer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outbound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(entry)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(stored)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(committed)

namespace {

struct replica {
  bool instant;
  yardstick_wire wire;
  caf::actor network, router, raft, log_store;
};

caf::behavior network(caf::event_based_actor* self, replica* r) {
  return {
      [=](datagram& d) {
        rapidjson::Document m;
        if (m.ParseInsitu(d.bytes.data()).HasParseError() || !m.IsObject())
          return;
        const auto member = [&](const char* name) { return std::string(yardstick_wire::text(m, name)); };
        const auto type = yardstick_wire::text(m, "type");
        if (type == "put" || type == "get")
          self->send(r->router,
                     request{member("src"), member("MID"), member("key"), member("value"), type == "put"});
        else if (type == "copy" || type == "copied")
          self->send(r->raft,
                     from_peer{member("src"), member("MID"), member("key"), member("value"), type == "copy"});
      },
      [=](const answer& a) {
        r->wire.send(a.client, a.type, {{"MID", a.mid}, {"value", a.value}});
      },
      [=](const outbound& o) {
        for (const auto& to : o.to)
          r->wire.send(to, o.type, {{"MID", o.what.mid}, {"key", o.what.key}, {"value", o.what.value}});
      },
  };
}

caf::behavior router(caf::event_based_actor* self, replica* r) {
  const auto state = std::make_shared<std::map<std::string, std::string>>();
  return {
      [=](request& asked) {
        if (!r->wire.leads())
          return self->send(r->network, answer{asked.client, asked.mid, {}, "redirect"});
        if (asked.is_put && !r->instant && r->wire.needed() > 0)
          return self->send(r->raft, proposal{std::move(asked)});
        if (asked.is_put)
          (*state)[asked.key] = asked.value;
        self->send(r->network, answer{asked.client, asked.mid, (*state)[asked.key], "ok"});
      },
      [=](const committed& c) {
        (*state)[c.what.key] = c.what.value;
        if (r->wire.leads())
          self->send(r->network, answer{c.what.client, c.what.mid, {}, "ok"});
      },
  };
}

caf::behavior raft(caf::event_based_actor* self, replica* r) {
  struct waiting {
    request what;
    std::size_t copies = 0;
  };
  const auto waits = std::make_shared<std::map<std::string, waiting>>();
  return {
      [=](proposal& p) {
        (*waits)[p.what.mid] = {p.what};
        const auto first = r->wire.peers().begin();
        self->send(r->network,
                   outbound{{first, first + static_cast<std::ptrdiff_t>(r->wire.needed())}, "copy", p.what});
        self->send(r->log_store, entry{std::move(p.what), true});
      },
      [=](from_peer& m) {
        if (m.is_copy)
          return self->send(r->log_store, entry{{m.peer, m.mid, m.key, m.value, true}, false});
        const auto found = waits->find(m.mid);
        if (found == waits->end() || ++found->second.copies < r->wire.needed())
          return;
        self->send(r->router, committed{std::move(found->second.what)});
        waits->erase(found);
      },
      [=](stored& s) {
        if (s.is_own)
          return;
        self->send(r->network, outbound{{s.what.client}, "copied", {{}, s.what.mid, {}, {}, true}});
        self->send(r->router, committed{std::move(s.what)});
      },
  };
}

caf::behavior log_store(caf::event_based_actor* self, replica* r) {
  const auto log = std::make_shared<std::vector<request>>();
  return {
      [=](entry& e) {
        log->push_back(e.what);
        self->send(r->raft, stored{std::move(e.what), e.is_own});
      },
  };
}

} // namespace

int main(int argc, char** argv) {
  replica r{std::string_view(argv[0]).ends_with("instant"), {argc, argv}, {}, {}, {}, {}};
  troupe::actors::loop_system system(troupe::actors::time_source::real);
  r.network = system.system().spawn(network, &r);
  r.router = system.system().spawn(router, &r);
  r.raft = system.system().spawn(raft, &r);
  r.log_store = system.system().spawn(log_store, &r);
  for (;;) {
    system.scheduler().run_jobs();
    caf::anon_send(r.network, datagram{std::string(r.wire.receive())});
  }
}
