// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/json.hpp"

#include <nlohmann/json.hpp>

#include "doc/compare.hpp"
#include "doc/testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::Generator;
using testing::json;
using testing::ok;

std::string relaxed(std::string_view text) { return json(text).to_json(); }
std::string canonical(std::string_view text) { return json(text).to_json(JsonForm::Canonical); }
Status refusal(const std::string& text) { return Document::from_json(text).status(); }

TEST(Json, keeps_the_order_of_members) {
  EXPECT_EQ(relaxed(R"( { "z" : 1 , "a" : [ ] , "m" : { "y" : null , "b" : true } } )"),
            R"({"z":1,"a":[],"m":{"y":null,"b":true}})");
}

TEST(Json, keeps_integers_exactly) {
  EXPECT_EQ(canonical(R"({"v": 2147483647})"), R"({"v":{"$numberInt":"2147483647"}})");
  EXPECT_EQ(canonical(R"({"v": -2147483649})"), R"({"v":{"$numberLong":"-2147483649"}})");
  EXPECT_EQ(relaxed(R"({"v": 9223372036854775807})"), R"({"v":9223372036854775807})");
  EXPECT_EQ(relaxed(R"({"v": -9223372036854775808})"), R"({"v":-9223372036854775808})");
  EXPECT_EQ(relaxed(R"({"v": 18446744073709551615})"), R"({"v":{"$numberDecimal":"18446744073709551615"}})");
  EXPECT_EQ(relaxed(R"({"v": 1234567890123456789012345678901234})"),
            R"({"v":{"$numberDecimal":"1234567890123456789012345678901234"}})");
  EXPECT_TRUE(fails(refusal(R"({"v": 12345678901234567890123456789012345})"), ErrorCode::JsonMalformed));
}

TEST(Json, keeps_doubles_doubles) {
  EXPECT_EQ(relaxed(R"({"v": [1.0, 0.1, 1e3, 5e-324, 1.7976931348623157e308, -0, -0.0]})"),
            R"({"v":[1.0,0.1,1000.0,5e-324,1.7976931348623157e+308,-0.0,-0.0]})");
  EXPECT_TRUE(fails(refusal(R"({"v": 1e309})"), ErrorCode::JsonMalformed));
  EXPECT_TRUE(fails(refusal(R"({"v": 1e-400})"), ErrorCode::JsonMalformed));
}

TEST(Json, escapes_what_must_be_escaped) {
  EXPECT_EQ(relaxed(R"({"\u0061\"": "\u0000\b\t\n\f\r\\\/\u007f\u20ac\ud83d\ude00"})"),
            "{\"a\\\"\":\"\\u0000\\u0008\\t\\n\\u000c\\r\\\\/\\u007f\xe2\x82\xac\xf0\x9f\x98\x80\"}");
}

TEST(Json, writes_both_forms_of_every_type) {
  struct Row {
    std::string in, relaxed, canonical;
  };
  const std::vector<Row> rows = {
      {"1", "1", R"({"$numberInt":"1"})"},
      {R"({"$numberLong": "1"})", "1", R"({"$numberLong":"1"})"},
      {"1.5", "1.5", R"({"$numberDouble":"1.5"})"},
      {R"({"$numberDouble": "-Infinity"})", R"({"$numberDouble":"-Infinity"})", R"({"$numberDouble":"-Infinity"})"},
      {R"({"$numberDouble": "NaN"})", R"({"$numberDouble":"NaN"})", R"({"$numberDouble":"NaN"})"},
      {R"({"$numberDecimal": "1.10"})", R"({"$numberDecimal":"1.10"})", R"({"$numberDecimal":"1.10"})"},
      {R"({"$oid": "0123456789abcdefABCDEF00"})", R"({"$oid":"0123456789abcdefabcdef00"})",
       R"({"$oid":"0123456789abcdefabcdef00"})"},
      {R"({"$date": "2024-02-29T12:34:56.7+01:30"})", R"({"$date":"2024-02-29T11:04:56.700Z"})",
       R"({"$date":{"$numberLong":"1709204696700"}})"},
      {R"({"$date": "1969-12-31T23:59:59Z"})", R"({"$date":{"$numberLong":"-1000"}})",
       R"({"$date":{"$numberLong":"-1000"}})"},
      {R"({"$date": {"$numberLong": "253402300800000"}})", R"({"$date":{"$numberLong":"253402300800000"}})",
       R"({"$date":{"$numberLong":"253402300800000"}})"},
      {R"({"$binary": {"subType": "0", "base64": "AP8="}})", R"({"$binary":{"base64":"AP8=","subType":"00"}})",
       R"({"$binary":{"base64":"AP8=","subType":"00"}})"},
      {R"({"$uuid": "00112233-4455-6677-8899-aabbccddeeff"})",
       R"({"$binary":{"base64":"ABEiM0RVZneImaq7zN3u/w==","subType":"04"}})",
       R"({"$binary":{"base64":"ABEiM0RVZneImaq7zN3u/w==","subType":"04"}})"},
      {R"({"$regularExpression": {"pattern": "^a/\"", "options": "xi"}})",
       R"({"$regularExpression":{"pattern":"^a/\"","options":"ix"}})",
       R"({"$regularExpression":{"pattern":"^a/\"","options":"ix"}})"},
      {R"({"$timestamp": {"t": 4294967295, "i": 1}})", R"({"$timestamp":{"t":4294967295,"i":1}})",
       R"({"$timestamp":{"t":4294967295,"i":1}})"},
      {R"({"$minKey": 1})", R"({"$minKey":1})", R"({"$minKey":1})"},
      {R"({"$maxKey": 1})", R"({"$maxKey":1})", R"({"$maxKey":1})"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(relaxed("{\"v\":" + row.in + "}"), "{\"v\":" + row.relaxed + "}");
    EXPECT_EQ(canonical("{\"v\":" + row.in + "}"), "{\"v\":" + row.canonical + "}");
  }
}

TEST(Json, refuses_wrappers_that_are_not_exactly_one) {
  for (const std::string text : {R"({"$oid": "00"})",
                                 R"({"$oid": "0123456789abcdefabcdef0g"})",
                                 R"({"$oid": 1})",
                                 R"({"$oid": "0123456789abcdefabcdef00", "x": 1})",
                                 R"({"$numberInt": "2147483648"})",
                                 R"({"$numberInt": " 1"})",
                                 R"({"$numberLong": "9223372036854775808"})",
                                 R"({"$numberLong": 1})",
                                 R"({"$numberDouble": "inf"})",
                                 R"({"$numberDouble": "1x"})",
                                 R"({"$numberDecimal": "x"})",
                                 R"({"$numberDecimal": "12345678901234567890123456789012345"})",
                                 R"({"$date": "2024-02-30T00:00:00Z"})",
                                 R"({"$date": "2024-02-28T24:00:00Z"})",
                                 R"({"$date": "2024-02-28T00:00:00"})",
                                 R"({"$date": "2024-02-28"})",
                                 R"({"$date": 1.5})",
                                 R"({"$binary": "AAAA"})",
                                 R"({"$binary": {"base64": "A", "subType": "00"}})",
                                 R"({"$binary": {"base64": "AAAA", "subType": "100"}})",
                                 R"({"$binary": {"base64": "AAAA"}})",
                                 R"({"$uuid": "00112233445566778899aabbccddeeff"})",
                                 R"({"$regularExpression": {"pattern": "a"}})",
                                 R"({"$regularExpression": {"pattern": "a\u0000", "options": ""}})",
                                 R"({"$timestamp": {"t": -1, "i": 1}})",
                                 R"({"$timestamp": {"t": 1, "i": 4294967296}})",
                                 R"({"$minKey": 2})",
                                 R"({"$maxKey": true})"}) {
    EXPECT_TRUE(fails(refusal("{\"v\":" + text + "}"), ErrorCode::JsonMalformed)) << text;
  }
}

TEST(Json, refuses_a_name_twice_and_a_name_with_a_zero_byte) {
  EXPECT_TRUE(fails(refusal(R"({"a": 1, "b": {"x": 1, "y": 2, "x": 3}})"), ErrorCode::DocumentMalformed));
  EXPECT_TRUE(fails(refusal(R"({"a": 1, "\u0061": 2})"), ErrorCode::DocumentMalformed));
  EXPECT_TRUE(fails(refusal(R"({"a\u0000": 1})"), ErrorCode::DocumentMalformed));
  std::string many = "{\"b\":{\"a\":0";
  for (int i = 0; i < 40; ++i) many.append(",\"").append(std::to_string(i)).append("\":0");
  EXPECT_TRUE(ok(Document::from_json(many + "}}")));
  EXPECT_TRUE(fails(refusal(many + ",\"a\":1}}"), ErrorCode::DocumentMalformed));
  EXPECT_TRUE(fails(refusal(many + ",\"39\":1}}"), ErrorCode::DocumentMalformed));
}

TEST(Json, refuses_what_bson_could_not_hold) {
  for (const char* text : {"{\"a\":\"\xff\"}", "{\"\xff\":1}", R"({"a":"\ud800"})", R"({"\udc00":1})"}) {
    EXPECT_TRUE(fails(refusal(text), ErrorCode::JsonMalformed)) << text;
  }
  const std::string old_binary = R"({"a":{"$binary":{"base64":"AAAA","subType":"02"}}})";
  EXPECT_TRUE(fails(refusal(old_binary), ErrorCode::DocumentMalformed));
  EXPECT_TRUE(fails(refusal("{\"b\":[" + old_binary + "]}"), ErrorCode::DocumentMalformed));
}

TEST(Json, takes_a_hundred_levels_and_not_one_more) {
  const auto nested = [](std::size_t levels) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text.append("{\"a\":");
    return text.append("1").append(levels, '}');
  };
  EXPECT_TRUE(ok(Document::from_json(nested(kDocumentDepthMax))));
  EXPECT_TRUE(fails(refusal(nested(kDocumentDepthMax + 1)), ErrorCode::DocumentTooDeep));
  const auto around = [](std::size_t levels, const std::string& value) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text.append("{\"a\":");
    return text.append(value).append(levels, '}');
  };
  // What is empty is a level, too.
  for (const char* empty : {"{}", "[]"}) {
    EXPECT_TRUE(ok(Document::from_json(around(kDocumentDepthMax - 1, empty))));
    EXPECT_TRUE(fails(refusal(around(kDocumentDepthMax, empty)), ErrorCode::DocumentTooDeep));
  }
  EXPECT_TRUE(fails(refusal("{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}"),
                    ErrorCode::DocumentTooDeep));
}

TEST(Json, takes_sixteen_mebibytes_and_not_one_byte_more) {
  const std::size_t around = json(R"({"s": ""})").bson().size();
  const std::string most(kDocumentSizeMax - around, 'x');
  EXPECT_TRUE(ok(Document::from_json("{\"s\":\"" + most + "\"}")));
  EXPECT_TRUE(fails(refusal("{\"s\":\"" + most + "x\"}"), ErrorCode::DocumentTooLarge));
}

TEST(Json, refuses_what_is_not_one_object) {
  for (const std::string text : {"",
                                 " ",
                                 "null",
                                 "1",
                                 "\"a\"",
                                 "[]",
                                 "{",
                                 "}",
                                 "{}}",
                                 "{} {}",
                                 "{}x",
                                 "{,}",
                                 R"({"a"})",
                                 R"({"a":})",
                                 R"({"a":1,})",
                                 R"({"a":1 "b":2})",
                                 R"({"a" 1})",
                                 R"({a:1})",
                                 R"({'a':1})",
                                 R"({1:1})",
                                 R"({"a":1 2})",
                                 R"({"a":[1,]})",
                                 R"({"a":[,1]})",
                                 R"({"a":[1 2]})",
                                 R"({"a":[1})",
                                 R"({"a":[1}])",
                                 R"({"a":01})",
                                 R"({"a":+1})",
                                 R"({"a":1.})",
                                 R"({"a":.5})",
                                 R"({"a":1e})",
                                 R"({"a":1e+})",
                                 R"({"a":-})",
                                 R"({"a":0x10})",
                                 R"({"a":NaN})",
                                 R"({"a":Infinity})",
                                 R"({"a":nul})",
                                 R"({"a":nulll})",
                                 R"({"a":True})",
                                 R"({"a":truefalse})",
                                 R"({"a":"\x"})",
                                 R"({"a":"\u12"})",
                                 R"({"a":"\ud800"})",
                                 R"({"a":"\udc00\ud800"})",
                                 "{\"a\":\"\t\"}",
                                 "{\"a\":\"\xff\"}",
                                 "{\"a\":\"\xc0\x80\"}",
                                 "{\"a\":\"\xed\xa0\x80\"}",
                                 R"({"a":"b)",
                                 R"({"a":1}//)",
                                 R"({/**/"a":1})",
                                 "{\"a\":1}\x01"}) {
    EXPECT_TRUE(fails(refusal(text), ErrorCode::JsonMalformed)) << text;
  }
}

TEST(Json, says_where_the_text_is_wrong) { EXPECT_EQ(refusal(R"({"a": 1, "b": tru})").detail("offset"), "14"); }

// Both forms read back: canonical to the same bytes, relaxed to an equal value.
TEST(Json, random_documents_survive_both_forms) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Generator generator(seed);
  for (int round = testing::rounds(20'000); round-- > 0;) {
    const Document document = generator.document();
    ASSERT_EQ(json(document.to_json(JsonForm::Canonical)), document);
    ASSERT_EQ(compare_documents(json(document.to_json()).bson(), document.bson()), 0) << document.to_json();
  }
}

// Random changes of good text: what another parser refuses is refused, and what it accepts is accepted but for the
// rules that we add.
TEST(Json, agrees_with_another_parser_on_damaged_text) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Generator generator(seed);
  base::Prng& random = generator.random();
  static constexpr std::string_view kPieces[] = {"{",  "}",    "[",    "]", ",",  ":",     "\"", "1", "-",    ".",
                                                 "e5", "null", "true", " ", "\\", "\\u00", "0",  "x", "\x80", "\"a\":"};
  int accepted = 0;
  for (int round = testing::rounds(100'000); round-- > 0;) {
    std::string text = R"({"a":[1,-2.5e3,"x\n",{"b":null}],"c":{"d":true,"e":[[],{}]},"f":"\u00e9"})";
    for (std::uint64_t i = 1 + random.below(2); i-- > 0;) {
      text.replace(random.below(text.size()), random.below(3), kPieces[random.below(std::size(kPieces))]);
    }
    const bool expected = nlohmann::json::accept(text);
    const Result<Document> read = Document::from_json(text);
    const Status status = read.status();
    if (status.is_ok()) {
      ASSERT_TRUE(expected) << text;
      ASSERT_TRUE(ok(check_document(read->bson()))) << text;
      ++accepted;
    } else if (status.code() == ErrorCode::JsonMalformed && text.starts_with("{")) {
      const bool is_number_rule = status.message().find("range of doubles") != std::string_view::npos;
      ASSERT_TRUE(!expected || is_number_rule) << text << ": " << status.to_string();
    }
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace vitrine::doc
