// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/update.hpp"

#include "doc/testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::json;
using testing::ok;

constexpr std::uint64_t kNow = 1'700'000'000'123;

Result<ByteString> run(const std::string& update, Bytes document, bool is_insert = false) {
  const Result<Update> compiled = Update::compile(json(update).bson());
  if (!compiled.has_value()) return compiled.status();
  StepBudget budget(1'000'000);
  return compiled->apply(document, {.now_ms = kNow, .is_insert = is_insert, .budget = &budget});
}

std::string updated(const std::string& document, const std::string& update, bool is_insert = false) {
  const Result<ByteString> result = run(update, json(document).bson(), is_insert);
  if (!result.has_value()) return result.status().to_string();
  return Document::from_bson(*result).value().to_json();
}

Status refusal(const std::string& document, const std::string& update) {
  return run(update, json(document).bson()).status();
}

TEST(Update, sets_and_unsets_at_paths) {
  EXPECT_EQ(updated(R"({"_id":1,"a":1})", R"({"$set":{"a":"x","b.c.d":2}})"), R"({"_id":1,"a":"x","b":{"c":{"d":2}}})");
  EXPECT_EQ(updated(R"({"a":[1,{"b":2}]})", R"({"$set":{"a.1.b":3,"a.3":4}})"), R"({"a":[1,{"b":3},null,4]})");
  EXPECT_EQ(updated(R"({"a":{}})", R"({"$set":{"a.0":1}})"), R"({"a":{"0":1}})");
  EXPECT_EQ(updated(R"({"a":{"b":1,"c":2},"d":3})", R"({"$unset":{"a.b":"","d":1,"x.y":1}})"), R"({"a":{"c":2}})");
  EXPECT_EQ(updated(R"({"a":[1,2,3],"s":"x"})", R"({"$unset":{"a.1":1,"a.9":1,"s.t":1}})"),
            R"({"a":[1,null,3],"s":"x"})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$set":{"r":{"$ref":"users","$id":1}}})"),
            R"({"a":1,"r":{"$ref":"users","$id":1}})");
  EXPECT_EQ(updated(R"({"r":{"$ref":"users","$id":1}})", R"({"$set":{"r.$id":2}})"),
            R"({"r":{"$ref":"users","$id":2}})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$set":{}})"), R"({"a":1})");
}

TEST(Update, new_members_stand_in_the_order_of_their_paths) {
  EXPECT_EQ(updated("{}", R"({"$set":{"z":1,"10":1,"b":1},"$inc":{"9":1,"a":1}})"),
            R"({"9":1,"10":1,"a":1,"b":1,"z":1})");
}

TEST(Update, computes_in_the_widest_type) {
  const auto inc = [](const std::string& value, const std::string& by) {
    return updated("{\"a\":" + value + "}", "{\"$inc\":{\"a\":" + by + "}}");
  };
  EXPECT_EQ(inc("1", "2"), R"({"a":3})");
  EXPECT_EQ(inc("2147483647", "1"), R"({"a":2147483648})");
  EXPECT_EQ(inc(R"({"$numberLong":"1"})", "1"), R"({"a":2})");
  EXPECT_EQ(inc("1", "0.5"), R"({"a":1.5})");
  EXPECT_EQ(inc("1.5", R"({"$numberDecimal":"0.10"})"), R"({"a":{"$numberDecimal":"1.60"}})");
  EXPECT_EQ(inc(R"({"$numberDecimal":"18446744073709551615"})", "1"),
            R"({"a":{"$numberDecimal":"18446744073709551616"}})");
  EXPECT_EQ(inc(R"({"$numberDecimal":"9999999999999999999999999999999999"})", R"({"$numberDecimal":"0.5"})"),
            R"({"a":{"$numberDecimal":"1.000000000000000000000000000000000E+34"}})");
  EXPECT_EQ(inc("1e308", "1e308"), R"({"a":{"$numberDouble":"Infinity"}})");
  EXPECT_EQ(updated(R"({"a":6,"b":2147483647,"d":1.5})", R"({"$mul":{"a":7,"b":2,"c":3,"d":2}})"),
            R"({"a":42,"b":4294967294,"d":3.0,"c":0})");
  EXPECT_EQ(updated("{}", R"({"$inc":{"a":7,"b.c":0.5}})"), R"({"a":7,"b":{"c":0.5}})");
  // The type stays: 64 bits remain 64 bits.
  const ByteString wide = run(R"({"$inc":{"a":1}})", json(R"({"a":{"$numberLong":"1"}})").bson()).value();
  EXPECT_EQ(find_member(wide, "a")->type, Type::Int64);
}

TEST(Update, overflow_of_64_bits_is_an_error) {
  const std::string most = R"({"a":9223372036854775807})", least = R"({"a":-9223372036854775808})";
  EXPECT_TRUE(fails(refusal(most, R"({"$inc":{"a":1}})"), ErrorCode::UpdateOverflow));
  EXPECT_TRUE(fails(refusal(least, R"({"$inc":{"a":-1}})"), ErrorCode::UpdateOverflow));
  EXPECT_TRUE(fails(refusal(least, R"({"$mul":{"a":-1}})"), ErrorCode::UpdateOverflow));
  EXPECT_EQ(updated(most, R"({"$inc":{"a":-1}})"), R"({"a":9223372036854775806})");
  EXPECT_EQ(updated(most, R"({"$inc":{"a":{"$numberDecimal":"1"}}})"),
            R"({"a":{"$numberDecimal":"9223372036854775808"}})");
}

TEST(Update, takes_the_lesser_and_the_greater) {
  EXPECT_EQ(updated(R"({"a":5,"b":5,"c":5})", R"({"$min":{"a":3,"b":7,"x":1},"$max":{"c":"text"}})"),
            R"({"a":3,"b":5,"c":"text","x":1})");
  EXPECT_EQ(updated(R"({"a":30})", R"({"$max":{"a":30.0}})"), R"({"a":30})");
}

TEST(Update, renames_members) {
  EXPECT_EQ(updated(R"({"a":1,"b":2})", R"({"$rename":{"a":"c.d"}})"), R"({"b":2,"c":{"d":1}})");
  EXPECT_EQ(updated(R"({"a":1,"b":2})", R"({"$rename":{"a":"b"}})"), R"({"b":1})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$rename":{"x":"y"}})"), R"({"a":1})");
  EXPECT_TRUE(fails(refusal(R"({"a":[{"b":1}]})", R"({"$rename":{"a.0.b":"c"}})"), ErrorCode::UpdateTypeMismatch));
  EXPECT_TRUE(fails(refusal(R"({"a":[],"b":1})", R"({"$rename":{"b":"a.0"}})"), ErrorCode::UpdateTypeMismatch));
  EXPECT_TRUE(fails(refusal(R"({"a":1})", R"({"$rename":{"a":"a"}})"), ErrorCode::UpdatePathConflict));
  EXPECT_TRUE(fails(refusal(R"({"a":1})", R"({"$rename":{"a":"a.b"}})"), ErrorCode::UpdatePathConflict));
}

TEST(Update, pushes_into_arrays) {
  EXPECT_EQ(updated("{}", R"({"$push":{"a":1}})"), R"({"a":[1]})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$push":{"a":[2]}})"), R"({"a":[1,[2]]})");
  EXPECT_EQ(updated(R"({"a":[1,2]})", R"({"$push":{"a":{"$each":[8,9],"$position":1}}})"), R"({"a":[1,8,9,2]})");
  EXPECT_EQ(updated(R"({"a":[1,2]})", R"({"$push":{"a":{"$each":[8],"$position":-1}}})"), R"({"a":[1,8,2]})");
  EXPECT_EQ(updated(R"({"a":[1,2]})", R"({"$push":{"a":{"$each":[8],"$position":-9}}})"), R"({"a":[8,1,2]})");
  EXPECT_EQ(updated(R"({"a":[3,1]})", R"({"$push":{"a":{"$each":[2],"$sort":1}}})"), R"({"a":[1,2,3]})");
  EXPECT_EQ(updated(R"({"a":[3,1]})", R"({"$push":{"a":{"$each":[2],"$sort":-1,"$slice":2}}})"), R"({"a":[3,2]})");
  EXPECT_EQ(updated(R"({"a":[3,1]})", R"({"$push":{"a":{"$each":[2],"$slice":-2}}})"), R"({"a":[1,2]})");
  EXPECT_EQ(updated(R"({"a":[3,1]})", R"({"$push":{"a":{"$each":[],"$slice":0}}})"), R"({"a":[]})");
  EXPECT_EQ(updated(R"({"a":[{"n":2,"k":1},{"n":1},{"n":2,"k":0}]})",
                    R"({"$push":{"a":{"$each":[],"$sort":{"n":-1,"k":1}}}})"),
            R"({"a":[{"n":2,"k":0},{"n":2,"k":1},{"n":1}]})");
  EXPECT_TRUE(fails(refusal(R"({"a":1})", R"({"$push":{"a":1}})"), ErrorCode::UpdateTypeMismatch));
}

TEST(Update, adds_to_sets_by_value) {
  EXPECT_EQ(updated(R"({"a":[1,2.0]})", R"({"$addToSet":{"a":2}})"), R"({"a":[1,2.0]})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$addToSet":{"a":{"$each":[1.0,2,2,3]}}})"), R"({"a":[1,2,3]})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$addToSet":{"a":{"$each":[1,2,2,3,4,5,1.0]}}})"), R"({"a":[1,2,3,4,5]})");
  EXPECT_EQ(updated(R"({"a":[{"x":1,"y":2}]})", R"({"$addToSet":{"a":{"y":2,"x":1}}})"),
            R"({"a":[{"x":1,"y":2},{"y":2,"x":1}]})");
  EXPECT_EQ(updated("{}", R"({"$addToSet":{"a":1}})"), R"({"a":[1]})");
  EXPECT_TRUE(fails(refusal(R"({"a":1})", R"({"$addToSet":{"a":1}})"), ErrorCode::UpdateTypeMismatch));
}

TEST(Update, pulls_and_pops) {
  EXPECT_EQ(updated(R"({"a":[1,2,1.0,[1]]})", R"({"$pull":{"a":1}})"), R"({"a":[2,[1]]})");
  EXPECT_EQ(updated(R"({"a":[1,6,9]})", R"({"$pull":{"a":{"$gte":6}}})"), R"({"a":[1]})");
  EXPECT_EQ(updated(R"({"a":[{"b":1,"c":2},{"b":2},5]})", R"({"$pull":{"a":{"b":1}}})"), R"({"a":[{"b":2},5]})");
  EXPECT_EQ(updated(R"({"a":[{"b":[1,7]},{"b":[2]}]})", R"({"$pull":{"a":{"b":{"$elemMatch":{"$gt":5}}}}})"),
            R"({"a":[{"b":[2]}]})");
  EXPECT_EQ(
      updated(R"({"a":["abc","b",3]})", R"({"$pull":{"a":{"$regularExpression":{"pattern":"^a","options":""}}}})"),
      R"({"a":["b",3]})");
  EXPECT_EQ(updated(R"({"a":[1,2]})", R"({"$pull":{"a":{"$in":[2,3]}}})"), R"({"a":[1]})");
  EXPECT_EQ(updated(R"({"a":[{"$ref":"u","$id":1},2]})", R"({"$pull":{"a":{"$ref":"u","$id":1}}})"), R"({"a":[2]})");
  EXPECT_EQ(updated("{}", R"({"$pull":{"a":1}})"), "{}");
  EXPECT_EQ(updated(R"({"a":[1,2,3]})", R"({"$pop":{"a":1}})"), R"({"a":[1,2]})");
  EXPECT_EQ(updated(R"({"a":[1,2,3]})", R"({"$pop":{"a":-1}})"), R"({"a":[2,3]})");
  EXPECT_EQ(updated(R"({"a":[]})", R"({"$pop":{"a":1,"b":1}})"), R"({"a":[]})");
  EXPECT_TRUE(fails(refusal(R"({"a":1})", R"({"$pull":{"a":1}})"), ErrorCode::UpdateTypeMismatch));
  EXPECT_TRUE(fails(refusal(R"({"a":1})", R"({"$pop":{"a":1}})"), ErrorCode::UpdateTypeMismatch));
}

TEST(Update, knows_the_date_and_what_is_only_for_inserts) {
  EXPECT_EQ(updated("{}", R"({"$currentDate":{"a":true,"b":{"$type":"date"},"c":{"$type":"timestamp"}}})"),
            R"({"a":{"$date":"2023-11-14T22:13:20.123Z"},"b":{"$date":"2023-11-14T22:13:20.123Z"},)"
            R"("c":{"$timestamp":{"t":1700000000,"i":1}}})");
  EXPECT_EQ(updated("{}", R"({"$setOnInsert":{"a":1},"$set":{"b":2}})"), R"({"b":2})");
  EXPECT_EQ(updated("{}", R"({"$setOnInsert":{"a":1},"$set":{"b":2}})", true), R"({"a":1,"b":2})");
}

TEST(Update, keeps_the_id) {
  EXPECT_TRUE(fails(refusal(R"({"_id":1})", R"({"$set":{"_id":2}})"), ErrorCode::DocumentIdChanged));
  EXPECT_TRUE(fails(refusal(R"({"_id":1})", R"({"$unset":{"_id":1}})"), ErrorCode::DocumentIdChanged));
  EXPECT_TRUE(fails(refusal(R"({"_id":1})", R"({"$rename":{"_id":"a"}})"), ErrorCode::DocumentIdChanged));
  EXPECT_EQ(updated(R"({"_id":1,"a":1})", R"({"$set":{"_id":1,"a":2}})"), R"({"_id":1,"a":2})");
}

TEST(Update, refuses_paths_that_meet) {
  for (const char* update : {R"({"$set":{"a":1},"$inc":{"a":1}})", R"({"$set":{"a":1,"a.b":1}})",
                             R"({"$set":{"a.b.c":1},"$unset":{"a.b":1}})", R"({"$rename":{"a":"b"},"$set":{"b.c":1}})",
                             R"({"$push":{"a":1},"$pull":{"a":2}})", R"({"$setOnInsert":{"a":1},"$set":{"a":2}})"}) {
    EXPECT_TRUE(fails(refusal("{}", update), ErrorCode::UpdatePathConflict)) << update;
  }
  EXPECT_TRUE(ok(refusal("{}", R"({"$set":{"a.b":1,"a.c":1,"ab":1}})")));
}

TEST(Update, refuses_what_it_does_not_understand) {
  for (const char* update : {"{}",
                             R"({"a":1})",
                             R"({"$set":{"a":1},"b":1})",
                             R"({"$x":{"a":1}})",
                             R"({"$set":1})",
                             R"({"$set":{"a..b":1}})",
                             R"({"$set":{"":1}})",
                             R"({"$set":{"$a":1}})",
                             R"({"$set":{"a.$":1}})",
                             R"({"$set":{"a.$[]":1}})",
                             R"({"$inc":{"a":"1"}})",
                             R"({"$mul":{"a":null}})",
                             R"({"$rename":{"a":1}})",
                             R"({"$rename":{"a":"b..c"}})",
                             R"({"$push":{"a":{"$each":1}}})",
                             R"({"$push":{"a":{"$slice":1}}})",
                             R"({"$push":{"a":{"$each":[],"$x":1}}})",
                             R"({"$push":{"a":{"$each":[],"$slice":1.5}}})",
                             R"({"$push":{"a":{"$each":[],"$sort":2}}})",
                             R"({"$push":{"a":{"$each":[],"$sort":{}}}})",
                             R"({"$addToSet":{"a":{"$each":[],"$slice":1}}})",
                             R"({"$pop":{"a":0}})",
                             R"({"$currentDate":{"a":1}})",
                             R"({"$currentDate":{"a":{"$type":"x"}}})"}) {
    EXPECT_TRUE(fails(refusal("{}", update), ErrorCode::UpdateMalformed)) << update;
  }
  EXPECT_TRUE(fails(refusal("{}", R"({"$pull":{"a":{"$x":1}}})"), ErrorCode::FilterMalformed));
}

TEST(Update, says_where_a_value_has_the_wrong_type) {
  for (const char* update : {R"({"$set":{"s.x":1}})", R"({"$set":{"n.x":1}})", R"({"$set":{"a.x":1}})",
                             R"({"$inc":{"s":1}})", R"({"$inc":{"n":1}})", R"({"$mul":{"a":1}})"}) {
    const Status status = refusal(R"({"s":"x","n":null,"a":[]})", update);
    EXPECT_TRUE(fails(status, ErrorCode::UpdateTypeMismatch)) << update;
    EXPECT_FALSE(status.detail("path").empty());
    EXPECT_FALSE(status.detail("operator").empty());
  }
}

TEST(Update, stays_inside_the_limits_of_documents) {
  EXPECT_TRUE(fails(refusal(R"({"a":[]})", R"({"$set":{"a.4000000000":1}})"), ErrorCode::DocumentTooLarge));
  EXPECT_TRUE(
      fails(refusal(R"({"a":[],"b":[]})", R"({"$set":{"a.1000000":1,"b.1000000":1}})"), ErrorCode::DocumentTooLarge));
  const std::string half(9 << 20, 'x');
  EXPECT_TRUE(
      fails(refusal("{\"a\":\"" + half + "\"}", "{\"$set\":{\"b\":\"" + half + "\"}}"), ErrorCode::DocumentTooLarge));
  std::string path = "a";
  for (int i = 0; i < 98; ++i) path.append(".a");
  EXPECT_TRUE(ok(refusal("{}", "{\"$set\":{\"" + path + "\":1}}")));
  EXPECT_TRUE(fails(refusal("{}", "{\"$set\":{\"" + path + "\":{\"b\":{}}}}"), ErrorCode::DocumentTooDeep));
  EXPECT_TRUE(fails(refusal("{}", "{\"$set\":{\"" + path + ".a\":1}}"), ErrorCode::DocumentTooDeep));
}

}  // namespace
}  // namespace vitrine::doc
