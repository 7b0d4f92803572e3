// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/schema.hpp"

#include "doc/store_testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::json;
using testing::ok;

Status check(const std::string& schema, const std::string& document) {
  return Schema::compile(json(schema).bson()).value().check(json(document).bson());
}

// "path keyword" of what is wrong, or nothing.
std::string fault(const std::string& schema, const std::string& document) {
  const Status status = check(schema, document);
  if (status.is_ok()) return "";
  EXPECT_EQ(status.code(), ErrorCode::DocumentMalformed);
  return std::string(status.detail("path")).append(" ").append(status.detail("keyword"));
}

// Of one value, the member "v".
bool accepts(const std::string& schema, const std::string& value) {
  return fault("{\"properties\":{\"v\":" + schema + "}}", "{\"v\":" + value + "}").empty();
}

TEST(SchemaTest, knows_the_types_of_json_and_of_bson) {
  EXPECT_TRUE(accepts(R"({"type":"integer"})", "3"));
  EXPECT_TRUE(accepts(R"({"type":"integer"})", "3.0"));
  EXPECT_FALSE(accepts(R"({"type":"integer"})", "3.5"));
  EXPECT_FALSE(accepts(R"({"type":"number"})", "\"3\""));
  EXPECT_TRUE(accepts(R"({"type":["string","null"]})", "null"));
  EXPECT_TRUE(accepts(R"({"bsonType":"date"})", R"({"$date":"2024-01-01T00:00:00Z"})"));
  EXPECT_FALSE(accepts(R"({"bsonType":"int"})", "3.0"));
  EXPECT_TRUE(accepts(R"({"bsonType":"decimal"})", R"({"$numberDecimal":"1"})"));
}

TEST(SchemaTest, compares_numbers_by_value) {
  EXPECT_TRUE(accepts(R"({"minimum":5,"maximum":7})", "5.0"));
  EXPECT_FALSE(accepts(R"({"minimum":5})", R"({"$numberDecimal":"4.999"})"));
  EXPECT_FALSE(accepts(R"({"exclusiveMinimum":5})", "5"));
  EXPECT_FALSE(accepts(R"({"minimum":5,"exclusiveMinimum":true})", "5"));
  EXPECT_TRUE(accepts(R"({"minimum":5})", "\"text\""));
  EXPECT_TRUE(accepts(R"({"multipleOf":0.1})", "0.3"));
  EXPECT_FALSE(accepts(R"({"multipleOf":0.1})", "0.35"));
  EXPECT_TRUE(accepts(R"({"multipleOf":3})", "9"));
  EXPECT_TRUE(accepts(R"({"enum":[1,"a"]})", "1.0"));
  EXPECT_FALSE(accepts(R"({"const":{"a":1}})", R"({"a":2})"));
}

TEST(SchemaTest, measures_text_arrays_and_objects) {
  EXPECT_TRUE(accepts(R"({"maxLength":2})", "\"\xc3\xa4\xc3\xb6\""));
  EXPECT_FALSE(accepts(R"({"minLength":3})", "\"\xc3\xa4\xc3\xb6\""));
  EXPECT_TRUE(accepts(R"({"pattern":"^a.c$"})", "\"abc\""));
  EXPECT_FALSE(accepts(R"({"pattern":"^a.c$"})", "\"abcd\""));
  EXPECT_FALSE(accepts(R"({"maxItems":1})", "[1,2]"));
  EXPECT_FALSE(accepts(R"({"uniqueItems":true})", "[1,1.0]"));
  EXPECT_FALSE(accepts(R"({"minProperties":1})", "{}"));
  EXPECT_TRUE(accepts(R"({"items":{"type":"number"}})", "[1,2]"));
  EXPECT_FALSE(accepts(R"({"items":[{"type":"number"}],"additionalItems":false})", "[1,2]"));
  EXPECT_FALSE(accepts(R"({"prefixItems":[{"type":"string"}]})", "[1]"));
  EXPECT_TRUE(accepts(R"({"contains":{"const":2}})", "[1,2]"));
  EXPECT_FALSE(accepts(R"({"contains":{"const":3}})", "[1,2]"));
}

TEST(SchemaTest, joins_schemas) {
  EXPECT_FALSE(accepts(R"({"allOf":[{"minimum":1},{"maximum":3}]})", "4"));
  EXPECT_TRUE(accepts(R"({"anyOf":[{"type":"string"},{"minimum":1}]})", "4"));
  EXPECT_FALSE(accepts(R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "4"));
  EXPECT_TRUE(accepts(R"({"oneOf":[{"minimum":1},{"minimum":9}]})", "4"));
  EXPECT_FALSE(accepts(R"({"not":{"type":"null"}})", "null"));
  EXPECT_FALSE(accepts(R"({"if":{"type":"number"},"then":{"minimum":5},"else":{"type":"string"}})", "4"));
  EXPECT_TRUE(accepts(R"({"if":{"type":"number"},"then":{"minimum":5},"else":{"type":"string"}})", "\"x\""));
  EXPECT_FALSE(accepts("false", "1"));
}

TEST(SchemaTest, says_where_and_what) {
  const std::string schema = R"({"title":"people","required":["name"],"additionalProperties":false,"properties":{
      "_id":true,"name":{"type":"string"},"tags":{"items":{"properties":{"n":{"minimum":0}}}}},
      "patternProperties":{"^x-":{"type":"null"}}})";
  EXPECT_EQ(fault(schema, R"({"_id":1,"name":"Ada","x-1":null})"), "");
  EXPECT_EQ(fault(schema, R"({"_id":1})"), " required");
  EXPECT_EQ(fault(schema, R"({"name":1})"), "name type");
  EXPECT_EQ(fault(schema, R"({"name":"a","tags":[{},{"n":-1}]})"), "tags.1.n minimum");
  EXPECT_EQ(fault(schema, R"({"name":"a","other":1})"), "other additionalProperties");
  EXPECT_EQ(fault(schema, R"({"name":"a","x-1":1})"), "x-1 type");
}

TEST(SchemaTest, refuses_what_it_does_not_understand) {
  for (const char* schema :
       {R"({"minimun":1})", R"({"type":"text"})", R"({"$ref":"#/x"})", R"({"properties":1})", R"({"required":"a"})",
        R"({"pattern":"("})", R"({"multipleOf":0})", R"({"minLength":-1})", R"({"anyOf":[]})", R"({"enum":1})",
        R"({"properties":{"a":{"typ":"string"}}})", R"({"patternProperties":{"(":true}})"}) {
    EXPECT_TRUE(fails(Schema::compile(json(schema).bson()), ErrorCode::ArgumentInvalid)) << schema;
  }
}

template <typename Holder>
class ValidatorTest : public testing::StoreTest<Holder> {};
TYPED_TEST_SUITE(ValidatorTest, testing::Holders);

TYPED_TEST(ValidatorTest, guards_every_way_of_writing) {
  ASSERT_TRUE(ok(this->create("c")));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":0,"n":"old"})")));
  CollectionOptions options;
  options.validator = json(R"({"properties":{"n":{"type":"number"}}})");
  ASSERT_TRUE(ok(this->write([&](kv::StoreWriter& txn) { return set_options(txn, "c", options); })));
  EXPECT_TRUE(ok(this->put("c", R"({"_id":1,"n":1})")));
  EXPECT_TRUE(fails(this->put("c", R"({"_id":1,"n":"x"})"), ErrorCode::DocumentMalformed));
  EXPECT_TRUE(fails(this->write([&](kv::StoreWriter& txn) {
    return insert_documents(txn, open_collection(txn, "c").value(), {testing::storable(R"({"n":"x"})")});
  }),
                    ErrorCode::DocumentMalformed));
  EXPECT_EQ(testing::contents(*this->reader(), "c"), R"({"_id":0,"n":"old"}{"_id":1,"n":1})");
  options.validator = json(R"({"typo":1})");
  EXPECT_TRUE(fails(this->write([&](kv::StoreWriter& txn) { return set_options(txn, "c", options); }),
                    ErrorCode::ArgumentInvalid));
  ASSERT_TRUE(ok(this->write([&](kv::StoreWriter& txn) { return set_options(txn, "c", {}); })));
  EXPECT_TRUE(ok(this->put("c", R"({"_id":1,"n":"x"})")));
}

}  // namespace
}  // namespace vitrine::doc
