// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/projection.hpp"

#include "doc/testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::json;
using testing::ok;

std::string project(const std::string& projection, const std::string& document) {
  const Projection compiled = Projection::compile(json(projection).bson()).value();
  return Document::from_bson(compiled.apply(json(document).bson())).value().to_json();
}

constexpr const char* kDocument =
    R"({"_id":1,"a":{"b":2,"c":3},"list":[{"b":1,"c":1},5,[{"b":2}],{"c":2}],"n":[1,2,3,4]})";

TEST(Projection, keeps_paths_and_the_id) {
  EXPECT_EQ(project("{}", R"({"_id":1,"a":2})"), R"({"_id":1,"a":2})");
  EXPECT_EQ(project(R"({"n":1})", kDocument), R"({"_id":1,"n":[1,2,3,4]})");
  EXPECT_EQ(project(R"({"n":true,"_id":0})", kDocument), R"({"n":[1,2,3,4]})");
  EXPECT_EQ(project(R"({"_id":1})", kDocument), R"({"_id":1})");
  EXPECT_EQ(project(R"({"a.c":1,"list.b":1})", kDocument), R"({"_id":1,"a":{"c":3},"list":[{"b":1},[{"b":2}],{}]})");
  EXPECT_EQ(project(R"({"n.x":1,"none":1})", kDocument), R"({"_id":1,"n":[]})");
  EXPECT_EQ(project(R"({"a.b.x":1})", kDocument), R"({"_id":1,"a":{}})");
}

TEST(Projection, drops_paths) {
  EXPECT_EQ(project(R"({"list":0,"a.b":0,"n":false})", kDocument), R"({"_id":1,"a":{"c":3}})");
  EXPECT_EQ(project(R"({"_id":0,"a":0,"n":0,"list.c":0})", kDocument), R"({"list":[{"b":1},5,[{"b":2}],{}]})");
  EXPECT_EQ(project(R"({"a.b.x":0,"list":0,"n":0})", kDocument), R"({"_id":1,"a":{"b":2,"c":3}})");
}

TEST(Projection, takes_parts_of_arrays) {
  EXPECT_EQ(project(R"({"n":{"$slice":2},"_id":1})", R"({"_id":1,"n":[1,2,3],"x":1})"), R"({"_id":1,"n":[1,2],"x":1})");
  EXPECT_EQ(project(R"({"n":{"$slice":-2}})", R"({"n":[1,2,3]})"), R"({"n":[2,3]})");
  EXPECT_EQ(project(R"({"n":{"$slice":[1,1]},"x":1})", R"({"n":[1,2,3],"x":1,"y":2})"), R"({"n":[2],"x":1})");
  EXPECT_EQ(project(R"({"n":{"$slice":[-5,2]}})", R"({"n":[1,2,3]})"), R"({"n":[1,2]})");
  EXPECT_EQ(project(R"({"n":{"$slice":9223372036854775807}})", R"({"n":[1]})"), R"({"n":[1]})");
  EXPECT_EQ(project(R"({"n":{"$slice":1}})", R"({"n":"text"})"), R"({"n":"text"})");
  EXPECT_EQ(project(R"({"n":{"$elemMatch":{"$gt":2}}})", kDocument), R"({"_id":1,"n":[3]})");
  EXPECT_EQ(project(R"({"list":{"$elemMatch":{"c":{"$gt":1}}}})", kDocument), R"({"_id":1,"list":[{"c":2}]})");
  EXPECT_EQ(project(R"({"n":{"$elemMatch":{"$gt":9}}})", kDocument), R"({"_id":1})");
}

TEST(Projection, refuses_what_is_none) {
  for (const char* text : {R"({"a":1,"b":0})", R"({"a":"x"})", R"({"a":{"$huh":1}})", R"({"a":{"$slice":"x"}})",
                           R"({"a":{"$slice":[1,-1]}})", R"({"a":1,"a.b":1})", R"({"a.b":1,"a":1})", R"({"a..b":1})",
                           R"({"a":{"$elemMatch":1}})", R"({"a":{}})"}) {
    EXPECT_TRUE(fails(Projection::compile(json(text).bson()), ErrorCode::FilterMalformed)) << text;
  }
}

}  // namespace
}  // namespace vitrine::doc
