// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/relaxed_json.hpp"

#include "doc/testing.hpp"
#include "os/testing.hpp"

namespace vitrine {
namespace {

using doc::testing::json;
using doc::testing::rounds;

std::string strict(std::string_view text) {
  const Result<Document> document = document_from_relaxed_json(text);
  return document.has_value() ? document->to_json() : document.status().to_string();
}

Status refusal(std::string_view text) { return take_relaxed_json(text).status(); }

TEST(RelaxedJson, names_need_no_quotes) {
  EXPECT_EQ(strict("{name: 1, _x$2: 2, address.city: 3, $or: [{a: 1}]}"),
            R"({"name":1,"_x$2":2,"address.city":3,"$or":[{"a":1}]})");
  EXPECT_EQ(strict("{true: true, null: null}"), R"({"true":true,"null":null})");
}

TEST(RelaxedJson, quotes_may_be_single) {
  EXPECT_EQ(strict(R"({'a b': 'say "hi"', c: "it's", d: 'it\'s', e: "\x41\u00e9\n"})"),
            "{\"a b\":\"say \\\"hi\\\"\",\"c\":\"it's\",\"d\":\"it's\",\"e\":\"A\xc3\xa9\\n\"}");
  EXPECT_EQ(strict("{a: 'two\nlines'}"), R"({"a":"two\nlines"})");
}

TEST(RelaxedJson, a_comma_may_follow_the_last_element) {
  EXPECT_EQ(strict("{a: [1, 2,], b: {c: 1,},}"), R"({"a":[1,2],"b":{"c":1}})");
  for (const char* const text : {"{,}", "[,]", "[1,,2]", "{a: 1,,}", "[1 2]"}) {
    EXPECT_EQ(refusal(text).code(), ErrorCode::JsonMalformed) << text;
  }
}

TEST(RelaxedJson, calls_stand_for_values) {
  EXPECT_EQ(strict(R"({a: $ref('users', 7), b: $ref("c", UUID("00112233-4455-6677-8899-aabbccddeeff"))})"),
            R"({"a":{"$ref":"users","$id":7},"b":{"$ref":"c","$id":)"
            R"({"$binary":{"base64":"ABEiM0RVZneImaq7zN3u/w==","subType":"04"}}}})");
  EXPECT_EQ(strict(R"({a: ObjectId("0123456789abcdefabcdef00"), b: ISODate("2024-02-29T11:04:56Z")})"),
            R"({"a":{"$oid":"0123456789abcdefabcdef00"},"b":{"$date":"2024-02-29T11:04:56Z"}})");
  EXPECT_EQ(strict(R"({a: new Date("1970-01-01T00:00:00Z"), b: NumberLong(5), c: NumberLong("6"), d: NumberInt(7)})"),
            R"({"a":{"$date":"1970-01-01T00:00:00Z"},"b":5,"c":6,"d":7})");
  EXPECT_EQ(strict("{a: NumberDecimal('1.10'), b: MinKey(), c: MaxKey(), d: NaN, e: -Infinity}"),
            R"({"a":{"$numberDecimal":"1.10"},"b":{"$minKey":1},"c":{"$maxKey":1},)"
            R"("d":{"$numberDouble":"NaN"},"e":{"$numberDouble":"-Infinity"}})");
  for (const char* const text : {"{a: $ref('users')}", "{a: $ref('users', 1, 2)}", "{a: Nothing()}", "{a: bare}"}) {
    EXPECT_EQ(refusal(text).code(), ErrorCode::JsonMalformed) << text;
  }
}

TEST(RelaxedJson, a_regular_expression_stands_between_slashes) {
  EXPECT_EQ(strict(R"({a: /^a\/b\d"\\/im})"),
            R"({"a":{"$regularExpression":{"pattern":"^a/b\\d\"\\\\","options":"im"}}})");
}

TEST(RelaxedJson, a_value_ends_where_it_ends) {
  const JsonValueText value = take_relaxed_json("  {a: 1} , more").value();
  EXPECT_EQ(value.json, R"({"a":1})");
  EXPECT_EQ(value.size, 8u);
  EXPECT_EQ(take_relaxed_json("'a')").value().json, "\"a\"");
  EXPECT_EQ(take_relaxed_json("-1.5e3;").value().json, "-1.5e3");
}

TEST(RelaxedJson, a_refusal_says_where_and_whether_more_text_could_help) {
  EXPECT_EQ(refusal("{a: 1, b: ?}").detail("offset"), "10");
  EXPECT_EQ(refusal("{a: ?").detail("ends"), "");
  for (const char* const text :
       {"", "{", "{a", "{a:", "{a: 1", "{a: 1,", "[", "[1,", "'a", "\"a\\", "{a: $ref(", "/a", "{a: $ref('b', 1"}) {
    EXPECT_EQ(refusal(text).detail("ends"), "early") << text;
  }
}

TEST(RelaxedJson, levels_end_where_those_of_documents_do) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_TRUE(take_relaxed_json(nested(100)).has_value());
  EXPECT_EQ(refusal(nested(101)).code(), ErrorCode::DocumentTooDeep);
  EXPECT_EQ(refusal(std::string(100'000, '[')).code(), ErrorCode::DocumentTooDeep);
}

TEST(RelaxedJson, all_of_json_is_relaxed_json) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  doc::testing::Generator generate(seed);
  for (int round = 0; round < rounds(2000); ++round) {
    const Document document = generate.document();
    for (const JsonForm form : {JsonForm::Relaxed, JsonForm::Canonical}) {
      const std::string text = document.to_json(form);
      EXPECT_EQ(take_relaxed_json(text).value().json, text);
      EXPECT_EQ(document_from_relaxed_json(text).value(), json(text));
    }
  }
}

}  // namespace
}  // namespace vitrine
