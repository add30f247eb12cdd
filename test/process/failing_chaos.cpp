// troupe-sim chaos, but of the runs that it plays each fails: a client asks for ever for what no message can
// carry.

#include "app/command_line.hpp"
#include "app/sim/chaos.hpp"

namespace {

using namespace troupe;

chaos::outcome play_in_vain(const chaos::schedule& s, const chaos::teller& tell, trace::recorder* recorder) {
  auto hopeless = s;
  chaos::planned_request request;
  request.client = {0xC000};
  request.to = nobody;
  request.operation = kv::put{"k0", std::string(100'000, 'x')};
  request.manners.repeat_after = std::chrono::seconds(1);
  hopeless.requests.push_back(std::move(request));
  return chaos::play(hopeless, tell, recorder);
}

} // namespace

int main(int argc, char** argv) {
  return app::run_program("troupe-sim", 2, [&] { return sim::chaos_command(argc, argv, play_in_vain); });
}
