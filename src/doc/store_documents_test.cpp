// SPDX-License-Identifier: MIT OR Apache-2.0
// Collections and documents over both stores.
#include "doc/store_documents.hpp"

#include <map>

#include "doc/store_testing.hpp"

namespace vitrine::doc {
namespace {

using testing::contents;
using testing::fails;
using testing::Generator;
using testing::json;
using testing::ok;
using testing::OwnedValue;
using testing::storable;
using testing::views;

template <typename Holder>
class StoreDocumentsTest : public testing::StoreTest<Holder> {};

TYPED_TEST_SUITE(StoreDocumentsTest, testing::Holders);

TYPED_TEST(StoreDocumentsTest, collections_are_made_listed_renamed_and_dropped) {
  EXPECT_EQ(this->names().size(), 0u);
  ASSERT_TRUE(ok(this->create("b")));
  ASSERT_TRUE(ok(this->create("a")));
  EXPECT_EQ(this->names(), (std::vector<ByteString>{"a", "b"}));
  EXPECT_TRUE(fails(this->create("a"), ErrorCode::CollectionExists));
  ASSERT_TRUE(ok(this->put("a", R"({"_id": 1})")));
  ASSERT_TRUE(ok(this->put("b", R"({"_id": 2})")));
  const auto rename = [](Bytes from, Bytes to) {
    return [=](kv::StoreWriter& txn) { return rename_collection(txn, from, to); };
  };
  EXPECT_TRUE(fails(this->write(rename("a", "b")), ErrorCode::CollectionExists));
  EXPECT_TRUE(fails(this->write(rename("x", "y")), ErrorCode::CollectionNotFound));
  ASSERT_TRUE(ok(this->write(rename("a", "c"))));
  EXPECT_EQ(contents(*this->reader(), "c"), R"({"_id":1})");
  ASSERT_TRUE(ok(this->write([](kv::StoreWriter& txn) { return drop_collection(txn, "c"); })));
  EXPECT_TRUE(fails(open_collection(*this->reader(), "c"), ErrorCode::CollectionNotFound));
  EXPECT_EQ(contents(*this->reader(), "b"), R"({"_id":2})");
  ASSERT_TRUE(ok(this->create("c")));
  EXPECT_EQ(contents(*this->reader(), "c"), "");
}

TYPED_TEST(StoreDocumentsTest, refuses_names_that_are_not_names) {
  for (const std::string& name : {std::string(), std::string(256, 'x'), std::string("a\nb"), std::string("$a"),
                                  std::string("\xff"), std::string("a\0b", 3)}) {
    EXPECT_TRUE(fails(this->create(name), ErrorCode::CollectionName)) << name;
    EXPECT_TRUE(fails(open_collection(*this->reader(), name), ErrorCode::CollectionName)) << name;
  }
  EXPECT_TRUE(ok(this->create(std::string(255, 'x'))));
}

// The catalog is parsed once for many transactions, each of which must see its own.
TYPED_TEST(StoreDocumentsTest, what_was_parsed_of_the_catalog_is_never_out_of_date) {
  const auto required = [](const char* member) {
    CollectionOptions options;
    options.validator = json(std::string("{\"required\":[\"") + member + "\"]}");
    return [=](kv::StoreWriter& txn) { return set_options(txn, "c", options); };
  };
  const auto validator = [](const kv::StoreReader& txn) {
    return find_collection(txn, "c").value()->options.validator.to_json();
  };
  ASSERT_TRUE(ok(this->create("c")));
  const auto empty = this->reader();
  EXPECT_EQ(validator(*empty), "{}");
  ASSERT_TRUE(ok(this->write(required("a"))));
  const auto first = this->reader();
  {
    const auto undone = this->store().begin_write().value();
    ASSERT_TRUE(ok(required("b")(*undone)));
    EXPECT_EQ(validator(*undone), R"({"required":["b"]})");
    EXPECT_EQ(validator(*first), R"({"required":["a"]})");
  }
  EXPECT_EQ(validator(*this->reader()), R"({"required":["a"]})");
  EXPECT_TRUE(fails(this->put("c", R"({"_id":1,"b":1})"), ErrorCode::DocumentMalformed));
  const std::uint32_t before = find_collection(*first, "c").value()->id;
  EXPECT_EQ(find_collection(*first, "c").value(), find_collection(*this->reader(), "c").value())
      << "it is parsed twice";
  ASSERT_TRUE(ok(this->write([](kv::StoreWriter& txn) { return drop_collection(txn, "c"); })));
  EXPECT_TRUE(fails(find_collection(*this->reader(), "c"), ErrorCode::CollectionNotFound));
  ASSERT_TRUE(ok(this->create("c")));
  EXPECT_NE(find_collection(*this->reader(), "c").value()->id, before);
  EXPECT_EQ(find_collection(*first, "c").value()->id, before);
  EXPECT_EQ(validator(*empty), "{}");
}

TYPED_TEST(StoreDocumentsTest, the_catalog_is_undone_with_the_transaction) {
  EXPECT_TRUE(fails(this->write([](kv::StoreWriter& txn) {
    EXPECT_TRUE(ok(create_collection(txn, "a")));
    return Status::error(ErrorCode::ArgumentInvalid);
  }),
                    ErrorCode::ArgumentInvalid));
  EXPECT_EQ(this->names().size(), 0u);
}

TYPED_TEST(StoreDocumentsTest, ids_are_found_by_value_whatever_their_type) {
  ASSERT_TRUE(ok(this->create("c")));
  const std::vector<std::string> ids = {"null",
                                        "30",
                                        "\"30\"",
                                        "\"\"",
                                        "\"a\\u0000b\"",
                                        "true",
                                        R"({"$oid": "0123456789abcdefabcdef00"})",
                                        R"({"$date": "2024-01-01T00:00:00Z"})",
                                        R"({"$uuid": "00112233-4455-6677-8899-aabbccddeeff"})"};
  for (const std::string& id : ids)
    ASSERT_TRUE(ok(this->put("c", "{\"_id\":" + id + "}", {.may_exist = false, .version = {}})));
  for (const std::string& id : ids) EXPECT_TRUE(this->get("c", id)) << id;
  EXPECT_TRUE(
      fails(this->put("c", R"({"_id": 30.0})", {.may_exist = false, .version = {}}), ErrorCode::DocumentExists));
  EXPECT_TRUE(this->get("c", R"({"$numberDecimal": "30.00"})"));
  EXPECT_FALSE(this->get("c", "31"));
  EXPECT_EQ(count_documents(*this->reader(), open_collection(*this->reader(), "c").value()).value(), ids.size());
}

TYPED_TEST(StoreDocumentsTest, versions_guard_against_lost_updates) {
  ASSERT_TRUE(ok(this->create("c")));
  EXPECT_TRUE(fails(this->put("c", R"({"_id": 1})", {.version = 7}), ErrorCode::VersionDiffers));
  ASSERT_TRUE(ok(this->put("c", R"({"_id": 1, "n": 1})", {.version = 0})));
  const std::uint64_t first = this->get("c", "1")->version;
  EXPECT_GT(first, 0u);
  EXPECT_TRUE(fails(this->put("c", R"({"_id": 1})", {.version = 0}), ErrorCode::VersionDiffers));
  ASSERT_TRUE(ok(this->put("c", R"({"_id": 1, "n": 2})", {.version = first})));
  EXPECT_GT(this->get("c", "1")->version, first);
  EXPECT_TRUE(fails(this->put("c", R"({"_id": 1, "n": 3})", {.version = first}), ErrorCode::VersionDiffers));
  // Removed and made again, it is another one.
  const std::uint64_t second = this->get("c", "1")->version;
  ASSERT_TRUE(ok(this->write([&](kv::StoreWriter& txn) {
    return remove_document(txn, open_collection(txn, "c").value(), OwnedValue::of_json("1").value(), second).status();
  })));
  ASSERT_TRUE(ok(this->put("c", R"({"_id": 1})")));
  EXPECT_GT(this->get("c", "1")->version, second);
}

TYPED_TEST(StoreDocumentsTest, inserts_many_or_none) {
  ASSERT_TRUE(ok(this->create("c")));
  ASSERT_TRUE(ok(this->put("c", R"({"_id": 2})")));
  const auto insert = [&](const std::vector<ByteString>& documents) {
    return this->write([&](kv::StoreWriter& txn) {
      // The transaction commits whatever the answer was.
      const Status inserted = insert_documents(txn, open_collection(txn, "c").value(), views(documents));
      EXPECT_EQ(inserted.is_ok(), documents.size() == 1);
      return Status{};
    });
  };
  ASSERT_TRUE(ok(insert({storable(R"({"_id": 1})"), storable(R"({"_id": 2})")})));
  ASSERT_TRUE(ok(insert({storable(R"({"_id": 3})"), storable(R"({"_id": 3.0})")})));
  EXPECT_EQ(contents(*this->reader(), "c"), R"({"_id":2})");
  ASSERT_TRUE(ok(insert({storable(R"({"_id": 1})")})));
  EXPECT_EQ(contents(*this->reader(), "c"), R"({"_id":1}{"_id":2})");
  // Behind all that is there, and around it, in any order.
  ASSERT_TRUE(ok(this->write([](kv::StoreWriter& txn) {
    const std::vector<ByteString> some = {storable(R"({"_id": 9})"), storable(R"({"_id": 7})")};
    const std::vector<ByteString> more = {storable(R"({"_id": 8})"), storable(R"({"_id": 0})")};
    EXPECT_TRUE(ok(insert_documents(txn, open_collection(txn, "c").value(), views(some))));
    EXPECT_TRUE(ok(insert_documents(txn, open_collection(txn, "c").value(), {})));
    return insert_documents(txn, open_collection(txn, "c").value(), views(more));
  })));
  EXPECT_EQ(contents(*this->reader(), "c"), R"({"_id":0}{"_id":1}{"_id":2}{"_id":7}{"_id":8}{"_id":9})");
}

TYPED_TEST(StoreDocumentsTest, a_damaged_entry_is_an_error_and_not_a_document) {
  ASSERT_TRUE(ok(this->create("c")));
  const auto txn = this->store().begin_write().value();
  const Collection collection = open_collection(*txn, "c").value();
  const ByteString key = document_prefix(collection) + "\x22";  // of the id 0
  const ByteString good("\x01\x07\x05\0\0\0\0", 7);
  ASSERT_TRUE(ok(txn->put(key, good)));
  ASSERT_TRUE(ok(read_document(*txn, collection, OwnedValue::of_json("0").value())));
  for (std::size_t i = 0; i < good.size(); ++i) {
    ByteString bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x82);
    if (i == 1) bad.erase(1, 1);
    ASSERT_TRUE(ok(txn->put(key, bad)));
    EXPECT_TRUE(fails(read_document(*txn, collection, OwnedValue::of_json("0").value()), ErrorCode::DocumentMalformed));
    EXPECT_TRUE(fails(scan_documents(*txn, collection, [](Bytes, std::uint64_t) { return true; }),
                      ErrorCode::DocumentMalformed));
  }
  ASSERT_TRUE(ok(txn->erase(key)));
}

// Random writes in random transactions, some of them undone, beside maps from ids to JSON.
TYPED_TEST(StoreDocumentsTest, does_what_a_map_does) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Generator generator(seed);
  base::Prng& random = generator.random();
  const std::vector<std::string> collections = {"a", "b", "c"};
  std::map<std::string, std::map<std::int64_t, std::string>> committed;
  for (const std::string& name : collections) {
    ASSERT_TRUE(ok(this->create(name)));
    committed[name];
  }
  for (int round = testing::rounds(500); round-- > 0;) {
    const auto txn = this->store().begin_write().value();
    auto model = committed;
    for (std::uint64_t step = random.below(8); step-- > 0;) {
      const std::string& name = collections[random.below(collections.size())];
      const Collection collection = open_collection(*txn, name).value();
      const auto id = static_cast<std::int64_t>(random.below(12)) - 6;
      const auto there = model[name].find(id);
      const bool is_there = there != model[name].end();
      if (random.one_in(10)) {
        ASSERT_TRUE(ok(drop_collection(*txn, name)));
        ASSERT_TRUE(ok(create_collection(*txn, name)));
        model[name].clear();
      } else if (random.one_in(3)) {
        const OwnedValue value = OwnedValue::of_json(std::to_string(id));
        ASSERT_EQ(remove_document(*txn, collection, value.value(), {}).value(), is_there);
        if (is_there) model[name].erase(there);
      } else {
        const Document body = generator.document(2);
        Builder builder;
        builder.add_integer(kIdName, id);
        for (Elements walk(body.bson()); const auto element = walk.next();) builder.add(element->name, element->value);
        const Document document = Document::from_bson(builder.finish()).value();
        const Expectation expectation{.may_exist = random.one_in(2), .may_be_missing = random.one_in(2), .version = {}};
        const auto written = write_document(*txn, collection, storable_document(document.bson()).value(), expectation);
        const bool is_allowed = is_there ? expectation.may_exist : expectation.may_be_missing;
        ASSERT_EQ(written.has_value(), !is_there || expectation.may_exist);
        if (written.has_value()) {
          ASSERT_EQ(written->is_done, is_allowed);
          ASSERT_EQ(written->was_there, is_there);
        }
        if (is_allowed) model[name][id] = document.to_json();
      }
    }
    const bool is_kept = !random.one_in(4);
    if (is_kept) {
      ASSERT_TRUE(ok(txn->commit(std::nullopt)));
      committed = model;
    }
    const auto check = [&](const kv::StoreReader& view, auto& expected) {
      for (const std::string& name : collections) {
        std::string all;
        for (const auto& [id, text] : expected[name]) all.append(text);
        ASSERT_EQ(contents(view, name), all);
      }
    };
    if (!is_kept) check(*txn, model);
    check(*this->reader(), committed);
  }
}

TEST(StorableDocument, puts_the_id_first_and_makes_one_up_when_it_is_missing) {
  EXPECT_EQ(Document::from_bson(storable(R"({"a": 1, "_id": 2, "b": 3})")).value().to_json(),
            R"({"_id":2,"a":1,"b":3})");
  const ByteString made = storable(R"({"a": 1})");
  const Value id = find_member(made, kIdName).value();
  ASSERT_EQ(id.type, Type::Binary);
  EXPECT_EQ(id.binary_subtype(), kUuidSubtype);
  ASSERT_EQ(id.as_binary().size(), 16u);
  EXPECT_EQ(id.as_binary()[6] >> 4 & 15, 7);
  EXPECT_EQ(id.as_binary()[8] >> 6 & 3, 2);
  EXPECT_NE(storable(R"({"a": 1})"), made);
}

TEST(StorableDocument, refuses_what_cannot_be_stored) {
  const auto refusal = [](const std::string& text) { return storable_document(json(text).bson()).status(); };
  for (const std::string& id :
       std::vector<std::string>{"{}", "[]", R"({"$regularExpression": {"pattern": "a", "options": ""}})",
                                '"' + std::string(kIdSizeMax - 2, 'x') + '"', '"' + std::string(100'000, 'x') + '"'}) {
    EXPECT_TRUE(fails(refusal("{\"_id\":" + id + "}"), ErrorCode::DocumentIdInvalid)) << id.substr(0, 80);
  }
  EXPECT_TRUE(ok(refusal("{\"_id\":\"" + std::string(kIdSizeMax - 3, 'x') + "\"}")));
  EXPECT_TRUE(fails(refusal(R"({"a": [{"$set": 1}]})"), ErrorCode::DocumentMalformed));
  EXPECT_TRUE(ok(refusal(R"({"a": {"$ref": "users", "$id": 1, "$db": "x"}})")));
}

TEST(StorableDocument, is_still_within_the_limit_with_its_new_id) {
  const std::size_t around = json(R"({"s": ""})").bson().size();
  const Document largest = json("{\"s\":\"" + std::string(kDocumentSizeMax - around, 'x') + "\"}");
  EXPECT_TRUE(fails(storable_document(largest.bson()), ErrorCode::DocumentTooLarge));
}

}  // namespace
}  // namespace vitrine::doc
