// SPDX-License-Identifier: MIT OR Apache-2.0
// The feed of changes, over both stores, and its public face.
#include "doc/change_log.hpp"

#include <map>

#include "doc/store_testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::Generator;
using testing::json;
using testing::ok;
using testing::OwnedValue;

template <typename Holder>
class ChangeLogTest : public testing::StoreTest<Holder> {
 protected:
  Status keep(std::uint64_t max) {
    return this->write([&](kv::StoreWriter& txn) { return keep_changes(txn, max); });
  }
  Status remove(int id) {
    return this->write([&](kv::StoreWriter& txn) {
      const OwnedValue value = OwnedValue::of_json(std::to_string(id));
      return remove_document(txn, open_collection(txn, "c").value(), value.value(), {}).status();
    });
  }
  // What comes after `position_`, as text; moves the position on.
  std::string read(std::uint64_t limit = 1000) {
    static constexpr const char* kKinds[] = {"insert", "update", "remove", "expire", "drop", "rename", "create"};
    std::string text;
    const Result<ByteString> last = read_changes(*this->reader(), position_, [&](const ChangeView& change) {
      text.append(kKinds[static_cast<int>(change.kind)]).append(" ").append(change.collection);
      if (!change.bson.empty()) text.append(Document::from_bson(change.bson).value().to_json());
      text.append(";");
      return --limit > 0;
    });
    if (!last.has_value()) return std::string(last.status().name());
    position_ = *last;
    return text;
  }
  ByteString position_;
};

TYPED_TEST_SUITE(ChangeLogTest, testing::Holders);

TYPED_TEST(ChangeLogTest, holds_what_was_committed_in_order) {
  ASSERT_TRUE(ok(this->create("c")));
  EXPECT_EQ(this->read(), error_name(ErrorCode::Misuse));
  ASSERT_TRUE(ok(this->keep(1000)));
  EXPECT_EQ(this->read(), "");
  ASSERT_TRUE(ok(this->put("c", R"({"_id":1})")));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":1,"n":2})")));
  EXPECT_EQ(this->read(), R"(insert c{"_id":1};update c{"_id":1,"n":2};)");
  EXPECT_EQ(this->read(), "");
  ASSERT_TRUE(ok(this->remove(1)));
  EXPECT_TRUE(fails(this->write([](kv::StoreWriter& txn) {
    EXPECT_TRUE(ok(create_collection(txn, "undone")));
    return Status::error(ErrorCode::ArgumentInvalid);
  }),
                    ErrorCode::ArgumentInvalid));
  ASSERT_TRUE(ok(this->write([](kv::StoreWriter& txn) { return rename_collection(txn, "c", "d"); })));
  ASSERT_TRUE(ok(this->write([](kv::StoreWriter& txn) { return drop_collection(txn, "d"); })));
  ASSERT_TRUE(ok(this->create("e")));
  EXPECT_EQ(this->read(1), R"(remove c{"_id":1,"n":2};)");
  EXPECT_EQ(this->read(2), R"(rename c{"to":"d"};drop d;)");
  EXPECT_EQ(this->read(), "create e;");
}

TYPED_TEST(ChangeLogTest, holds_many_at_once_in_the_order_in_which_they_were_given) {
  ASSERT_TRUE(ok(this->create("c")));
  ASSERT_TRUE(ok(this->keep(1000)));
  const std::vector<ByteString> documents = {testing::storable(R"({"_id":2})"), testing::storable(R"({"_id":3})"),
                                             testing::storable(R"({"_id":1})")};
  ASSERT_TRUE(ok(this->write([&](kv::StoreWriter& txn) {
    return insert_documents(txn, open_collection(txn, "c").value(), testing::views(documents));
  })));
  EXPECT_EQ(this->read(), R"(insert c{"_id":2};insert c{"_id":3};insert c{"_id":1};)");
}

TYPED_TEST(ChangeLogTest, gives_up_the_oldest_and_says_so) {
  ASSERT_TRUE(ok(this->create("c")));
  ASSERT_TRUE(ok(this->keep(3)));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":0})")));
  ASSERT_NE(this->read(), "");
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(ok(this->put("c", "{\"_id\":" + std::to_string(i) + "}")));
  const ByteString position = this->position_;
  EXPECT_EQ(this->read(), R"(insert c{"_id":1};insert c{"_id":2};insert c{"_id":3};)") << "all after it are held";
  ASSERT_TRUE(ok(this->put("c", R"({"_id":4})")));
  this->position_ = position;
  EXPECT_EQ(this->read(), error_name(ErrorCode::KeyNotFound));
  this->position_.clear();
  EXPECT_EQ(this->read(), R"(insert c{"_id":2};insert c{"_id":3};insert c{"_id":4};)");
  ASSERT_TRUE(ok(this->keep(0)));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":5})")));
  ASSERT_TRUE(ok(this->keep(3)));
  this->position_ = position;
  EXPECT_EQ(this->read(), error_name(ErrorCode::KeyNotFound));
}

TYPED_TEST(ChangeLogTest, starts_from_a_version_or_from_now) {
  ASSERT_TRUE(ok(this->create("c")));
  ASSERT_TRUE(ok(this->keep(100)));
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(ok(this->put("c", "{\"_id\":" + std::to_string(i) + "}")));
  this->position_ = position_before(this->get("c", "2")->version);
  EXPECT_EQ(this->read(), R"(insert c{"_id":2};insert c{"_id":3};)");
  this->position_ = last_position(*this->reader()).value();
  EXPECT_EQ(this->read(), "");
  ASSERT_TRUE(ok(this->put("c", R"({"_id":4})")));
  EXPECT_EQ(this->read(), R"(insert c{"_id":4};)");
}

// Random transactions, some undone; a reader that stops at random places sees every change once, in order: what it
// puts together is what is there.
TYPED_TEST(ChangeLogTest, is_complete_and_gives_nothing_twice) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  base::Prng random(seed);
  ASSERT_TRUE(ok(this->create("c")));
  ASSERT_TRUE(ok(this->keep(1'000'000)));
  std::map<std::string, std::string> copy;
  std::uint64_t seen = 0, made = 0;
  const auto follow = [&](std::uint64_t limit) {
    const auto last = read_changes(*this->reader(), this->position_, [&](const ChangeView& change) {
      const std::string id = Document::from_bson(change.bson).value().to_json().substr(0, 8);
      const std::string text(change.bson);
      ++seen;
      EXPECT_EQ(copy.count(id) == 0, change.kind == ChangeKind::Insert);
      if (change.kind == ChangeKind::Remove) {
        copy.erase(id);
      } else {
        copy[id] = text;
      }
      return --limit > 0;
    });
    ASSERT_TRUE(ok(last));
    this->position_ = *last;
  };
  for (int round = testing::rounds(300); round-- > 0;) {
    const auto txn = this->store().begin_write().value();
    std::uint64_t steps = 0;
    for (std::uint64_t step = random.below(5); step-- > 0;) {
      const Collection collection = open_collection(*txn, "c").value();
      const std::string id = std::to_string(random.below(9));
      if (random.one_in(3)) {
        const OwnedValue value = OwnedValue::of_json(id);
        steps += remove_document(*txn, collection, value.value(), {}).value() ? 1 : 0;
      } else {
        const std::string text = "{\"_id\":" + id + ",\"v\":" + std::to_string(random.below(1000)) + "}";
        ASSERT_TRUE(ok(write_document(*txn, collection, testing::storable(text), {})));
        ++steps;
      }
    }
    if (!random.one_in(4)) {
      ASSERT_TRUE(ok(txn->commit(std::nullopt)));
      made += steps;
    }
    if (random.one_in(2)) follow(1 + random.below(4));
  }
  follow(~0ull);
  EXPECT_EQ(seen, made);
  std::string all;
  for (const auto& [id, text] : copy) all.append(Document::from_bson(text).value().to_json());
  EXPECT_EQ(all, testing::contents(*this->reader(), "c"));
}

// On a store that lets many writers in, one that is late does not slip in before what was read.
TEST(ChangeLogOfManyWriters, two_that_append_meet_in_a_conflict) {
  kv::MemoryStore store;
  ASSERT_TRUE(ok(kv::run_in_transaction(store, [](kv::StoreWriter& txn) {
    EXPECT_TRUE(ok(create_collection(txn, "c")));
    return keep_changes(txn, 100);
  })));
  const auto early = store.begin_write().value(), late = store.begin_write().value();
  const auto put = [](kv::StoreWriter& txn, const std::string& text) {
    return write_document(txn, open_collection(txn, "c").value(), testing::storable(text), {}).status();
  };
  ASSERT_TRUE(ok(put(*early, R"({"_id":1})")));
  ASSERT_TRUE(ok(put(*late, R"({"_id":2})")));
  EXPECT_TRUE(ok(late->commit(std::nullopt)));
  EXPECT_TRUE(fails(early->commit(std::nullopt), ErrorCode::CommitConflict));
}

TEST(Watch, follows_a_database_a_collection_or_a_filter) {
  Database db = Database::open_in_memory(kv::testing::small_options()).value();
  const auto write = [&](const std::function<void(DocumentWriter&)>& body) {
    EXPECT_TRUE(ok(db.write([&](WriteTransaction& txn) {
      DocumentWriter writer(txn);
      body(writer);
      return Status{};
    })));
  };
  write([](DocumentWriter& writer) {
    EXPECT_TRUE(ok(writer.keep_changes(100)));
    EXPECT_TRUE(ok(writer.create_collection("a")));
    EXPECT_TRUE(ok(writer.create_collection("b")));
  });
  const ReadTransaction old = db.begin_read().value();
  const std::string start = DocumentReader(old).watch_token().value();
  write([](DocumentWriter& writer) {
    for (const char* name : {"a", "b"}) {
      EXPECT_TRUE(ok(writer.insert(name, json(R"({"_id":1,"n":5})"))));
      EXPECT_TRUE(ok(writer.insert(name, json(R"({"_id":2,"n":7})"))));
    }
  });
  const auto watch = [&](WatchOptions options) {
    std::string text;
    if (options.after.empty()) options.after = start;
    const ReadTransaction txn = db.begin_read().value();
    const auto token = DocumentReader(txn).watch(options, [&](const DocumentChange& change) {
      text.append(change.collection).append(DocumentId::of(*change.document).value().to_json()).append(" ");
      return true;
    });
    EXPECT_TRUE(ok(token));
    return std::pair(text, token.value());
  };
  EXPECT_EQ(watch({}).first, "a1 a2 b1 b2 ");
  EXPECT_EQ(watch({.after = {}, .collection = "b"}).first, "b1 b2 ");
  EXPECT_EQ(watch({.after = {}, .filter = json(R"({"n":{"$gt":5}})")}).first, "a2 b2 ");
  const auto [first, token] = watch({.after = {}, .limit = 3});
  EXPECT_EQ(first, "a1 a2 b1 ");
  EXPECT_EQ(watch({.after = token}).first, "b2 ");
  EXPECT_EQ(watch({.after = watch({}).second}).first, "");
  const ReadTransaction txn = db.begin_read().value();
  const auto none = [](const DocumentChange&) { return true; };
  EXPECT_TRUE(fails(DocumentReader(txn).watch({.after = "xyz"}, none), ErrorCode::ArgumentInvalid));
  EXPECT_TRUE(fails(DocumentReader(txn).watch({.after = "00"}, none), ErrorCode::ArgumentInvalid));
  EXPECT_TRUE(kv::testing::verifies_clean(db));
}

}  // namespace
}  // namespace vitrine::doc
