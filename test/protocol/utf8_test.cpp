#include "protocol/utf8.hpp"

#include <doctest/doctest.h>
#include <string>

using troupe::is_utf8;

TEST_SUITE_BEGIN("UTF-8");

TEST_CASE("characters of every length are taken, from the first to the last of each") {
  CHECK(is_utf8(""));
  CHECK(is_utf8(std::string_view("\0\x7F", 2)));
  CHECK(is_utf8("\xC2\x80 \xDF\xBF"));
  CHECK(is_utf8("\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF"));
  CHECK(is_utf8("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
}

TEST_CASE("what could have been written shorter is refused") {
  CHECK_FALSE(is_utf8("\xC1\xBF"));
  CHECK_FALSE(is_utf8("\xE0\x9F\xBF"));
  CHECK_FALSE(is_utf8("\xF0\x8F\xBF\xBF"));
}

TEST_CASE("surrogates, and what lies beyond the last character, are refused") {
  CHECK_FALSE(is_utf8("\xED\xA0\x80"));
  CHECK_FALSE(is_utf8("\xED\xBF\xBF"));
  CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));
  CHECK_FALSE(is_utf8("\xF5\x80\x80\x80"));
}

TEST_CASE("a character that is cut off is refused, wherever it stands") {
  const std::string cut[] = {"\xC3", "\xE2\x82", "\xF0\x9F\x8E"};
  for (const auto& c : cut) {
    CHECK_FALSE(is_utf8(c));
    CHECK_FALSE(is_utf8(c + "x"));
    CHECK_FALSE(is_utf8("eight ASCII characters" + c + "and eight more"));
  }
  CHECK_FALSE(is_utf8("\x80"));
}

TEST_SUITE_END();
