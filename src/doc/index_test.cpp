// SPDX-License-Identifier: MIT OR Apache-2.0
// Indexes over both stores: each equals its recomputation, and what they find is what a scan finds.
#include "doc/index.hpp"

#include "doc/filter_testing.hpp"
#include "doc/index_verify.hpp"
#include "doc/indexes.hpp"
#include "doc/query.hpp"
#include "doc/store_testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::FilterGenerator;
using testing::Holders;
using testing::json;
using testing::ok;
using testing::OwnedValue;

IndexDefinition index_on(const std::string& key, Bytes name = "i") {
  return IndexDefinition{.name = ByteString(name), .key = json(key)};
}

template <typename Holder>
class IndexTest : public testing::StoreTest<Holder> {
 protected:
  IndexTest() { EXPECT_TRUE(ok(testing::StoreTest<Holder>::create("c"))); }
  void TearDown() override {
    std::vector<Finding> findings;
    EXPECT_TRUE(ok(verify_indexes(*this->reader(), findings)));
    for (const Finding& finding : findings) ADD_FAILURE() << finding.code << " " << finding.message;
  }

  Status create(const IndexDefinition& definition) {
    return this->write(
        [&](kv::StoreWriter& txn) { return create_index(txn, open_collection(txn, "c").value(), definition); });
  }
  Status put(const std::string& text) { return testing::StoreTest<Holder>::put("c", text); }
  Status remove(const std::string& id) {
    return this->write([&](kv::StoreWriter& txn) {
      return remove_document(txn, open_collection(txn, "c").value(), OwnedValue::of_json(id).value(), {}).status();
    });
  }
  // Ids of what a query finds, in order.
  std::string find(const std::string& filter, const std::string& sort = "{}", Bytes hint = {},
                   QueryRun* run = nullptr) {
    const Document compiled = json(filter), order = json(sort);
    Query query = Query::compile(compiled.bson()).value();
    query.order = SortOrder::compile(order.bson()).value();
    query.hint = hint;
    std::string ids;
    const auto txn = this->reader();
    const auto visit = [&](Bytes bson, std::uint64_t) {
      ids.append(" ").append(DocumentId::of(Document::from_bson(bson).value()).value().to_json());
      return true;
    };
    collection_ = open_collection(*txn, "c").value();
    const auto count = run_query(*txn, collection_, query, visit, run);
    return ok(count) ? ids : std::string(" ") + std::string(error_name(count.status().code()));
  }
  // The same, and it must have read the index.
  std::string find_by_index(const std::string& filter, const std::string& sort = "{}") {
    QueryRun run;
    const std::string ids = find(filter, sort, {}, &run);
    EXPECT_FALSE(run.plan.is_by_id()) << filter;
    EXPECT_EQ(find(filter, sort, "$scan"), ids) << filter;
    return ids;
  }

 private:
  Collection collection_;  // plans point into it
};

TYPED_TEST_SUITE(IndexTest, Holders);

TYPED_TEST(IndexTest, is_listed_until_it_is_dropped_and_gone_with_its_collection) {
  IndexDefinition full = index_on(R"({"a": -1, "b.c": 1})", "full");
  full.unique = full.sparse = true;
  full.partial = json(R"({"a": {"$gt": 5}})");
  full.expire_after_s = 60;
  ASSERT_TRUE(ok(this->create(full)));
  ASSERT_TRUE(ok(this->create(index_on(R"({"a": 1})", "plain"))));
  EXPECT_TRUE(fails(this->create(index_on(R"({"z": 1})", "plain")), ErrorCode::IndexExists));
  const auto list = [&] { return list_indexes(open_collection(*this->reader(), "c").value()).value(); };
  ASSERT_EQ(list().size(), 2u);
  const IndexDefinition first = list()[0].definition;
  EXPECT_EQ(first.name, "full");
  EXPECT_EQ(first.key.to_json(), R"({"a":-1,"b.c":1})");
  EXPECT_EQ(first.partial.to_json(), R"({"a":{"$gt":5}})");
  EXPECT_TRUE(first.unique && first.sparse && first.expire_after_s == 60u);
  const auto drop = [&](Bytes name) {
    return this->write([&](kv::StoreWriter& txn) { return drop_index(txn, open_collection(txn, "c").value(), name); });
  };
  ASSERT_TRUE(ok(this->put(R"({"_id": 1, "a": 7})")));
  ASSERT_TRUE(ok(drop("plain")));
  EXPECT_TRUE(fails(drop("plain"), ErrorCode::IndexNotFound));
  EXPECT_EQ(list().size(), 1u);
  ASSERT_TRUE(ok(this->write([](kv::StoreWriter& txn) { return drop_collection(txn, "c"); })));
  const auto count = this->reader()->scan("\x03", "\xff", {}, [](Bytes, Bytes) { return true; });
  EXPECT_EQ(count.value(), 0u);
}

TYPED_TEST(IndexTest, refuses_definitions_that_are_none) {
  for (const char* key : {"{}", R"({"a": 0})", R"({"a": "x"})", R"({"a..b": 1})", R"({"a": 1.0})"}) {
    EXPECT_TRUE(fails(this->create(index_on(key)), ErrorCode::IndexMalformed)) << key;
  }
  EXPECT_TRUE(fails(this->create(index_on(R"({"a": 1})", "")), ErrorCode::IndexMalformed));
  IndexDefinition partial = index_on(R"({"a": 1})");
  partial.partial = json(R"({"a": {"$huh": 1}})");
  EXPECT_TRUE(fails(this->create(partial), ErrorCode::FilterMalformed));
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(ok(this->create(index_on(R"({"a": 1})", std::to_string(i)))));
  EXPECT_TRUE(fails(this->create(index_on(R"({"a": 1})", "64")), ErrorCode::IndexMalformed));
}

TYPED_TEST(IndexTest, finds_what_a_scan_finds) {
  ASSERT_TRUE(ok(this->put(R"({"_id": 1, "a": 30, "b": "x"})")));
  ASSERT_TRUE(ok(this->create(index_on(R"({"a": 1})", "a"))));
  ASSERT_TRUE(ok(this->create(index_on(R"({"b": -1, "a": 1})", "b_a"))));
  ASSERT_TRUE(ok(this->put(R"({"_id": 2, "a": 30.0, "b": "y"})")));
  ASSERT_TRUE(ok(this->put(R"({"_id": 3, "a": [5, 99], "b": "x"})")));
  ASSERT_TRUE(ok(this->put(R"({"_id": 4})")));
  ASSERT_TRUE(ok(this->put(R"({"_id": 5, "a": null, "b": "x"})")));
  ASSERT_TRUE(ok(this->put(R"({"_id": 6, "a": [], "b": {"$numberDouble": "NaN"}})")));
  EXPECT_EQ(this->find_by_index(R"({"a": 30})"), " 1 2");
  EXPECT_EQ(this->find_by_index(R"({"a": null})"), " 4 5");
  EXPECT_EQ(this->find_by_index(R"({"a": []})"), " 6");
  EXPECT_EQ(this->find_by_index(R"({"a": [5, 99]})"), " 3");
  // Different elements meet the two bounds; within $elemMatch one must.
  EXPECT_EQ(this->find_by_index(R"({"a": {"$gt": 50, "$lt": 10}})"), " 3");
  EXPECT_EQ(this->find_by_index(R"({"a": {"$elemMatch": {"$gt": 50, "$lt": 100}}})"), " 3");
  EXPECT_EQ(this->find_by_index(R"({"a": {"$elemMatch": {"$gt": 50, "$lt": 10}}})"), "");
  EXPECT_EQ(this->find_by_index(R"({"a": {"$in": [99, 30, "q"]}})"), " 1 2 3");
  EXPECT_EQ(this->find_by_index(R"({"b": {"$regex": "^x"}})"), " 1 3 5");
  EXPECT_EQ(this->find_by_index(R"({"$or": [{"a": 99}, {"b": "y"}, {"_id": 4}]})"), " 2 3 4");
  EXPECT_EQ(this->find_by_index(R"({"b": "x"})", R"({"a": 1})"), " 5 3 1");
  EXPECT_EQ(this->find_by_index(R"({"b": "x"})", R"({"a": -1})"), " 3 1 5");
  EXPECT_EQ(this->find_by_index(R"({})", R"({"a": -1})"), " 3 1 2 4 5 6");
  EXPECT_EQ(this->find_by_index(R"({"a": {"$lte": 30}})", R"({"a": 1})"), " 3 1 2");
}

TYPED_TEST(IndexTest, picks_the_index_with_the_fewest_entries_and_heeds_a_hint) {
  ASSERT_TRUE(ok(this->create(index_on(R"({"few": 1})", "few"))));
  ASSERT_TRUE(ok(this->create(index_on(R"({"many": 1})", "many"))));
  ASSERT_TRUE(ok(this->write([](kv::StoreWriter& txn) -> Status {
    std::vector<ByteString> documents;
    for (int i = 0; i < 500; ++i) {
      const std::string n = std::to_string(i), few = std::to_string(i % 50), many = std::to_string(i % 2);
      const Document document = json("{\"_id\":" + n + ",\"few\":" + few + ",\"many\":" + many + "}");
      documents.emplace_back(document.bson());
    }
    return insert_documents(txn, open_collection(txn, "c").value(), testing::views(documents));
  })));
  QueryRun run;
  const std::string found = this->find(R"({"many": 1, "few": 7})", "{}", {}, &run);
  EXPECT_EQ(run.plan.reads.front().index->name, "few");
  EXPECT_EQ(run.keys_examined, 10u);
  EXPECT_EQ(run.documents_examined, 10u);
  EXPECT_EQ(this->find(R"({"many": 1, "few": 7})", "{}", "many", &run), found);
  EXPECT_EQ(run.plan.reads.front().index->name, "many");
  EXPECT_EQ(this->find(R"({"many": 1, "few": 7})", "{}", "$scan", &run), found);
  EXPECT_EQ(this->find(R"({"many": 1})", "{}", "none"), " INDEX_OPEN_NOT_FOUND");
}

TYPED_TEST(IndexTest, a_unique_index_refuses_a_second_document_and_changes_nothing) {
  IndexDefinition unique = index_on(R"({"a": 1, "b": 1})", "pair");
  unique.unique = true;
  ASSERT_TRUE(ok(this->create(unique)));
  const std::string same = std::string(1000, 'x');  // longer than the keys of a store
  ASSERT_TRUE(ok(this->put("{\"_id\": 1, \"a\": \"" + same + "\", \"b\": 30}")));
  ASSERT_TRUE(ok(this->put("{\"_id\": 2, \"a\": \"" + same + "\", \"b\": 31}")));
  const Status refused = this->put("{\"_id\": 3, \"a\": \"" + same + "\", \"b\": 30.0}");
  EXPECT_TRUE(fails(refused, ErrorCode::IndexDuplicate));
  EXPECT_NE(refused.to_string().find("pair"), std::string::npos) << refused.to_string();
  EXPECT_TRUE(fails(this->put("{\"_id\": 2, \"a\": \"" + same + "\", \"b\": 30}"), ErrorCode::IndexDuplicate));
  ASSERT_TRUE(ok(this->put("{\"_id\": 1, \"a\": \"" + same + "\", \"b\": 30.0}")));  // itself
  ASSERT_TRUE(ok(this->remove("1")));
  ASSERT_TRUE(ok(this->put("{\"_id\": 3, \"a\": \"" + same + "\", \"b\": 30}")));
  ASSERT_TRUE(ok(this->put(R"({"_id": 4})")));
  EXPECT_TRUE(fails(this->put(R"({"_id": 5, "a": null})"), ErrorCode::IndexDuplicate));
  // Many at once: none of them.
  EXPECT_TRUE(fails(this->write([](kv::StoreWriter& txn) {
    const std::vector<ByteString> pair = {storable_document(json(R"({"_id": 7, "a": 1})").bson()).value(),
                                          storable_document(json(R"({"_id": 8, "a": 1})").bson()).value()};
    return insert_documents(txn, open_collection(txn, "c").value(), testing::views(pair));
  }),
                    ErrorCode::IndexDuplicate));
  EXPECT_EQ(this->find("{}"), " 2 3 4");
  IndexDefinition late = index_on(R"({"a": 1})", "late");
  late.unique = true;
  EXPECT_TRUE(fails(this->create(late), ErrorCode::IndexDuplicate));
  EXPECT_EQ(list_indexes(open_collection(*this->reader(), "c").value())->size(), 1u);
}

TYPED_TEST(IndexTest, sparse_and_partial_indexes_answer_only_what_they_hold) {
  IndexDefinition sparse = index_on(R"({"a": 1})", "sparse"), partial = index_on(R"({"b": 1})", "partial");
  sparse.sparse = true;
  partial.partial = json(R"({"b": {"$gte": 10}, "ok": true})");
  ASSERT_TRUE(ok(this->create(sparse)));
  ASSERT_TRUE(ok(this->create(partial)));
  ASSERT_TRUE(ok(this->put(R"({"_id": 1, "a": 1, "b": 5, "ok": true})")));
  ASSERT_TRUE(ok(this->put(R"({"_id": 2, "b": 10, "ok": true})")));
  ASSERT_TRUE(ok(this->put(R"({"_id": 3, "a": null, "b": 20, "ok": false})")));
  EXPECT_EQ(this->find_by_index(R"({"a": 1})"), " 1");
  EXPECT_EQ(this->find_by_index(R"({"a": {"$exists": true}})", R"({"a": 1})"), " 3 1");
  EXPECT_EQ(this->find(R"({"a": null})"), " 2 3");
  EXPECT_EQ(this->find(R"({"a": null})", "{}", "sparse"), " QUERY_PLAN_HINT");
  EXPECT_EQ(this->find("{}", R"({"a": 1})"), " 2 3 1");
  EXPECT_EQ(this->find_by_index(R"({"b": {"$gt": 10}, "ok": true})"), "");
  EXPECT_EQ(this->find_by_index(R"({"b": 10, "ok": true})"), " 2");
  EXPECT_EQ(this->find(R"({"b": {"$gt": 4}, "ok": true})"), " 1 2");
  EXPECT_EQ(this->find(R"({"b": 20})"), " 3");
  EXPECT_EQ(this->find(R"({"b": {"$gt": 4}, "ok": true})", "{}", "partial"), " QUERY_PLAN_HINT");
}

TYPED_TEST(IndexTest, long_values_keep_their_order_and_are_told_apart) {
  ASSERT_TRUE(ok(this->create(index_on(R"({"a": 1, "b": -1})"))));
  const std::string common(700, 'k');
  int id = 0;
  for (const char* end : {"d", "a", "c", "", "b", "a"}) {
    for (const int b : {1, 2}) {
      const std::string n = std::to_string(++id);
      ASSERT_TRUE(ok(this->put("{\"_id\":" + n + ",\"a\":\"" + common + end + "\",\"b\":" + std::to_string(b) + "}")));
    }
  }
  ASSERT_TRUE(ok(this->put("{\"_id\":100,\"a\":\"k\"}")));
  EXPECT_EQ(this->find_by_index("{}", R"({"a": 1, "b": -1})"), " 100 8 7 4 12 3 11 10 9 6 5 2 1");
  EXPECT_EQ(this->find_by_index("{}", R"({"a": -1, "b": 1})"), " 1 2 5 6 9 10 3 11 4 12 7 8 100");
  EXPECT_EQ(this->find_by_index("{\"a\": \"" + common + "a\"}"), " 3 4 11 12");
  EXPECT_EQ(this->find_by_index("{\"a\": \"" + common + "a\", \"b\": 2}"), " 4 12");
  EXPECT_EQ(this->find_by_index("{\"a\": {\"$gt\": \"" + common + "a\", \"$lt\": \"" + common + "d\"}}"), " 5 6 9 10");
}

}  // namespace
}  // namespace vitrine::doc
