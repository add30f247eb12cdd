// A sequence of datagrams and of stretches of time for a whole replica. Whatever arrives, it goes on: it
// never stops itself, throws or runs in circles, and what it sends fits the transport.
//
// An input is taken apart at newlines. A line of `+` and a number lets so many milliseconds pass; any other
// line is a datagram.

#include "actors/loop.hpp"
#include "actors/memory_storage.hpp"
#include "actors/replica.hpp"
#include "test/fuzz/fuzz.hpp"
#include "test/fuzz/line_mutator.hpp"

#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <string>
#include <vector>

using namespace troupe;
using test::require;

namespace {

/// More jobs than any datagram or deadline can lead to.
constexpr std::size_t too_many_jobs = 100'000;
constexpr std::size_t most_lines = 64;

class checking_edge : public actors::edge {
 public:
  void send(std::string_view message) override {
    require(message.size() <= 65'507, "a message fits the transport");
    require(message.starts_with(R"({"src":"0000","dst":")"), "a message says who sent it");
    require(++sent < 100'000, "a few inputs lead to a few messages");
  }

 private:
  std::size_t sent = 0;
};

class fuzzed_replica {
 public:
  fuzzed_replica() { run(); }

  void take(std::string_view line) {
    std::uint32_t milliseconds = 0;
    if (line.starts_with('+') &&
        std::from_chars(line.data() + 1, line.data() + line.size(), milliseconds).ec == std::errc{})
      return pass(std::chrono::milliseconds(std::min(milliseconds, 10'000U)));
    replica_.receive(std::string(line));
    run();
  }

 private:
  void run() {
    for (std::size_t jobs = 0; system_.scheduler().run_one(); ++jobs)
      require(jobs < too_many_jobs, "work comes to an end");
  }

  void pass(duration d) {
    auto& loop = system_.scheduler();
    const auto end = loop.now() + d;
    for (std::size_t timers = 0; loop.next_timer() <= end; ++timers) {
      require(timers < too_many_jobs, "time goes on");
      loop.run_until(std::max(loop.next_timer(), loop.now()));
    }
    loop.run_until(end);
  }

  static actors::replica_setup setup(checking_edge& edge, actors::storage& disk) {
    raft::options raft;
    raft.max_snapshot_bytes = 1 << 20;
    actors::router_options router;
    router.snapshot_after_bytes = 1'000;
    router.max_parked = 8;
    return {wire::directory("0000", {"0001", "0002"}),
            {},
            raft,
            router,
            &edge,
            &disk,
            {[](actors::log_level, const std::string&) {},
             [](const std::string& why) { require(false, why.c_str()); }},
            nullptr};
  }

  checking_edge edge_;
  actors::memory_storage disk_;
  actors::loop_system system_{actors::time_source::virtual_time};
  actors::replica replica_{system_.system(), setup(edge_, disk_)};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = test::as_text(data, size);
  fuzzed_replica replica;
  for (std::size_t lines = 0; !rest.empty() && lines < most_lines; ++lines) {
    const auto end = std::min(rest.find('\n'), rest.size());
    replica.take(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  replica.take("+5000");
  return 0;
}

// ---- how the fuzzer makes inputs

namespace {

std::string from_peer(std::string_view type, std::string_view fields) {
  return fmt::format(R"({{"src":"0001","dst":"0000","leader":"0001","type":"{}",{}}})", type, fields);
}

std::string from_client(std::string_view type, std::string_view fields) {
  return fmt::format(R"({{"src":"00F1","dst":"0000","leader":"FFFF","type":"{}","MID":"1","key":"k"{}}})",
                     type, fields);
}

/// One of each kind.
const std::vector<std::string>& examples() {
  static const std::vector<std::string> list{
      "+1",
      "+100",
      "+2000",
      from_client("get", ""),
      from_client("put", R"(,"value":"v")"),
      from_client("append", R"(,"value":"v")"),
      from_peer("pre_vote_request", R"("term":1,"last_index":0,"last_term":0)"),
      from_peer("pre_vote_reply", R"("term":0,"campaign":1,"granted":true)"),
      from_peer("vote_request", R"("term":1,"last_index":2,"last_term":1,"transfer":true)"),
      from_peer("vote_reply", R"("term":1,"granted":true,"commit":0)"),
      from_peer("append_request", R"("term":1,"sequence":1,"previous_index":0,"previous_term":0,"commit":0,)"
                                  R"("entries":[[1,"no_op"],[1,"put","00F1","1","k","v"]])"),
      from_peer("append_request", R"("term":2,"sequence":1,"previous_index":1,"previous_term":1,"commit":2,)"
                                  R"("entries":[[1,"configuration",["0000","0001"],["0002"]]])"),
      from_peer("append_accepted", R"("term":1,"sequence":1,"match":1)"),
      from_peer("append_rejected", R"("term":1,"sequence":1,"conflict_term":0,"conflict_index":1)"),
      from_peer("commit_notice", R"("term":1,"commit":1)"),
      from_peer("timeout_now", R"("term":1)"),
      from_peer("snapshot_piece",
                R"("term":1,"sequence":1,"last_index":4,"last_term":1,"voters":["0000","0001"],)"
                R"("learners":["0002"],"offset":0,"data":"x","done":false)"),
      from_peer("snapshot_reply", R"("term":1,"sequence":1,"next_offset":1,"match":0)"),
  };
  return list;
}

} // namespace

// Only the fuzzer has it.
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                                              std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  if (seed % 8 == 0)
    return LLVMFuzzerMutate(data, size, most);
  auto text = test::line_mutator(test::as_text(data, size), examples(), seed).mutated();
  text.resize(std::min(text.size(), most));
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
