// SPDX-License-Identifier: MIT OR Apache-2.0
// The public interface, on a file.
#include "vitrine/documents.hpp"

#include "doc/testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::json;
using testing::ok;

class DocumentsTest : public kv::testing::DatabaseTest {
 protected:
  DocumentsTest() {
    EXPECT_TRUE(ok(db().write([](WriteTransaction& txn) { return DocumentWriter(txn).create_collection("users"); })));
  }
  std::optional<StoredDocument> get(const DocumentId& id) {
    return DocumentReader(db().begin_read().value()).get("users", id).value();
  }
};

TEST_F(DocumentsTest, documents_come_back_after_reopening) {
  ASSERT_TRUE(ok(db().write([](WriteTransaction& txn) {
    return DocumentWriter(txn).insert("users", json(R"({"_id": "ada", "born": 1815})")).status();
  })));
  reopen();
  EXPECT_EQ(get(DocumentId("ada"))->document.to_json(), R"({"_id":"ada","born":1815})");
  const ReadTransaction txn = db().begin_read().value();
  EXPECT_EQ(DocumentReader(txn).collections().value(), std::vector<ByteString>{"users"});
  EXPECT_EQ(DocumentReader(txn).count("users").value(), 1u);
}

TEST_F(DocumentsTest, an_id_made_up_finds_its_document) {
  WriteTransaction txn = begin();
  DocumentWriter documents(txn);
  const DocumentId id = documents.insert("users", json(R"({"name": "Bob"})")).value();
  EXPECT_TRUE(documents.get("users", id).value());
  EXPECT_TRUE(documents.get("users", DocumentId::from_json(id.to_json()).value()).value());
  EXPECT_TRUE(
      fails(documents.insert("users", documents.get("users", id).value()->document), ErrorCode::DocumentExists));
}

TEST_F(DocumentsTest, replaces_upserts_and_removes) {
  WriteTransaction txn = begin();
  DocumentWriter documents(txn);
  EXPECT_FALSE(documents.replace("users", json(R"({"_id": 1, "n": 1})")).value());
  EXPECT_FALSE(documents.upsert("users", json(R"({"_id": 1, "n": 2})")).value());
  EXPECT_TRUE(documents.upsert("users", json(R"({"_id": 1, "n": 3})")).value());
  EXPECT_TRUE(documents.replace("users", json(R"({"_id": 1.0, "n": 4})")).value());
  EXPECT_EQ(documents.get("users", DocumentId(1)).value()->document.to_json(), R"({"_id":1.0,"n":4})");
  EXPECT_TRUE(fails(documents.remove("users", DocumentId(1), 1'000'000), ErrorCode::VersionDiffers));
  EXPECT_TRUE(documents.remove("users", DocumentId(1)).value());
  EXPECT_FALSE(documents.remove("users", DocumentId(1)).value());
}

TEST_F(DocumentsTest, one_transaction_changes_documents_and_keyspaces_or_neither) {
  const auto both = [&](WriteTransaction& txn) {
    EXPECT_TRUE(ok(txn.put("key", "value")));
    EXPECT_TRUE(ok(DocumentWriter(txn).insert("users", json(R"({"_id": 1})"))));
  };
  {
    WriteTransaction undone = begin();
    both(undone);
  }
  EXPECT_FALSE(db().get("key").value());
  EXPECT_FALSE(get(DocumentId(1)));
  WriteTransaction txn = begin();
  both(txn);
  ASSERT_TRUE(ok(txn.commit()));
  EXPECT_TRUE(db().get("key").value());
  EXPECT_TRUE(get(DocumentId(1)));
}

TEST_F(DocumentsTest, a_savepoint_takes_collections_and_documents_back) {
  WriteTransaction txn = begin();
  DocumentWriter documents(txn);
  const Savepoint savepoint = txn.savepoint().value();
  ASSERT_TRUE(ok(documents.create_collection("temporary")));
  ASSERT_TRUE(ok(documents.insert("temporary", json("{}"))));
  ASSERT_TRUE(ok(txn.rollback_to(savepoint)));
  EXPECT_TRUE(fails(documents.insert("temporary", json("{}")), ErrorCode::CollectionNotFound));
  EXPECT_EQ(documents.collections().value(), std::vector<ByteString>{"users"});
}

TEST_F(DocumentsTest, scans_in_the_order_of_ids_until_told_to_stop) {
  WriteTransaction txn = begin();
  DocumentWriter documents(txn);
  const std::vector<Document> all = {json(R"({"_id": "b"})"), json(R"({"_id": 10})"), json(R"({"_id": 9.5})")};
  ASSERT_EQ(documents.insert_many("users", all).value().size(), 3u);
  std::string seen;
  const auto visit = [&](const StoredDocument& found) {
    seen.append(found.document.to_json());
    return seen.find("10") == std::string::npos;
  };
  EXPECT_EQ(documents.scan("users", visit).value(), 2u);
  EXPECT_EQ(seen, R"({"_id":9.5}{"_id":10})");
}

TEST_F(DocumentsTest, refuses_ids_that_are_none) {
  WriteTransaction txn = begin();
  DocumentWriter documents(txn);
  EXPECT_TRUE(fails(documents.get("users", DocumentId("\xff")), ErrorCode::DocumentIdInvalid));
  // Text takes three bytes more as a key, and each NUL one.
  EXPECT_TRUE(ok(documents.get("users", DocumentId(std::string(509, 'x')))));
  EXPECT_TRUE(fails(documents.get("users", DocumentId(std::string(510, 'x'))), ErrorCode::DocumentIdInvalid));
  EXPECT_TRUE(fails(documents.get("users", DocumentId(std::string(255, '\0'))), ErrorCode::DocumentIdInvalid));
  EXPECT_TRUE(fails(documents.remove("users", DocumentId(std::string(1000, 'x'))), ErrorCode::DocumentIdInvalid));
  EXPECT_TRUE(fails(DocumentId::from_json("[1]"), ErrorCode::DocumentIdInvalid));
  EXPECT_TRUE(fails(DocumentId::from_json(R"(1,"x":2)"), ErrorCode::JsonMalformed));
  EXPECT_TRUE(fails(DocumentId::of(json("{}")), ErrorCode::DocumentIdInvalid));
}

TEST_F(DocumentsTest, what_is_known_of_a_state_serves_no_other_one) {
  const ReadTransaction before = db().begin_read().value();
  EXPECT_EQ(DocumentReader(before).count("users").value(), 0u);
  EXPECT_EQ(DocumentReader(db().begin_read().value()).count("users").value(), 0u);
  ASSERT_TRUE(ok(db().write([](WriteTransaction& txn) {
    EXPECT_TRUE(ok(DocumentWriter(txn).drop_collection("users")));
    return DocumentWriter(txn).create_collection("people");
  })));
  EXPECT_TRUE(fails(DocumentReader(db().begin_read().value()).count("users"), ErrorCode::CollectionNotFound));
  EXPECT_EQ(DocumentReader(db().begin_read().value()).count("people").value(), 0u);
  EXPECT_EQ(DocumentReader(before).count("users").value(), 0u);
  EXPECT_TRUE(fails(DocumentReader(before).count("people"), ErrorCode::CollectionNotFound));
  EXPECT_EQ(DocumentReader(before).list_indexes("users").value().size(), 0u);
  ASSERT_TRUE(ok(db().close()));
  EXPECT_TRUE(fails(DocumentReader(before).list_indexes("users"), ErrorCode::TransactionFinished));
  reopen();
}

TEST_F(DocumentsTest, changes_what_a_filter_finds) {
  auto txn = db().begin_write().value();
  DocumentWriter users(txn);
  for (const char* text : {R"({"_id":1,"n":1})", R"({"_id":2,"n":2})", R"({"_id":3,"n":"x"})"}) {
    ASSERT_TRUE(ok(users.insert("users", json(text))));
  }
  const auto get = [&](int id) { return users.get("users", DocumentId(id)).value()->document.to_json(); };
  const Document increment = json(R"({"$inc":{"n":5}})");
  UpdateOptions all;
  all.many = true;
  // The third one cannot be changed, so none is.
  EXPECT_TRUE(fails(users.update("users", json("{}"), increment, all), ErrorCode::UpdateTypeMismatch));
  EXPECT_EQ(get(1), R"({"_id":1,"n":1})");
  const auto result = users.update("users", json(R"({"n":{"$lt":9}})"), increment, all).value();
  EXPECT_EQ(result.matched, 2u);
  EXPECT_EQ(result.modified, 2u);
  EXPECT_FALSE(result.upserted);
  EXPECT_EQ(get(2), R"({"_id":2,"n":7})");

  const Document first = json(R"({"_id":1})");
  EXPECT_EQ(users.find_and_modify("users", first, increment).value()->document.to_json(), R"({"_id":1,"n":6})");
  EXPECT_EQ(users.find_and_modify("users", first, increment, Returned::New).value()->document.to_json(),
            R"({"_id":1,"n":16})");
  EXPECT_FALSE(users.find_and_modify("users", json(R"({"_id":9})"), increment).value());
  EXPECT_TRUE(fails(users.find_and_modify("users", first, increment, Returned::Old, all), ErrorCode::ArgumentInvalid));

  EXPECT_EQ(users.exchange("users", json(R"({"_id":1,"m":1})")).value()->document.to_json(), R"({"_id":1,"n":16})");
  EXPECT_FALSE(users.exchange("users", json(R"({"_id":4})")).value());
  EXPECT_TRUE(fails(users.exchange("users", json(R"({"_id":4})"), 0), ErrorCode::VersionDiffers));
  UpdateOptions upsert;
  upsert.upsert = true;
  EXPECT_EQ(users.update("users", json(R"({"_id":"new"})"), increment, upsert).value().upserted->to_json(), "\"new\"");

  EXPECT_EQ(users.distinct("users", "n", json("{}")).value().to_json(), R"({"values":[5,7,"x"]})");
  EXPECT_EQ(users.find_and_remove("users", json(R"({"n":7})")).value()->document.to_json(), R"({"_id":2,"n":7})");
  EXPECT_EQ(users.remove("users", json("{}"), {}).value(), 1u);
  EXPECT_EQ(users.remove("users", json("{}"), all).value(), 3u);
  ASSERT_TRUE(ok(txn.commit()));
}

TEST_F(DocumentsTest, follows_references_both_ways) {
  auto txn = db().begin_write().value();
  DocumentWriter users(txn);
  const std::string reference = R"({"$ref":"users","$id":1})";
  ASSERT_TRUE(ok(users.insert("users", json(R"({"_id":1,"name":"Ada"})"))));
  ASSERT_TRUE(ok(users.insert("users", json("{\"_id\":2,\"friend\":" + reference + "}"))));
  EXPECT_EQ(users.resolve(json(reference)).value()->document.to_json(), R"({"_id":1,"name":"Ada"})");
  EXPECT_TRUE(fails(users.resolve(json(R"({"a":1})")), ErrorCode::DocumentMalformed));
  const auto deep = users.resolve_deep("users", DocumentId(2)).value();
  EXPECT_EQ(deep->document.document.to_json(), R"({"_id":2,"friend":{"_id":1,"name":"Ada"}})");
  EXPECT_EQ(deep->unresolved.size(), 0u);
  EXPECT_FALSE(users.resolve_deep("users", DocumentId(3)).value());
  std::string found;
  EXPECT_EQ(users
                .referrers("users", DocumentId(1),
                           [&](const Referrer& referrer) {
                             found.append(referrer.collection)
                                 .append("/")
                                 .append(DocumentId::of(referrer.document.document).value().to_json());
                             return true;
                           })
                .value(),
            1u);
  EXPECT_EQ(found, "users/2");
}

}  // namespace
}  // namespace vitrine::doc
