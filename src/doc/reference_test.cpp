// SPDX-License-Identifier: MIT OR Apache-2.0
// References, over both stores.
#include "doc/reference.hpp"

#include "doc/store_testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::json;
using testing::ok;
using testing::OwnedValue;

std::string reference(const std::string& collection, int id) {
  return "{\"$ref\":\"" + collection + "\",\"$id\":" + std::to_string(id) + "}";
}

template <typename Holder>
class ReferenceTest : public testing::StoreTest<Holder> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ok(this->create("a")));
    ASSERT_TRUE(ok(this->create("b")));
  }
  std::optional<Record> resolve_text(const std::string& text) {
    const Document document = json(text);
    return resolve(*this->reader(), reference_of({Type::Object, document.bson()}).value()).value();
  }
  // The document and the references that stay, as "path:reason".
  std::string deep(Bytes collection, const std::string& id, unsigned depth, std::uint64_t documents = 100,
                   std::uint64_t bytes = kDocumentSizeMax) {
    const Record root = *this->get(collection, id);
    const ResolvedDocument found =
        resolve_deep(*this->reader(), collection, root.bson, {depth, documents, bytes}).value();
    std::string text = Document::from_bson(found.bson).value().to_json();
    for (const UnresolvedReference& left : found.unresolved) {
      static constexpr const char* kReasons[] = {"dangling", "cycle", "depth", "budget"};
      text.append(" ").append(left.path).append(":").append(kReasons[static_cast<int>(left.reason)]);
    }
    return text;
  }
};

TYPED_TEST_SUITE(ReferenceTest, testing::Holders);

TYPED_TEST(ReferenceTest, lead_to_a_document_or_to_nothing) {
  ASSERT_TRUE(ok(this->put("a", R"({"_id":1,"n":"one"})")));
  EXPECT_EQ(Document::from_bson(this->resolve_text(reference("a", 1))->bson).value().to_json(),
            R"({"_id":1,"n":"one"})");
  EXPECT_FALSE(this->resolve_text(reference("a", 2)));
  EXPECT_FALSE(this->resolve_text(reference("no such", 1)));
  EXPECT_FALSE(this->resolve_text(R"({"$ref":"","$id":1})"));
  EXPECT_FALSE(this->resolve_text(R"({"$ref":"a","$id":[1]})"));
  EXPECT_FALSE(this->resolve_text(R"({"$ref":"a","$id":1,"$db":"other"})"));
  for (const char* text : {"{}", R"({"$ref":"a"})", R"({"$ref":1,"$id":1})", R"({"x":1,"$ref":"a","$id":1})"}) {
    const Document document = json(text);
    EXPECT_FALSE(reference_of({Type::Object, document.bson()})) << text;
  }
}

TYPED_TEST(ReferenceTest, are_replaced_as_deep_as_asked) {
  ASSERT_TRUE(ok(this->put("a", "{\"_id\":1,\"to\":[" + reference("b", 1) + ",7]}")));
  ASSERT_TRUE(ok(this->put("b", "{\"_id\":1,\"x\":{\"to\":" + reference("b", 2) + "}}")));
  ASSERT_TRUE(ok(this->put("b", R"({"_id":2})")));
  EXPECT_EQ(this->deep("a", "1", 2), R"({"_id":1,"to":[{"_id":1,"x":{"to":{"_id":2}}},7]})");
  EXPECT_EQ(this->deep("a", "1", 1),
            "{\"_id\":1,\"to\":[{\"_id\":1,\"x\":{\"to\":" + reference("b", 2) + "}},7]} to.0.x.to:depth");
  EXPECT_EQ(this->deep("a", "1", 0), "{\"_id\":1,\"to\":[" + reference("b", 1) + ",7]} to.0:depth");
}

TYPED_TEST(ReferenceTest, two_members_may_mean_one_document_and_only_a_way_back_is_a_cycle) {
  ASSERT_TRUE(ok(this->put("a", "{\"_id\":1,\"x\":" + reference("b", 1) + ",\"y\":" + reference("b", 1) + "}")));
  ASSERT_TRUE(ok(this->put("b", R"({"_id":1})")));
  EXPECT_EQ(this->deep("a", "1", 9), R"({"_id":1,"x":{"_id":1},"y":{"_id":1}})");
  ASSERT_TRUE(ok(this->put("b", "{\"_id\":1,\"back\":" + reference("a", 1) + ",\"me\":" + reference("b", 1) + "}")));
  const std::string kept = "{\"_id\":1,\"back\":" + reference("a", 1) + ",\"me\":" + reference("b", 1) + "}";
  EXPECT_EQ(this->deep("a", "1", 9),
            "{\"_id\":1,\"x\":" + kept + ",\"y\":" + kept + "} x.back:cycle x.me:cycle y.back:cycle y.me:cycle");
  // The same id in another collection, and the same value of another type.
  ASSERT_TRUE(ok(this->put("a", R"({"_id":2,"x":{"$ref":"a","$id":2.0}})")));
  EXPECT_EQ(this->deep("a", "2", 9), R"({"_id":2,"x":{"$ref":"a","$id":2.0}} x:cycle)");
}

TYPED_TEST(ReferenceTest, stay_when_they_dangle_or_the_budget_ends) {
  ASSERT_TRUE(ok(this->put("a", "{\"_id\":1,\"x\":" + reference("b", 9) + ",\"y\":" + reference("c", 1) + "}")));
  EXPECT_EQ(this->deep("a", "1", 9),
            "{\"_id\":1,\"x\":" + reference("b", 9) + ",\"y\":" + reference("c", 1) + "} x:dangling y:dangling");
  ASSERT_TRUE(ok(this->put("b", R"({"_id":1})")));
  ASSERT_TRUE(ok(this->put("a", "{\"_id\":2,\"x\":" + reference("b", 1) + ",\"y\":" + reference("b", 1) + "}")));
  const std::string half = "{\"_id\":2,\"x\":{\"_id\":1},\"y\":" + reference("b", 1) + "} y:budget";
  EXPECT_EQ(this->deep("a", "2", 9, 1), half);
  EXPECT_EQ(this->deep("a", "2", 9, 100, this->get("a", "2")->bson.size() + this->get("b", "1")->bson.size()), half);
}

// A chain that would be deeper than a document may be, and a fan that would be larger.
TYPED_TEST(ReferenceTest, never_make_a_document_that_is_none) {
  for (int i = 0; i < 120; ++i) {
    ASSERT_TRUE(ok(this->put("a", "{\"_id\":" + std::to_string(i) + ",\"to\":" + reference("a", i + 1) + "}")));
  }
  const std::string chain = this->deep("a", "0", 1000, 1000);
  EXPECT_TRUE(chain.ends_with(":budget"));
  ASSERT_TRUE(ok(this->put("b", "{\"_id\":1,\"s\":\"" + std::string(6 << 20, 'x') + "\"}")));
  ASSERT_TRUE(ok(this->put(
      "b", "{\"_id\":2,\"to\":[" + reference("b", 1) + "," + reference("b", 1) + "," + reference("b", 1) + "]}")));
  const std::string fan = this->deep("b", "2", 1000, 1000);
  EXPECT_TRUE(fan.ends_with("} to.2:budget"));
}

TYPED_TEST(ReferenceTest, are_found_from_the_other_side) {
  ASSERT_TRUE(
      ok(this->put("a", "{\"_id\":1,\"x\":[" + reference("b", 1) + "],\"y\":{\"z\":" + reference("b", 1) + "}}")));
  ASSERT_TRUE(ok(this->put("a", "{\"_id\":2,\"x\":" + reference("b", 2) + "}")));
  ASSERT_TRUE(ok(this->put("a", R"({"_id":3,"x":{"$ref":"b","$id":1.0}})")));
  const auto txn = this->reader();
  const OwnedValue one = OwnedValue::of_json("1");
  std::string found;
  const auto search = [&](std::uint64_t steps) {
    StepBudget budget(steps);
    return find_referrers(*txn, open_collection(*txn, "a").value(), {"b", one.value()}, budget,
                          [&](Bytes bson, std::uint64_t, const std::vector<std::string>& paths) {
                            found.append(std::to_string(find_member(bson, kIdName)->as_integer())).append(":");
                            for (const std::string& path : paths) found.append(path).append(" ");
                            return true;
                          });
  };
  EXPECT_EQ(search(1000).value(), 2u);
  EXPECT_EQ(found, "1:x.0 y.z 3:x ");
  EXPECT_TRUE(fails(search(5), ErrorCode::BudgetExhausted));
}

}  // namespace
}  // namespace vitrine::doc
