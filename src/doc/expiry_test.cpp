// SPDX-License-Identifier: MIT OR Apache-2.0
// Documents that expire, over both stores, with a clock that the test sets.
#include "doc/expiry.hpp"

#include <map>
#include <thread>

#include "doc/index_build.hpp"
#include "doc/indexes.hpp"
#include "doc/modify.hpp"
#include "doc/reference.hpp"
#include "doc/store_testing.hpp"
#include "os/sim_crash.hpp"
#include "os/sim_env.hpp"

namespace vitrine::doc {
namespace {

using testing::contents;
using testing::fails;
using testing::json;
using testing::ok;
using testing::OwnedValue;

constexpr std::uint64_t kStart = 1'700'000'000'000;  // that of the simulated machine

Options sim_options(os::SimEnv& env) {
  Options options = kv::testing::small_options();
  options.env = &env;
  return options;
}

struct ClockedNative {
  ~ClockedNative() { EXPECT_TRUE(kv::testing::verifies_clean(db)); }
  void set_clock(std::uint64_t ms) {
    env->shift_wall_ms(static_cast<std::int64_t>(ms) - static_cast<std::int64_t>(env->wall_ms()));
  }
  std::unique_ptr<os::SimEnv> env = os::SimEnv::create({.seed = 1});
  Database db = Database::open("/a.vtr", OpenMode::CreateNew, sim_options(*env)).value();
  kv::NativeStore store{db, "documents"};
};

struct ClockedMemory {
  void set_clock(std::uint64_t ms) { store.set_clock_ms(ms); }
  kv::MemoryStore store;
};

template <typename Holder>
class ExpiryTest : public testing::StoreTest<Holder> {
 protected:
  void SetUp() override {
    at(0);
    ASSERT_TRUE(ok(this->create("c")));
  }
  void at(std::uint64_t seconds) { this->holder().set_clock(kStart + seconds * 1000); }
  Status put_until(const std::string& text, std::uint64_t seconds, Expectation expectation = {}) {
    expectation.expires_ms = kStart + seconds * 1000;
    return this->put("c", text, expectation);
  }
  Status expire_after(const std::string& path, std::uint64_t seconds) {
    CollectionOptions options;
    options.expire_path = path;
    if (!path.empty()) options.expire_after_s = seconds;
    return this->write([&](kv::StoreWriter& txn) { return set_options(txn, "c", options); });
  }
  Sweep sweep(std::uint64_t most = 1000) {
    Sweep result;
    EXPECT_TRUE(ok(this->write([&](kv::StoreWriter& txn) -> Status {
      Result<Sweep> swept = sweep_expired(txn, most);
      if (swept.has_value()) result = *swept;
      return swept.status();
    })));
    return result;
  }
  static IndexDefinition index_on(const std::string& path) {
    IndexDefinition definition;
    definition.name = "by_" + path;
    definition.key = json("{\"" + path + "\":1}");
    return definition;
  }
  Status create_index(const IndexDefinition& definition) {
    return this->write(
        [&](kv::StoreWriter& txn) { return doc::create_index(txn, open_collection(txn, "c").value(), definition); });
  }
  struct Found {
    std::uint64_t count = 0;
    bool is_covered = false;
  };
  // By an index.
  Found find(const std::string& filter, const Projection* covered_by = nullptr) {
    const auto txn = this->reader();
    const Document asked = json(filter);
    Query query = Query::compile(asked.bson()).value();
    query.covered_by = covered_by;
    query.any_order = true;
    const std::shared_ptr<const Collection> collection = find_collection(*txn, "c").value();
    query.hint = collection->indexes.front().name;
    QueryRun run;
    const auto count = run_query(
        *txn, *collection, query, [](Bytes, std::uint64_t) { return true; }, &run);
    return {count.value(), run.is_covered};
  }
  std::string all() { return contents(*this->reader(), "c"); }
  std::uint64_t count() {
    const auto txn = this->reader();
    return count_documents(*txn, open_collection(*txn, "c").value()).value();
  }
  // Entries of the store, whatever they are.
  std::uint64_t entries() {
    return this->reader()->scan("\x10", "\x30", {}, [](Bytes, Bytes) { return true; }).value();
  }
};

using ClockedHolders = ::testing::Types<ClockedNative, ClockedMemory>;
TYPED_TEST_SUITE(ExpiryTest, ClockedHolders);

TYPED_TEST(ExpiryTest, what_has_expired_is_nowhere_to_be_seen) {
  ASSERT_TRUE(ok(this->put_until(R"({"_id":1,"n":1})", 10)));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":2,"n":2})")));
  EXPECT_EQ(this->count(), 2u);
  this->at(10);
  EXPECT_EQ(this->count(), 1u);
  EXPECT_EQ(this->all(), R"({"_id":2,"n":2})");
  EXPECT_FALSE(this->get("c", "1"));
  const auto txn = this->store().begin_write().value();
  const Collection collection = open_collection(*txn, "c").value();
  const OwnedValue one = OwnedValue::of_json("1");
  const Document everything = json("{}");
  Query query = Query::compile(everything.bson()).value();
  query.limit = query.steps_max = query.bytes_max = 1'000'000;
  EXPECT_EQ(Document::from_bson(distinct_values(*txn, collection, query, "n").value()).value().to_json(),
            R"({"values":[2]})");
  EXPECT_FALSE(resolve(*txn, {"c", one.value()}).value());
  EXPECT_FALSE(remove_document(*txn, collection, one.value(), {}).value());
  EXPECT_TRUE(fails(remove_document(*txn, collection, one.value(), 1), ErrorCode::VersionDiffers));
}

TYPED_TEST(ExpiryTest, the_id_of_an_expired_document_is_free) {
  const Expectation insert{.may_exist = false, .may_be_missing = true, .version = {}};
  const Expectation replace{.may_exist = true, .may_be_missing = false, .version = {}};
  ASSERT_TRUE(ok(this->put_until(R"({"_id":1,"n":1})", 10)));
  ASSERT_TRUE(ok(this->put_until(R"({"_id":2,"n":1})", 10)));
  EXPECT_TRUE(fails(this->put("c", R"({"_id":1})", insert), ErrorCode::DocumentExists));
  this->at(11);
  ASSERT_TRUE(ok(this->put("c", R"({"_id":1,"n":2})", replace)));
  EXPECT_FALSE(this->get("c", "1")) << "there was nothing to replace";
  ASSERT_TRUE(ok(this->put("c", R"({"_id":1,"n":2})", insert)));
  ASSERT_TRUE(ok(this->write([](kv::StoreWriter& txn) {
    return insert_documents(txn, open_collection(txn, "c").value(), {testing::storable(R"({"_id":2,"n":2})")});
  })));
  this->at(1'000'000);
  EXPECT_EQ(this->sweep().removed, 0u);
  EXPECT_EQ(this->all(), R"({"_id":1,"n":2}{"_id":2,"n":2})");
  EXPECT_EQ(this->entries(), 2u);
}

TYPED_TEST(ExpiryTest, updates_keep_the_time_and_other_writes_take_it_away) {
  ASSERT_TRUE(ok(this->put_until(R"({"_id":1,"n":1})", 10)));
  ASSERT_TRUE(ok(this->put_until(R"({"_id":2,"n":1})", 10)));
  const Update update = Update::compile(json(R"({"$inc":{"n":1}})").bson()).value();
  Target target;
  target.filter = json(R"({"_id":1})").bson();
  target.steps_max = target.bytes_max = 1'000'000;
  ASSERT_TRUE(ok(this->write([&](kv::StoreWriter& txn) {
    return update_documents(txn, open_collection(txn, "c").value(), target, {update, false, 0}, [](const Change&) {});
  })));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":2,"n":2})")));
  this->at(10);
  EXPECT_EQ(this->all(), R"({"_id":2,"n":2})");
}

TYPED_TEST(ExpiryTest, a_collection_may_say_when_its_documents_expire) {
  const auto dated = [](int id, std::uint64_t seconds) {
    return "{\"_id\":" + std::to_string(id) + ",\"at\":[{\"$date\":{\"$numberLong\":\"" +
           std::to_string(kStart + seconds * 1000) + "\"}}]}";
  };
  ASSERT_TRUE(ok(this->put("c", dated(1, 0))));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":2,"at":"no date"})")));
  ASSERT_TRUE(ok(this->expire_after("at", 60)));
  ASSERT_TRUE(ok(this->put("c", dated(3, 5))));
  this->at(59);
  EXPECT_EQ(this->count(), 3u);
  this->at(60);
  EXPECT_EQ(this->count(), 2u);
  this->at(65);
  EXPECT_EQ(this->all(), R"({"_id":2,"at":"no date"})");
  EXPECT_EQ(this->sweep().removed, 2u);
  ASSERT_TRUE(ok(this->put("c", dated(4, 60))));
  ASSERT_TRUE(ok(this->expire_after("", 0)));
  this->at(10'000);
  EXPECT_EQ(this->count(), 2u);
  EXPECT_EQ(this->sweep().removed, 0u);
  EXPECT_EQ(this->entries(), 2u) << "the entry of the time that does not count any more is gone";
  EXPECT_TRUE(fails(this->expire_after("a..b", 1), ErrorCode::ArgumentInvalid));
}

TYPED_TEST(ExpiryTest, an_index_may_say_when_its_documents_expire) {
  const auto dated = [](int id, std::uint64_t seconds) {
    return "{\"_id\":" + std::to_string(id) + ",\"at\":{\"$date\":{\"$numberLong\":\"" +
           std::to_string(kStart + seconds * 1000) + "\"}}}";
  };
  const auto is_at = [&](std::uint64_t seconds, std::uint64_t count) {
    this->at(seconds);
    EXPECT_EQ(this->count(), count) << seconds;
    EXPECT_EQ(this->find(R"({"at":{"$exists":true}})").count, count) << "the index sees what is gone";
  };
  ASSERT_TRUE(ok(this->put("c", dated(1, 0))));
  ASSERT_TRUE(ok(this->put("c", dated(2, 40))));
  IndexDefinition by_at = this->index_on("at");
  by_at.expire_after_s = 60;
  ASSERT_TRUE(ok(this->create_index(by_at)));
  ASSERT_TRUE(ok(this->put("c", dated(3, 5))));
  is_at(59, 3);
  is_at(60, 2);
  is_at(65, 1);
  EXPECT_EQ(this->sweep().removed, 2u);
  EXPECT_EQ(this->entries(), 3u) << "a document, its entry of the index, and its time";
  ASSERT_TRUE(ok(
      this->write([](kv::StoreWriter& txn) { return drop_index(txn, open_collection(txn, "c").value(), "by_at"); })));
  this->at(10'000);
  EXPECT_EQ(this->count(), 1u);
  EXPECT_EQ(this->sweep().removed, 0u);
}

TYPED_TEST(ExpiryTest, an_index_does_not_answer_alone_when_documents_may_expire) {
  ASSERT_TRUE(ok(this->create_index(this->index_on("n"))));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":1,"n":1})")));
  const Projection only_n = Projection::compile(json(R"({"_id":1,"n":1})").bson()).value();
  const auto find = [&] { return this->find(R"({"n":1})", &only_n); };
  EXPECT_TRUE(find().is_covered);
  ASSERT_TRUE(ok(this->put_until(R"({"_id":2,"n":1})", 10)));
  EXPECT_FALSE(find().is_covered);
  EXPECT_EQ(find().count, 2u);
  this->at(10);
  EXPECT_EQ(find().count, 1u);
}

TYPED_TEST(ExpiryTest, unique_indexes_pass_over_what_has_expired) {
  ASSERT_TRUE(ok(this->put_until(R"({"_id":1,"n":1})", 10)));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":2,"n":1})")));
  ASSERT_TRUE(ok(this->put_until(R"({"_id":3,"n":1})", 10)));
  IndexDefinition by_n = this->index_on("n");
  by_n.unique = true;
  EXPECT_TRUE(fails(this->create_index(by_n), ErrorCode::IndexDuplicate));
  EXPECT_TRUE(fails(build_index(this->store(), "c", by_n, {}, 1), ErrorCode::IndexDuplicate));
  this->at(10);
  ASSERT_TRUE(ok(this->create_index(by_n)));
  by_n.name = "again";
  ASSERT_TRUE(ok(build_index(this->store(), "c", by_n, {}, 1)));
  EXPECT_TRUE(fails(this->put("c", R"({"_id":4,"n":1})"), ErrorCode::IndexDuplicate));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":2,"n":2})")));
  ASSERT_TRUE(ok(this->put("c", R"({"_id":4,"n":1})"))) << "only the expired ones had it";
  EXPECT_EQ(this->sweep().removed, 2u);
  EXPECT_EQ(this->find(R"({"n":1})").count, 1u);
  EXPECT_EQ(this->entries(), 6u);
}

TYPED_TEST(ExpiryTest, sweeps_go_in_small_steps_and_leave_nothing) {
  for (int i = 0; i < 25; ++i) {
    ASSERT_TRUE(ok(this->put_until("{\"_id\":" + std::to_string(i) + "}", 10 + static_cast<std::uint64_t>(i))));
  }
  EXPECT_EQ(this->sweep(10).removed, 0u);
  this->at(29);
  Sweep swept = this->sweep(10);
  EXPECT_EQ(swept.removed, 10u);
  EXPECT_FALSE(swept.is_done);
  EXPECT_EQ(this->sweep(10).removed, 10u);
  swept = this->sweep(10);
  EXPECT_EQ(swept.removed, 0u);
  EXPECT_TRUE(swept.is_done);
  EXPECT_EQ(this->count(), 5u);
  EXPECT_EQ(this->entries(), 10u);
  // Of a collection that is gone, only the entries have to go.
  ASSERT_TRUE(ok(this->write([](kv::StoreWriter& txn) { return drop_collection(txn, "c"); })));
  this->at(1000);
  EXPECT_EQ(this->sweep().removed, 0u);
  EXPECT_EQ(this->entries(), 0u);
}

TYPED_TEST(ExpiryTest, a_clock_that_goes_back_brings_nothing_back) {
  ASSERT_TRUE(ok(this->put_until(R"({"_id":1})", 10)));
  ASSERT_TRUE(ok(this->put_until(R"({"_id":2})", 20)));
  this->at(15);
  EXPECT_EQ(this->count(), 1u);
  this->at(0);
  EXPECT_EQ(this->count(), 1u);
}

// A sweep that only came half-way keeps the time, for machines that start again with a wrong clock.
TEST(ExpiryOfAFile, survives_a_crash_and_a_wrong_clock) {
  const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({.seed = 1});
  Options options = sim_options(*env);
  options.durability = Durability::Full;
  Database db = Database::open("/a.vtr", OpenMode::CreateNew, options).value();
  ASSERT_TRUE(ok(db.write([&](WriteTransaction& txn) -> Status {
    DocumentWriter writer(txn);
    EXPECT_TRUE(ok(writer.create_collection("c")));
    for (int i = 0; i < 3; ++i) {
      const Document document = json("{\"_id\":" + std::to_string(i) + "}");
      EXPECT_TRUE(ok(writer.set_ex("c", document, Expiry::after(std::chrono::seconds(10 + i)))));
    }
    EXPECT_TRUE(ok(writer.insert("c", json(R"({"_id":9})"))));
    return {};
  })));
  env->shift_wall_ms(60'000);
  const std::uint64_t before = env->operations();
  ASSERT_TRUE(ok(db.write([&](WriteTransaction& txn) { return DocumentWriter(txn).sweep_expired(1).status(); })));
  EXPECT_GT(env->operations(), before);
  const os::SimCrash crash(*env);
  for (const os::SimImage& image : {crash.image_with_all(), crash.image_with_none()}) {
    const std::unique_ptr<os::SimEnv> after = image.make_env();
    after->shift_wall_ms(-120'000);
    Database again = Database::open("/a.vtr", OpenMode::MustExist, sim_options(*after)).value();
    ASSERT_TRUE(ok(again.write([&](WriteTransaction& txn) -> Status {
      DocumentWriter writer(txn);
      EXPECT_EQ(writer.count("c").value(), 1u);
      EXPECT_EQ(writer.sweep_expired().value().removed, 2u);
      return {};
    })));
    EXPECT_TRUE(kv::testing::verifies_clean(again));
  }
}

// Random writes, times, sweeps and jumps of the clock, some undone, beside a map.
TYPED_TEST(ExpiryTest, does_what_a_map_with_times_does) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  base::Prng random(seed);
  struct Row {
    int value;
    std::uint64_t until;
  };
  std::map<int, Row> committed;
  std::uint64_t now = 0;
  for (int round = testing::rounds(1000); round-- > 0;) {
    if (random.one_in(3)) now += random.below(4);
    this->at(now);
    ASSERT_GE(this->reader()->clock_ms(), kStart + now * 1000);
    if (random.one_in(3)) this->at(now / 2);  // a clock that goes back does not count
    const auto txn = this->store().begin_write().value();
    auto model = committed;
    for (std::uint64_t step = random.below(6); step-- > 0;) {
      const Collection collection = open_collection(*txn, "c").value();
      const int id = static_cast<int>(random.below(8));
      const bool is_there = model.count(id) != 0 && model[id].until > now;
      if (random.one_in(4)) {
        const OwnedValue value = OwnedValue::of_json(std::to_string(id));
        ASSERT_EQ(remove_document(*txn, collection, value.value(), {}).value(), is_there);
        model.erase(id);
      } else if (random.one_in(4)) {
        ASSERT_TRUE(ok(sweep_expired(*txn, 1 + random.below(3))));
      } else {
        const Row row{static_cast<int>(random.below(100)), random.one_in(3) ? ~0ull : now + random.below(6)};
        Expectation expectation;
        expectation.expires_ms = row.until == ~0ull ? 0 : kStart + row.until * 1000;
        const ByteString document =
            testing::storable("{\"_id\":" + std::to_string(id) + ",\"v\":" + std::to_string(row.value) + "}");
        ASSERT_EQ(write_document(*txn, collection, document, expectation).value().was_there, is_there);
        model[id] = row;
      }
    }
    if (!random.one_in(4)) {
      ASSERT_TRUE(ok(txn->commit(std::nullopt)));
      committed = model;
    }
    std::string expected;
    for (const auto& [id, row] : committed) {
      if (row.until <= now) continue;
      expected.append("{\"_id\":" + std::to_string(id) + ",\"v\":" + std::to_string(row.value) + "}");
    }
    ASSERT_EQ(this->all(), expected);
  }
  this->at(now + 100);
  while (!this->sweep(3).is_done) {
  }
  std::uint64_t forever = 0;
  for (const auto& [id, row] : committed) forever += row.until == ~0ull ? 1 : 0;
  EXPECT_EQ(this->entries(), forever);
}

TEST(DocumentSweeperTest, frees_the_space_of_what_has_expired) {
  Database db = Database::open_in_memory(kv::testing::small_options()).value();
  ASSERT_TRUE(ok(db.write([](WriteTransaction& txn) -> Status {
    DocumentWriter writer(txn);
    EXPECT_TRUE(ok(writer.create_collection("c")));
    return writer.set_ex("c", json(R"({"_id":1})"), Expiry::at_ms(1)).status();
  })));
  const auto entries = [&] {
    const ReadTransaction txn = db.begin_read().value();
    return txn.count(txn.keyspace("vitrine.documents").value(), {.prefix = "\x10", .from = {}, .to = {}}).value();
  };
  EXPECT_EQ(entries(), 1u);
  {
    const DocumentSweeper sweeper = DocumentSweeper::start(db, std::chrono::milliseconds(1)).value();
    while (entries() != 0) std::this_thread::yield();
    EXPECT_TRUE(ok(sweeper.status()));
  }
  EXPECT_TRUE(kv::testing::verifies_clean(db));
}

}  // namespace
}  // namespace vitrine::doc
