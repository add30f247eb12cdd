#include "test/protocol/codec_support.hpp"

using namespace troupe;
using namespace troupe::test;

TEST_SUITE_BEGIN("codec: replicas");

TEST_CASE("hello goes to everybody and says no more than that") {
  std::string out;
  make_codec().encode_hello(nobody, out);
  CHECK(out == R"({"src":"0000","dst":"FFFF","leader":"FFFF","type":"hello"})");
}

TEST_CASE("a message carries its fields by name") {
  CHECK(encoded(vote_request{{7}, {3}, {2}, true}, replica_id{0xA2}, nobody) ==
        R"({"src":"0000","dst":"00a2","leader":"FFFF","type":"vote_request",)"
        R"("term":7,"last_index":3,"last_term":2,"transfer":true})");
}

TEST_CASE("entries are arrays without their index") {
  append_request m{{7}, {1}, {3}, {2}, {3}, {}};
  m.entries.push_back(std::make_shared<raft::entry>(raft::entry{{6}, {4}, raft::no_op{}, 0}));
  m.entries.push_back(std::make_shared<raft::entry>(
      raft::entry{{7}, {5}, kv::command{{"00F1", "9"}, kv::cas{"k", "\n", "v"}}, 0}));
  m.entries.push_back(
      std::make_shared<raft::entry>(raft::entry{{7}, {6}, raft::configuration{{{0}, {0xA2}}, {}}, 0}));
  CHECK(encoded(m, other, replica_id{0}) ==
        R"({"src":"0000","dst":"0001","leader":"0000","type":"append_request",)"
        R"("term":7,"sequence":1,"previous_index":3,"previous_term":2,"commit":3,"entries":[[6,"no_op"],)"
        R"([7,"cas","00F1","9","k","\n","v"],[7,"configuration",["0000","00A2"],[]]]})");
}

TEST_CASE("decoded entries know their index, their term and their weight") {
  const auto m = decode_as<from_peer>(append_json(R"([[2,"no_op"],[5,"put","00F1","1","k","v"]])"));
  CHECK(m.from == other);
  CHECK(m.leader == other);
  const auto& entries = std::get<append_request>(m.message).entries;
  REQUIRE(entries.size() == 2);
  CHECK(*entries[0] == raft::entry{{2}, {5}, raft::no_op{}, 0});
  CHECK(*entries[1] == raft::entry{{5}, {6}, kv::command{{"00F1", "1"}, kv::put{"k", "v"}}, 0});
  CHECK(entries[1]->wire_bytes == wire_bytes(entries[1]->payload));
}

TEST_CASE("a leader that is FFFF or a stranger is nobody") {
  const auto leader_in = [](std::string_view leader) {
    return decode_as<from_peer>(
               fmt::format(R"({{"src":"0001","dst":"FFFF","leader":"{}","type":"timeout_now","term":1}})",
                           leader))
        .leader;
  };
  CHECK(leader_in("FFFF") == nobody);
  CHECK(leader_in("0009") == nobody);
  CHECK(leader_in("00A2") == replica_id{0xA2});
}

TEST_CASE("another replica's hello is nothing to act on") {
  decode_as<ignorable>(R"({"src":"0001","dst":"FFFF","leader":"FFFF","type":"hello"})");
}

TEST_CASE("numbers are whole, from 0 to 2^64 - 1") {
  const auto commit = [](std::string_view number) {
    return from_peer_json("commit_notice", fmt::format(R"("term":1,"commit":{})", number));
  };
  CHECK(std::get<commit_notice>(decode_as<from_peer>(commit("18446744073709551615")).message).commit.value ==
        ~0ULL);
  CHECK(problem_of(commit("18446744073709551616")) == decode_problem::out_of_range);
  CHECK(problem_of(commit("-1")) == decode_problem::out_of_range);
  CHECK(problem_of(commit("1.0")) == decode_problem::out_of_range);
  CHECK(problem_of(commit("\"1\"")) == decode_problem::wrong_type);
  CHECK(problem_of(commit("null")) == decode_problem::wrong_type);
  CHECK(problem_of(commit("01")) == decode_problem::malformed);
}

TEST_CASE("a term or an index that no cluster can have reached is dropped before anybody adds to it") {
  const auto problem = [](std::uint64_t term) {
    return problem_of(from_peer_json("timeout_now", fmt::format(R"("term":{})", term)));
  };
  CHECK(problem(std::uint64_t{1} << 62) == decode_problem::inconsistent);
  CHECK(problem_of(append_json("[]", std::uint64_t{1} << 62)) == decode_problem::inconsistent);
  decode_as<from_peer>(
      from_peer_json("timeout_now", fmt::format(R"("term":{})", (std::uint64_t{1} << 62) - 1)));
}

TEST_CASE("a message whose field is missing or of another type is dropped, and the field named") {
  const auto error = decode_as<decode_error>(from_peer_json("vote_reply", R"("term":1,"granted":true)"));
  CHECK(error.kind == decode_problem::missing_field);
  CHECK(error.text == R"("vote_reply" from "0001": "commit" is missing)");
  CHECK(problem_of(from_peer_json("vote_reply", R"("term":1,"granted":1,"commit":0)")) ==
        decode_problem::wrong_type);
  CHECK(problem_of(R"({"src":"0001","dst":"0000","type":"timeout_now","term":1})") ==
        decode_problem::missing_field);
}

TEST_CASE("entries whose terms make no sense are dropped") {
  decode_as<from_peer>(append_json(R"([[2,"no_op"],[2,"no_op"],[5,"no_op"]])"));
  decode_as<from_peer>(append_json(R"([[1,"no_op"]])", 0, 0));
  CHECK(problem_of(append_json(R"([[1,"no_op"]])")) == decode_problem::inconsistent); // before previous_term
  CHECK(problem_of(append_json(R"([[6,"no_op"]])")) == decode_problem::inconsistent); // beyond the term
  CHECK(problem_of(append_json(R"([[3,"no_op"],[2,"no_op"]])")) ==
        decode_problem::inconsistent);                                                      // decreasing
  CHECK(problem_of(append_json(R"([[0,"no_op"]])", 0, 0)) == decode_problem::inconsistent); // no leader's
}

TEST_CASE("entries of another form are dropped") {
  CHECK(problem_of(append_json("{}")) == decode_problem::wrong_type);
  CHECK(problem_of(append_json("[5]")) == decode_problem::wrong_type);
  CHECK(problem_of(append_json("[[]]")) == decode_problem::wrong_type);
  CHECK(problem_of(append_json("[[5,5]]")) == decode_problem::wrong_type);
  CHECK(problem_of(append_json(R"([[5,"no_op",1]])")) == decode_problem::wrong_type);
  CHECK(problem_of(append_json(R"([[5,"get","00F1","1","k"]])")) == decode_problem::unknown_type);
  CHECK(problem_of(append_json(R"([[5,"put","00F1","1","k"]])")) == decode_problem::missing_field);
  CHECK(problem_of(append_json(R"([[5,"put","00F1","1","k","v","w"]])")) == decode_problem::wrong_type);
  CHECK(problem_of(append_json(R"([[5,"configuration",["0001"]]])")) == decode_problem::wrong_type);
  CHECK(problem_of(append_json(R"([[5,"configuration",["1"],[]]])")) == decode_problem::out_of_range);
}

TEST_CASE("what a leader adds by itself weighs no more than the core takes it to") {
  CHECK(wire_bytes(raft::no_op{}) <= raft::no_op_wire_bytes);
  CHECK(wire_bytes(raft::configuration{std::vector<replica_id>(21), std::vector<replica_id>(21)}) <=
        raft::configuration_wire_bytes);
}

TEST_CASE("configurations that nobody may use are dropped") {
  decode_as<from_peer>(append_json(R"([[5,"configuration",["0001","0002"],["0000"]]])"));
  CHECK(problem_of(append_json(R"([[5,"configuration",[],["0001"]]])")) == decode_problem::inconsistent);
  CHECK(problem_of(append_json(R"([[5,"configuration",["0002","0001"],[]]])")) ==
        decode_problem::inconsistent);
  CHECK(problem_of(append_json(R"([[5,"configuration",["0001","0001"],[]]])")) ==
        decode_problem::inconsistent);
  CHECK(problem_of(append_json(R"([[5,"configuration",["0001"],["0001"]]])")) ==
        decode_problem::inconsistent);
  CHECK(problem_of(append_json(R"([[5,"configuration",["FFFF"],[]]])")) == decode_problem::inconsistent);
}

TEST_CASE("messages that contradict Raft are dropped") {
  const auto dropped = [](std::string_view type, std::string_view fields) {
    return problem_of(from_peer_json(type, fields)) == decode_problem::inconsistent;
  };
  CHECK(dropped("vote_request", R"("term":0,"last_index":0,"last_term":0,"transfer":false)"));
  CHECK(dropped("vote_request", R"("term":2,"last_index":1,"last_term":0,"transfer":false)"));
  CHECK(dropped("vote_request", R"("term":2,"last_index":0,"last_term":1,"transfer":false)"));
  CHECK(dropped("pre_vote_request", R"("term":2,"last_index":1,"last_term":3)"));
  CHECK(dropped("pre_vote_reply", R"("term":0,"campaign":0,"granted":true,"hears":"FFFF")"));
  CHECK(dropped("vote_reply", R"("term":0,"granted":true,"commit":0)"));
  CHECK(dropped("append_accepted", R"("term":0,"sequence":1,"match":1)"));
  CHECK(dropped("append_rejected", R"("term":1,"sequence":1,"conflict_term":0,"conflict_index":0)"));
  CHECK(dropped("append_rejected", R"("term":1,"sequence":1,"conflict_term":2,"conflict_index":1)"));
  CHECK(dropped("timeout_now", R"("term":0)"));
  CHECK(dropped("snapshot_reply", R"("term":0,"sequence":1,"next_offset":0,"match":0)"));
  CHECK(problem_of(append_json("[]", 0, 1)) == decode_problem::inconsistent);
  CHECK(problem_of(append_json("[]", 1, 0)) == decode_problem::inconsistent);
  CHECK(problem_of(append_json("[]", 1, 6)) == decode_problem::inconsistent);
  CHECK(dropped("append_request", R"("term":5,"sequence":9,"previous_index":18446744073709551615,)"
                                  R"("previous_term":2,"commit":3,"entries":[[5,"no_op"]])"));
}

TEST_CASE("pieces of no snapshot are dropped") {
  const auto piece = [](int last_index, int last_term, std::string_view voters, std::string_view offset) {
    return from_peer_json("snapshot_piece",
                          fmt::format(R"("term":5,"sequence":1,"last_index":{},"last_term":{},"voters":{},)"
                                      R"("learners":[],"offset":{},"data":"é","done":true)",
                                      last_index, last_term, voters, offset));
  };
  decode_as<from_peer>(piece(1, 1, R"(["0001"])", "18446744073709551613"));
  CHECK(problem_of(piece(0, 0, R"(["0001"])", "0")) == decode_problem::inconsistent);
  CHECK(problem_of(piece(1, 6, R"(["0001"])", "0")) == decode_problem::inconsistent);
  CHECK(problem_of(piece(1, 1, R"(["0002","0001"])", "0")) == decode_problem::inconsistent);
  CHECK(problem_of(piece(1, 1, R"(["0001"])", "18446744073709551614")) == decode_problem::inconsistent);
}

TEST_SUITE_END();
