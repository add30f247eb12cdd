// Arbitrary bytes are taken for a snapshot. Either they are refused, or they are the text of the state they
// give; and it is the same when they arrive in pieces.

#include "protocol/kv/reading.hpp"
#include "test/fuzz/fuzz.hpp"

using namespace troupe;
using test::require;

namespace {

/// In two pieces, and a third of nothing.
bool is_read_in_pieces(std::string_view text) {
  const auto middle = text.size() / 2;
  const auto first = std::string(text.substr(0, middle));
  kv::state_machine::reader reader;
  if (reader.read(first, false) || reader.read(text, false) || reader.read(text, true))
    return false;
  require(reader.take().serialise() == text, "a state has one text, whoever reads it");
  return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = test::as_text(data, size);
  auto restored = kv::state_machine::restore(text);
  if (auto* state = std::get_if<kv::state_machine>(&restored)) {
    require(state->serialise() == text, "a state has one text");
    require(is_read_in_pieces(text), "what can be read can be read in pieces");
    state->apply({{"00F1", "1"}, kv::append{"k", "v"}});
    require(state->remembered({"00F1", "1"}) != nullptr, "a restored state goes on");
  } else {
    require(!is_read_in_pieces(text), "what is refused is refused in pieces");
  }
  return 0;
}
