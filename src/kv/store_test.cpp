// SPDX-License-Identifier: MIT OR Apache-2.0
// One suite for every implementation of the seam.
#include "kv/store.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/prng.hpp"
#include "kv/memory_store.hpp"
#include "kv/native_store.hpp"
#include "kv/testing.hpp"

namespace vitrine::kv {
namespace {

using testing::fails;
using testing::ok;

// A store for the length of a test, and what is to be checked of it at the end.
struct NativeHolder {
  NativeHolder() : db(Database::open_in_memory(testing::small_options()).value()), store(db, "seam") {}
  ~NativeHolder() { EXPECT_TRUE(testing::verifies_clean(db)); }
  Database db;
  NativeStore store;
};

struct MemoryHolder {
  MemoryStore store;
};

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries entries_of(const StoreReader& txn, Bytes begin = "", Bytes end = "\xff\xff", const StoreScan& options = {}) {
  Entries entries;
  const auto count = txn.scan(begin, end, options, [&](Bytes key, Bytes value) {
    entries.emplace_back(key, value);
    return true;
  });
  EXPECT_EQ(count.value(), entries.size());
  return entries;
}

std::string value_of(const Result<std::optional<ByteString>>& found) { return found.value().value_or("(none)"); }

template <typename Holder>
class StoreTest : public ::testing::Test {
 protected:
  Store& store() { return holder_.store; }
  std::unique_ptr<StoreReader> reader() { return store().begin_read().value(); }
  std::unique_ptr<StoreWriter> writer() { return store().begin_write().value(); }
  void put_all(const Entries& entries) {
    const Commit commit = run_in_transaction(store(), [&](StoreWriter& txn) {
      for (const auto& [key, value] : entries) {
        if (Status put = txn.put(key, value); !put.is_ok()) return put;
      }
      return Status{};
    });
    ASSERT_TRUE(ok(commit));
  }

 private:
  Holder holder_;
};

using Holders = ::testing::Types<NativeHolder, MemoryHolder>;
TYPED_TEST_SUITE(StoreTest, Holders);

TYPED_TEST(StoreTest, reads_as_empty_before_the_first_write) {
  EXPECT_EQ(value_of(this->reader()->get("a")), "(none)");
  EXPECT_EQ(entries_of(*this->reader()), Entries{});
  const auto txn = this->writer();
  EXPECT_EQ(value_of(txn->get("a")), "(none)");
  EXPECT_TRUE(ok(txn->erase("a")));
  EXPECT_TRUE(ok(txn->erase_range("a", "z")));
}

TYPED_TEST(StoreTest, a_transaction_sees_its_own_writes_and_others_see_them_after_commit) {
  const auto txn = this->writer();
  ASSERT_TRUE(ok(txn->put("a", "1")));
  EXPECT_EQ(value_of(txn->get("a")), "1");
  EXPECT_EQ(entries_of(*txn), (Entries{{"a", "1"}}));
  EXPECT_EQ(value_of(this->reader()->get("a")), "(none)");
  ASSERT_TRUE(ok(txn->commit(std::nullopt)));
  EXPECT_EQ(value_of(this->reader()->get("a")), "1");
}

TYPED_TEST(StoreTest, a_transaction_that_is_dropped_leaves_nothing) {
  this->put_all({{"a", "1"}});
  {
    const auto txn = this->writer();
    ASSERT_TRUE(ok(txn->put("a", "2")));
    ASSERT_TRUE(ok(txn->put("b", "2")));
  }
  EXPECT_EQ(entries_of(*this->reader()), (Entries{{"a", "1"}}));
}

TYPED_TEST(StoreTest, a_snapshot_does_not_move) {
  this->put_all({{"a", "1"}, {"b", "1"}});
  const auto before = this->reader();
  this->put_all({{"a", "2"}, {"c", "2"}});
  EXPECT_EQ(entries_of(*before), (Entries{{"a", "1"}, {"b", "1"}}));
  EXPECT_EQ(entries_of(*this->reader()), (Entries{{"a", "2"}, {"b", "1"}, {"c", "2"}}));
}

TYPED_TEST(StoreTest, only_who_cannot_write_sees_one_state_and_nothing_else) {
  const auto before = this->reader();
  EXPECT_TRUE(before->is_snapshot());
  EXPECT_EQ(this->reader()->read_version(), before->read_version());
  EXPECT_FALSE(this->writer()->is_snapshot());
}

TYPED_TEST(StoreTest, versions_grow_with_commits) {
  const auto before = this->reader();
  const auto txn = this->writer();
  ASSERT_TRUE(ok(txn->put("a", "1")));
  const Commit commit = txn->commit(std::nullopt);
  ASSERT_TRUE(ok(commit));
  EXPECT_GT(commit.seq, before->read_version());
  EXPECT_GE(this->reader()->read_version(), commit.seq);
  EXPECT_GE(this->writer()->read_version(), commit.seq);
}

TYPED_TEST(StoreTest, scans_a_half_open_range_both_ways_up_to_a_limit) {
  this->put_all({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
  const auto txn = this->reader();
  EXPECT_EQ(entries_of(*txn, "b", "d"), (Entries{{"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(entries_of(*txn, "b", "d", {.reverse = true}), (Entries{{"c", "3"}, {"b", "2"}}));
  EXPECT_EQ(entries_of(*txn, "a", "z", {.limit = 2}), (Entries{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(entries_of(*txn, "a", "z", {.limit = 2, .reverse = true}), (Entries{{"d", "4"}, {"c", "3"}}));
  EXPECT_EQ(entries_of(*txn, "bb", "bz"), Entries{});
  EXPECT_EQ(entries_of(*txn, "d", "a"), Entries{});
  EXPECT_EQ(entries_of(*txn, "a", "z", {.limit = 0}), Entries{});
}

TYPED_TEST(StoreTest, a_scan_stops_when_told_and_may_read_on_the_way) {
  this->put_all({{"a", "b"}, {"b", "c"}, {"c", "a"}});
  const auto txn = this->reader();
  std::string seen;
  const auto count = txn->scan("a", "z", {}, [&](Bytes key, Bytes value) {
    seen.append(key).append(value_of(txn->get(value)));
    return key != "b";
  });
  EXPECT_EQ(count.value(), 2u);
  EXPECT_EQ(seen, "acba");
}

TYPED_TEST(StoreTest, gets_many_keys_in_the_order_asked) {
  this->put_all({{"a", "1"}, {"c", "3"}});
  std::vector<std::optional<ByteString>> values;
  const std::vector<Bytes> keys{"c", "b", "a", "c"};
  ASSERT_TRUE(ok(this->reader()->multi_get(keys, [&](std::size_t place, std::optional<Bytes> value) {
    EXPECT_EQ(place, values.size());
    values.emplace_back(value);
  })));
  ASSERT_EQ(values.size(), 4u);
  EXPECT_EQ(values[0], "3");
  EXPECT_EQ(values[1], std::nullopt);
  EXPECT_EQ(values[2], "1");
  EXPECT_EQ(values[3], "3");
}

TYPED_TEST(StoreTest, erases_keys_and_half_open_ranges) {
  this->put_all({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
  const auto txn = this->writer();
  ASSERT_TRUE(ok(txn->erase("a")));
  ASSERT_TRUE(ok(txn->erase_range("b", "d")));
  ASSERT_TRUE(ok(txn->erase_range("z", "b")));
  ASSERT_TRUE(ok(txn->put("bb", "5")));
  ASSERT_TRUE(ok(txn->commit(std::nullopt)));
  EXPECT_EQ(entries_of(*this->reader()), (Entries{{"bb", "5"}, {"d", "4"}}));
}

TYPED_TEST(StoreTest, takes_keys_of_one_byte_to_the_limit_and_no_others) {
  const std::string longest(kStoreKeyMax, '\xff');
  const auto txn = this->writer();
  EXPECT_TRUE(ok(txn->put(longest, "1")));
  EXPECT_TRUE(ok(txn->put(Bytes("\0", 1), "2")));
  EXPECT_TRUE(fails(txn->put(longest + "x", "1"), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn->put("", "1"), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn->get(""), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn->get(longest + "x"), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn->erase(longest + "x"), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn->multi_get(std::vector<Bytes>{"a", ""}, [](std::size_t, std::optional<Bytes>) {}),
                    ErrorCode::KeyEmpty));
  ASSERT_TRUE(ok(txn->commit(std::nullopt)));
  EXPECT_EQ(value_of(this->reader()->get(longest)), "1");
}

TYPED_TEST(StoreTest, bounds_may_be_longer_than_keys) {
  this->put_all({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  const std::string low = "a" + std::string(2 * kStoreKeyMax, 'x'), high = "b" + std::string(2 * kStoreKeyMax, 'x');
  EXPECT_EQ(entries_of(*this->reader(), low, high), (Entries{{"b", "2"}}));
  const auto txn = this->writer();
  ASSERT_TRUE(ok(txn->erase_range(low, high)));
  EXPECT_EQ(entries_of(*txn), (Entries{{"a", "1"}, {"c", "3"}}));
}

TYPED_TEST(StoreTest, nothing_works_after_commit) {
  const auto txn = this->writer();
  ASSERT_TRUE(ok(txn->put("a", "1")));
  ASSERT_TRUE(ok(txn->commit(std::nullopt)));
  EXPECT_TRUE(fails(txn->get("a"), ErrorCode::TransactionFinished));
  EXPECT_TRUE(fails(txn->put("a", "2"), ErrorCode::TransactionFinished));
  EXPECT_TRUE(fails(txn->erase("a"), ErrorCode::TransactionFinished));
  EXPECT_TRUE(fails(txn->erase_range("a", "b"), ErrorCode::TransactionFinished));
  EXPECT_TRUE(fails(txn->scan("a", "b", {}, [](Bytes, Bytes) { return true; }), ErrorCode::TransactionFinished));
  EXPECT_TRUE(fails(txn->commit(std::nullopt), ErrorCode::TransactionFinished));
}

TYPED_TEST(StoreTest, an_error_of_the_body_undoes_its_writes_and_passes) {
  const Commit commit = run_in_transaction(this->store(), [](StoreWriter& txn) {
    EXPECT_TRUE(ok(txn.put("a", "1")));
    return Status::error(ErrorCode::ArgumentInvalid);
  });
  EXPECT_TRUE(fails(commit, ErrorCode::ArgumentInvalid));
  EXPECT_EQ(entries_of(*this->reader()), Entries{});
}

// Random transactions on few keys, some dropped, beside a map that does the same.
TYPED_TEST(StoreTest, does_what_a_map_does) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  base::Prng random(seed);
  const char* scale = std::getenv("VITRINE_TEST_SCALE");
  const int rounds = scale && (std::string(scale) == "small" || std::string(scale) == "tiny") ? 60 : 600;
  const auto some_key = [&] { return std::string(1 + random.below(3), static_cast<char>('a' + random.below(5))); };

  std::map<std::string, std::string> committed;
  for (int round = 0; round < rounds; ++round) {
    const auto snapshot = this->reader();
    const auto txn = this->writer();
    std::map<std::string, std::string> model = committed;
    for (std::uint64_t step = random.below(12); step-- > 0;) {
      const std::string key = some_key(), other = some_key(), value = std::to_string(random.below(1000));
      switch (random.below(4)) {
        case 0:
          ASSERT_TRUE(ok(txn->erase(key)));
          model.erase(key);
          break;
        case 1:
          ASSERT_TRUE(ok(txn->erase_range(key, other)));
          if (key < other) model.erase(model.lower_bound(key), model.lower_bound(other));
          break;
        default:
          ASSERT_TRUE(ok(txn->put(key, value)));
          model[key] = value;
      }
      ASSERT_EQ(entries_of(*txn), Entries(model.begin(), model.end()));
    }
    ASSERT_EQ(entries_of(*snapshot), Entries(committed.begin(), committed.end()));
    if (random.one_in(4)) continue;
    ASSERT_TRUE(ok(txn->commit(std::nullopt)));
    committed = model;
    ASSERT_EQ(entries_of(*this->reader()), Entries(committed.begin(), committed.end()));
  }
}

// Where writers run side by side.
using OptimisticStoreTest = StoreTest<MemoryHolder>;

TEST_F(OptimisticStoreTest, one_of_two_writers_that_read_what_the_other_wrote_is_refused) {
  put_all({{"a", "1"}, {"b", "1"}});
  const auto first = writer(), second = writer(), blind = writer(), scanning = writer();
  EXPECT_EQ(value_of(second->get("a")), "1");
  EXPECT_EQ(entries_of(*scanning, "", "b").size(), 1u);
  ASSERT_TRUE(ok(first->put("a", "2")));
  ASSERT_TRUE(ok(second->put("b", "3")));
  ASSERT_TRUE(ok(blind->put("c", "4")));
  ASSERT_TRUE(ok(scanning->put("d", "5")));
  ASSERT_TRUE(ok(first->commit(std::nullopt)));
  EXPECT_TRUE(fails(second->commit(std::nullopt), ErrorCode::CommitConflict));
  EXPECT_TRUE(fails(scanning->commit(std::nullopt), ErrorCode::CommitConflict));
  EXPECT_TRUE(ok(blind->commit(std::nullopt)));
  EXPECT_EQ(entries_of(*reader()), (Entries{{"a", "2"}, {"b", "1"}, {"c", "4"}}));
}

TEST_F(OptimisticStoreTest, a_refused_transaction_is_run_again) {
  int runs = 0;
  const auto disturbed = [&](StoreWriter& txn) {
    EXPECT_TRUE(ok(txn.get("a")));
    if (++runs < 3) put_all({{"a", "other"}});
    return txn.put("a", "mine");
  };
  EXPECT_TRUE(fails(run_in_transaction(store(), disturbed, 2), ErrorCode::CommitConflict));
  EXPECT_EQ(value_of(reader()->get("a")), "other");
  EXPECT_TRUE(ok(run_in_transaction(store(), disturbed, 1)));
  EXPECT_EQ(value_of(reader()->get("a")), "mine");
}

}  // namespace
}  // namespace vitrine::kv
