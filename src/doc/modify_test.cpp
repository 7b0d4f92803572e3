// SPDX-License-Identifier: MIT OR Apache-2.0
// Changing what a filter finds, over both stores.
#include "doc/modify.hpp"

#include "doc/store_testing.hpp"

namespace vitrine::doc {
namespace {

using testing::contents;
using testing::fails;
using testing::json;
using testing::ok;

template <typename Holder>
class ModifyTest : public testing::StoreTest<Holder> {
 protected:
  struct Outcome {
    Status status;
    std::vector<Change> changes;
  };

  void SetUp() override { ASSERT_TRUE(ok(this->create("c"))); }
  void put_all(const std::vector<std::string>& documents) {
    for (const std::string& text : documents) ASSERT_TRUE(ok(this->put("c", text)));
  }
  static Target target(const std::string& filter, bool many) {
    Target target;
    target.filter = json(filter).bson();
    target.many = many;
    target.steps_max = target.bytes_max = 1'000'000;
    return target;
  }
  Outcome update(const Target& target, const std::string& update, bool upsert = false) {
    Outcome outcome;
    outcome.status = this->write([&](kv::StoreWriter& txn) {
      outcome.changes.clear();
      const Update compiled = Update::compile(json(update).bson()).value();
      return update_documents(txn, open_collection(txn, "c").value(), target, {compiled, upsert, 0},
                              [&](const Change& change) { outcome.changes.push_back(change); });
    });
    return outcome;
  }
  Status remove(const Target& target) {
    return this->write([&](kv::StoreWriter& txn) {
      return remove_documents(txn, open_collection(txn, "c").value(), target, [](const Change&) {});
    });
  }
  std::string all() { return contents(*this->reader(), "c"); }
};

TYPED_TEST_SUITE(ModifyTest, testing::Holders);

TYPED_TEST(ModifyTest, changes_the_first_or_all_that_match) {
  this->put_all({R"({"_id":1,"n":1})", R"({"_id":2,"n":2})", R"({"_id":3,"n":3})"});
  ASSERT_EQ(this->update(this->target(R"({"n":{"$gte":2}})", false), R"({"$inc":{"n":10}})").changes.size(), 1u);
  EXPECT_EQ(this->all(), R"({"_id":1,"n":1}{"_id":2,"n":12}{"_id":3,"n":3})");
  ASSERT_EQ(this->update(this->target(R"({"n":{"$gte":2}})", true), R"({"$set":{"n":3}})").changes.size(), 2u);
  EXPECT_EQ(this->all(), R"({"_id":1,"n":1}{"_id":2,"n":3}{"_id":3,"n":3})");
  Target last = this->target("{}", false);
  last.order = SortOrder::compile(json(R"({"_id":-1})").bson()).value();
  ASSERT_TRUE(ok(this->update(last, R"({"$unset":{"n":1}})").status));
  EXPECT_EQ(this->all(), R"({"_id":1,"n":1}{"_id":2,"n":3}{"_id":3})");
  ASSERT_TRUE(ok(this->remove(last)));
  ASSERT_TRUE(ok(this->remove(this->target(R"({"n":{"$lt":2}})", true))));
  EXPECT_EQ(this->all(), R"({"_id":2,"n":3})");
}

TYPED_TEST(ModifyTest, what_stays_the_same_is_not_written) {
  this->put_all({R"({"_id":1,"n":1})"});
  const std::uint64_t version = this->get("c", "1")->version;
  const auto outcome = this->update(this->target("{}", true), R"({"$set":{"n":1}})");
  ASSERT_EQ(outcome.changes.size(), 1u);
  EXPECT_FALSE(outcome.changes[0].is_modified());
  EXPECT_EQ(this->get("c", "1")->version, version);
  ASSERT_TRUE(ok(this->update(this->target("{}", true), R"({"$set":{"n":2}})").status));
  EXPECT_GT(this->get("c", "1")->version, version);
}

TYPED_TEST(ModifyTest, an_upsert_inserts_what_filter_and_update_say) {
  const auto upsert = [&](const std::string& filter, const std::string& update) {
    return this->update(this->target(filter, false), update, true);
  };
  ASSERT_TRUE(ok(upsert(R"({"_id":5,"a.b":{"$eq":1},"c":{"$gt":7},"$and":[{"d":2}]})",
                        R"({"$inc":{"n":1},"$setOnInsert":{"new":true}})")
                     .status));
  EXPECT_EQ(this->all(), R"({"_id":5,"a":{"b":1},"d":2,"n":1,"new":true})");
  const auto outcome = upsert(R"({"_id":5})", R"({"$inc":{"n":1},"$setOnInsert":{"new":false}})");
  ASSERT_EQ(outcome.changes.size(), 1u);
  EXPECT_TRUE(outcome.changes[0].before);
  EXPECT_EQ(this->all(), R"({"_id":5,"a":{"b":1},"d":2,"n":2,"new":true})");
  EXPECT_TRUE(fails(upsert(R"({"_id":6,"a":1,"$and":[{"a":1}]})", R"({"$set":{"x":1}})").status,
                    ErrorCode::UpdatePathConflict));
  EXPECT_TRUE(fails(upsert(R"({"_id":6})", R"({"$set":{"_id":7}})").status, ErrorCode::DocumentIdChanged));
  EXPECT_TRUE(fails(upsert(R"({"n":99})", R"({"$set":{"_id":5}})").status, ErrorCode::DocumentExists));
}

TYPED_TEST(ModifyTest, versions_guard_against_lost_updates) {
  this->put_all({R"({"_id":1,"n":1})"});
  Target target = this->target(R"({"_id":1})", false);
  target.expected = this->get("c", "1")->version;
  ASSERT_TRUE(ok(this->update(target, R"({"$inc":{"n":1}})").status));
  EXPECT_TRUE(fails(this->update(target, R"({"$inc":{"n":1}})").status, ErrorCode::VersionDiffers));
  EXPECT_TRUE(fails(this->remove(target), ErrorCode::VersionDiffers));
  Target none = this->target(R"({"_id":2})", false);
  none.expected = 7;
  EXPECT_TRUE(fails(this->update(none, R"({"$inc":{"n":1}})", true).status, ErrorCode::VersionDiffers));
  none.expected = 0;
  ASSERT_TRUE(ok(this->update(none, R"({"$inc":{"n":1}})", true).status));
  EXPECT_TRUE(fails(this->update(none, R"({"$inc":{"n":1}})", true).status, ErrorCode::VersionDiffers));
  none.many = true;
  EXPECT_TRUE(fails(this->update(none, R"({"$inc":{"n":1}})").status, ErrorCode::ArgumentInvalid));
}

TYPED_TEST(ModifyTest, stays_inside_its_budget) {
  for (int i = 0; i < 50; ++i) this->put_all({"{\"_id\":" + std::to_string(i) + "}"});
  Target few_steps = this->target("{}", true), few_bytes = few_steps;
  few_steps.steps_max = 20;
  few_bytes.bytes_max = 200;
  EXPECT_TRUE(fails(this->update(few_steps, R"({"$set":{"a":1}})").status, ErrorCode::BudgetExhausted));
  EXPECT_TRUE(fails(this->update(few_bytes, R"({"$set":{"a":1}})").status, ErrorCode::BudgetExhausted));
}

TYPED_TEST(ModifyTest, finds_different_values) {
  this->put_all({R"({"_id":1,"a":[3,"x",[1]]})", R"({"_id":2,"a":3.0})", R"({"_id":3,"b":{"c":1}})",
                 R"({"_id":4,"a":null,"b":[{"c":2},{"c":1}]})"});
  const auto distinct = [&](Bytes path, const std::string& filter, std::uint64_t bytes_max = 1'000'000) {
    const auto txn = this->reader();
    const Document asked = json(filter);
    Query query = Query::compile(asked.bson()).value();
    query.limit = query.steps_max = 1'000'000;
    query.bytes_max = bytes_max;
    return distinct_values(*txn, open_collection(*txn, "c").value(), query, path);
  };
  const auto text = [](const Result<ByteString>& values) { return Document::from_bson(*values).value().to_json(); };
  EXPECT_EQ(text(distinct("a", "{}")), R"({"values":[null,3,"x",[1]]})");
  EXPECT_EQ(text(distinct("b.c", "{}")), R"({"values":[1,2]})");
  EXPECT_EQ(text(distinct("a", R"({"_id":2})")), R"({"values":[3.0]})");
  EXPECT_EQ(text(distinct("x", "{}")), R"({"values":[]})");
  EXPECT_TRUE(fails(distinct("a..b", "{}"), ErrorCode::FilterMalformed));
  EXPECT_TRUE(fails(distinct("a", "{}", 100), ErrorCode::BudgetExhausted));
}

}  // namespace
}  // namespace vitrine::doc
