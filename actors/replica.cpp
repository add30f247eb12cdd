#include "actors/replica.hpp"

#include "actors/log_store.hpp"
#include "actors/network.hpp"
#include "actors/raft.hpp"
#include "actors/state_reader.hpp"

namespace troupe::actors {

namespace {

std::shared_ptr<raft::snapshot_reader> make_snapshot_reader() { return std::make_shared<state_reader>(); }

/// The actor behind a handle.
template <class Actor, class Handle>
const Actor& inside(const Handle& h) {
  return *static_cast<const Actor*>(caf::actor_cast<caf::abstract_actor*>(h));
}

} // namespace

replica::replica(caf::actor_system& system, replica_setup setup) : rooms_(std::make_shared<actors::rooms>()) {
  const auto self = setup.directory.self();
  setup.host.self = self;
  setup.raft.make_snapshot_reader = make_snapshot_reader;
  auto found = setup.disk->load(); // first of all: it may throw
  raft_setup core{
      self, {setup.directory.members(), {}}, setup.raft, std::move(found), std::move(setup.after_step)};
  const auto& r = rooms_;
  r->raft = system.spawn<raft_runner>(r, std::move(core), setup.host); // first: it may throw, too
  r->log_store = system.spawn<log_store>(r, setup.disk, setup.host);
  r->router = system.spawn<actors::router>(r, self, setup.router, setup.host);
  r->network = system.spawn<network>(r, wire::codec(std::move(setup.directory), setup.transport), setup.out,
                                     setup.direct, setup.host);
  caf::anon_send(r->network, start{});
  caf::anon_send(r->raft, start{});
}

void replica::receive(std::string bytes) {
  const trace::within edge({trace::current.cause, trace::current.lamport, "edge"});
  caf::anon_send(rooms_->network, datagram{std::move(bytes)});
}

void replica::receive(raft::received m) {
  const trace::within edge({trace::current.cause, trace::current.lamport, "edge"});
  caf::anon_send(rooms_->raft, std::move(m));
}

void replica::receive(std::vector<client_request> list) {
  const trace::within edge({trace::current.cause, trace::current.lamport, "edge"});
  caf::anon_send(rooms_->router, client_requests{std::move(list)});
}

void replica::stop() {
  for (const auto& actor : actors())
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

mailbox_depths replica::depths() const {
  return {inside<network>(rooms_->network).depth(), inside<actors::router>(rooms_->router).depth(),
          inside<raft_runner>(rooms_->raft).depth(), inside<log_store>(rooms_->log_store).depth()};
}

const raft::core& replica::core() const { return inside<raft_runner>(rooms_->raft).core(); }

const router& replica::router() const { return inside<actors::router>(rooms_->router); }

std::vector<caf::actor> replica::actors() const {
  return {caf::actor_cast<caf::actor>(rooms_->network), caf::actor_cast<caf::actor>(rooms_->router),
          caf::actor_cast<caf::actor>(rooms_->raft), caf::actor_cast<caf::actor>(rooms_->log_store)};
}

} // namespace troupe::actors
