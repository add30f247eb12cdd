// Arbitrary bytes are taken for a snapshot. Either they are refused, or they are the text of the state they
// give.

#include "protocol/kv/state_machine.hpp"
#include "test/fuzz/fuzz.hpp"

using namespace troupe;
using test::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = test::as_text(data, size);
  auto restored = kv::state_machine::restore(text);
  if (auto* state = std::get_if<kv::state_machine>(&restored)) {
    require(state->serialise() == text, "a state has one text");
    state->apply({{"00F1", "1"}, kv::append{"k", "v"}});
    require(state->remembered({"00F1", "1"}) != nullptr, "a restored state goes on");
  }
  return 0;
}
