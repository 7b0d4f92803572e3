// SPDX-License-Identifier: MIT OR Apache-2.0
// Entries of one transaction: reading, writing, versions, ranges. How it ends: transaction_end_test.cpp.
#include <string>
#include <utility>

#include "kv/testing.hpp"

namespace vitrine::kv {
namespace {

using testing::Content;
using testing::content_of;
using testing::DatabaseTest;
using testing::fails;
using testing::ok;

class TransactionTest : public DatabaseTest {
 protected:
  // Entries 000 .. count-1, each with its own key as value.
  void fill(WriteTransaction& txn, int count, Keyspace keyspace = {}) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(ok(txn.put(keyspace, key(i), key(i))));
  }
  static std::string key(int number) {
    std::string digits = std::to_string(number);
    return std::string(5 - digits.size(), '0') + digits;
  }
};

// --- Reading and writing ---------------------------------------------------------------------------------------------

TEST_F(TransactionTest, a_missing_key_is_no_error) {
  WriteTransaction txn = begin();
  std::string buffer = "as it was";
  EXPECT_EQ(txn.get("nothing").value(), std::nullopt);
  EXPECT_FALSE(txn.get({}, "nothing", buffer).value());
  EXPECT_FALSE(txn.get_entry({}, "nothing").value().has_value());
  EXPECT_FALSE(txn.contains({}, "nothing").value());
  EXPECT_FALSE(txn.erase("nothing").value());
}

TEST_F(TransactionTest, all_ways_to_read_give_the_value) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("k", "value")));
  std::string buffer;
  EXPECT_EQ(txn.get("k").value(), "value");
  EXPECT_TRUE(txn.get({}, "k", buffer).value());
  EXPECT_EQ(buffer, "value");
  EXPECT_EQ(txn.get_entry({}, "k").value().value().value, "value");
  EXPECT_TRUE(txn.contains({}, "k").value());
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, reading_into_a_buffer_keeps_its_capacity) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("k", "short")));
  std::string buffer;
  buffer.reserve(4096);
  const char* before = buffer.data();
  ASSERT_TRUE(txn.get({}, "k", buffer).value());
  EXPECT_EQ(buffer.data(), before);
}

TEST_F(TransactionTest, an_empty_value_is_a_value) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("k", "")));
  EXPECT_EQ(txn.get("k").value(), "");
  EXPECT_TRUE(txn.contains({}, "k").value());
  ASSERT_TRUE(ok(txn.commit()));
  EXPECT_EQ(db().get("k").value(), "");
}

TEST_F(TransactionTest, keys_and_values_are_any_bytes) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  WriteTransaction txn = begin();
  for (int byte = 0; byte < 256; ++byte) ASSERT_TRUE(ok(txn.put(std::string(1, static_cast<char>(byte)), all)));
  ASSERT_TRUE(ok(txn.put(all, std::string("\0", 1))));
  ASSERT_TRUE(ok(txn.commit()));
  for (int byte = 0; byte < 256; ++byte) EXPECT_EQ(db().get(std::string(1, static_cast<char>(byte))).value(), all);
  EXPECT_EQ(db().get(all).value(), std::string("\0", 1));
}

TEST_F(TransactionTest, a_put_replaces_values_of_any_two_sizes) {
  const std::size_t sizes[] = {0, 1, 100, 1200, 1300, 5000, 70'000, 300'000};
  WriteTransaction txn = begin();
  for (const std::size_t before : sizes) {
    for (const std::size_t after : sizes) {
      ASSERT_TRUE(ok(txn.put("k", std::string(before, 'b'))));
      ASSERT_TRUE(ok(txn.put("k", std::string(after, 'a'))));
      EXPECT_TRUE(txn.get("k").value() == std::string(after, 'a')) << before << " to " << after;
    }
  }
  EXPECT_EQ(txn.count({}).value(), 1u);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, a_write_transaction_reads_its_own_writes_and_nobody_else_does) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("k", "new")));
  EXPECT_EQ(txn.get("k").value(), "new");
  EXPECT_EQ(db().get("k").value(), std::nullopt);
  EXPECT_TRUE(txn.erase("k").value());
  EXPECT_EQ(txn.get("k").value(), std::nullopt);
  ASSERT_TRUE(ok(txn.put("k", "newer")));
  ASSERT_TRUE(ok(txn.commit()));
  EXPECT_EQ(db().get("k").value(), "newer");
}

TEST_F(TransactionTest, a_snapshot_sees_one_state_whatever_is_committed) {
  ASSERT_TRUE(ok(db().put("k", "old")));
  const ReadTransaction snapshot = db().begin_read().value();
  ASSERT_TRUE(ok(db().put("k", "new")));
  ASSERT_TRUE(ok(db().put("other", "new")));
  ASSERT_TRUE(ok(db().checkpoint()));
  EXPECT_EQ(snapshot.get("k").value(), "old");
  EXPECT_EQ(snapshot.get("other").value(), std::nullopt);
  EXPECT_EQ(snapshot.count({}).value(), 1u);
  EXPECT_EQ(db().get("k").value(), "new");
}

TEST_F(TransactionTest, snapshot_seq_names_the_commit_that_is_seen) {
  const std::uint64_t start = db().begin_read().value().snapshot_seq();
  WriteTransaction txn = begin();
  EXPECT_EQ(txn.snapshot_seq(), start) << "its own writes are not counted";
  ASSERT_TRUE(ok(txn.put("k", "v")));
  EXPECT_EQ(txn.snapshot_seq(), start);
  const Commit commit = txn.commit();
  EXPECT_EQ(commit.seq, start + 1);
  EXPECT_EQ(db().begin_read().value().snapshot_seq(), commit.seq);
}

TEST_F(TransactionTest, moving_a_transaction_moves_what_it_did) {
  WriteTransaction first = begin();
  ASSERT_TRUE(ok(first.put("k", "v")));
  Cursor cursor = first.cursor();
  ASSERT_TRUE(ok(cursor.seek_first()));
  WriteTransaction second = std::move(first);
  EXPECT_EQ(cursor.key(), "k");
  EXPECT_EQ(second.get("k").value(), "v");
  EXPECT_TRUE(ok(second.commit()));
}

TEST_F(TransactionTest, assigning_to_a_transaction_rolls_the_old_one_back) {
  ReadTransaction reader = db().begin_read().value();
  ASSERT_TRUE(ok(db().put("k", "v")));
  reader = db().begin_read().value();
  EXPECT_EQ(reader.get("k").value(), "v");
  EXPECT_EQ(db().stats().value().snapshots, 1u);
}

// --- Arguments -------------------------------------------------------------------------------------------------------

TEST_F(TransactionTest, an_empty_key_is_refused_by_every_call) {
  WriteTransaction txn = begin();
  std::string buffer;
  EXPECT_TRUE(fails(txn.put("", "v"), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn.put_if_absent({}, "", "v"), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn.compare_and_set({}, "", 0, "v"), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn.erase(""), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn.get(""), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn.get({}, "", buffer), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn.get_entry({}, ""), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn.contains({}, ""), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn.open_value({}, ""), ErrorCode::KeyEmpty));
  EXPECT_TRUE(fails(txn.write_value({}, ""), ErrorCode::KeyEmpty));
  txn.rollback();  // the next line is a transaction of its own
  EXPECT_TRUE(fails(db().put("", "v"), ErrorCode::KeyEmpty));
}

TEST_F(TransactionTest, a_value_above_one_gibibyte_is_refused_unread) {
  const char byte = 'x';
  const Bytes huge(&byte, (std::size_t{1} << 30) + 1);  // never read: the size is looked at first
  WriteTransaction txn = begin();
  EXPECT_TRUE(fails(txn.put("k", huge), ErrorCode::ValueTooLarge));
  EXPECT_TRUE(fails(txn.put_if_absent({}, "k", huge), ErrorCode::ValueTooLarge));
  EXPECT_TRUE(fails(txn.compare_and_set({}, "k", 0, huge), ErrorCode::ValueTooLarge));
  EXPECT_EQ(txn.get("k").value(), std::nullopt);
}

TEST_F(TransactionTest, argument_errors_change_nothing_and_leave_the_transaction_usable) {
  WriteTransaction txn = begin();
  fill(txn, 100);
  const Content before = content_of(txn);
  const std::string long_key(5000, 'k');
  EXPECT_TRUE(fails(txn.put(long_key, "v"), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn.erase(long_key), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn.put_if_absent({}, long_key, "v"), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn.compare_and_set({}, long_key, 0, "v"), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn.write_value({}, long_key), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn.compare_and_set({}, key(1), 77, "v"), ErrorCode::VersionDiffers));
  EXPECT_TRUE(fails(txn.put({9999, true}, "k", "v"), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.rollback_to({3}), ErrorCode::SavepointUnknown));
  EXPECT_TRUE(content_of(txn) == before);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, a_too_long_key_names_its_size_and_the_limit) {
  const Status status = db().put(std::string(5000, 'k'), "v");
  EXPECT_EQ(status.detail("size"), "5000");
  EXPECT_EQ(status.detail("largest"), std::to_string(db().info().value().key_size_max));
}

TEST_F(TransactionTest, a_view_into_the_own_cursor_can_be_put_and_erased) {
  WriteTransaction txn = begin();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(ok(txn.put(key(i), std::string(50, static_cast<char>('a' + i % 26)))));
  Cursor cursor = txn.cursor();
  ASSERT_TRUE(ok(cursor.seek(key(100))));
  const std::string expected(cursor.value().value());
  ASSERT_TRUE(ok(txn.put("copy", cursor.value().value())));
  EXPECT_EQ(txn.get("copy").value(), expected);
  ASSERT_TRUE(ok(txn.put(cursor.key(), cursor.key())));
  EXPECT_EQ(txn.get(key(100)).value(), key(100));
  EXPECT_TRUE(txn.erase(cursor.key()).value());
  EXPECT_EQ(txn.get(key(100)).value(), std::nullopt);
  EXPECT_TRUE(ok(txn.commit()));
}

// --- Versions --------------------------------------------------------------------------------------------------------

TEST_F(TransactionTest, an_entry_has_the_number_of_the_commit_that_wrote_it) {
  const std::uint64_t first = [&] {
    WriteTransaction txn = begin();
    EXPECT_TRUE(ok(txn.put("a", "1")));
    EXPECT_TRUE(ok(txn.put("b", "1")));
    return txn.commit().seq;
  }();
  ASSERT_TRUE(ok(db().put("b", "2")));
  const ReadTransaction txn = db().begin_read().value();
  EXPECT_EQ(txn.get_entry({}, "a").value().value().version, first);
  EXPECT_EQ(txn.get_entry({}, "b").value().value().version, first + 1);
}

TEST_F(TransactionTest, a_keyspace_without_versions_has_version_zero_everywhere) {
  WriteTransaction txn = begin();
  const Keyspace plain = txn.create_keyspace("plain", {.versions = false}).value();
  ASSERT_TRUE(ok(txn.put(plain, "k", "v")));
  EXPECT_EQ(txn.get_entry(plain, "k").value().value().version, 0u);
  EXPECT_TRUE(fails(txn.compare_and_set(plain, "k", 0, "v"), ErrorCode::Unversioned));
  Cursor cursor = txn.cursor(plain);
  ASSERT_TRUE(ok(cursor.seek_first()));
  EXPECT_EQ(cursor.version(), 0u);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, compare_and_set_writes_when_the_version_is_the_expected_one) {
  ASSERT_TRUE(ok(db().put("k", "old")));
  WriteTransaction txn = begin();
  const std::uint64_t version = txn.get_entry({}, "k").value().value().version;
  ASSERT_TRUE(ok(txn.compare_and_set({}, "k", version, "new")));
  EXPECT_EQ(txn.get("k").value(), "new");
  EXPECT_GT(txn.get_entry({}, "k").value().value().version, version);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, compare_and_set_tells_both_versions_when_they_differ) {
  ASSERT_TRUE(ok(db().put("k", "old")));
  WriteTransaction txn = begin();
  const std::uint64_t version = txn.get_entry({}, "k").value().value().version;
  const Status status = txn.compare_and_set({}, "k", version + 5, "new");
  EXPECT_TRUE(fails(status, ErrorCode::VersionDiffers));
  EXPECT_EQ(status.detail("expected"), std::to_string(version + 5));
  EXPECT_EQ(status.detail("found"), std::to_string(version));
  EXPECT_EQ(txn.get("k").value(), "old");
}

TEST_F(TransactionTest, compare_and_set_with_version_zero_demands_that_the_key_is_absent) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.compare_and_set({}, "k", 0, "first")));
  EXPECT_TRUE(fails(txn.compare_and_set({}, "k", 0, "second"), ErrorCode::VersionDiffers));
  EXPECT_EQ(txn.get("k").value(), "first");
  EXPECT_TRUE(fails(txn.compare_and_set({}, "absent", 1, "v"), ErrorCode::VersionDiffers));
  EXPECT_FALSE(txn.contains({}, "absent").value());
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, versions_of_large_values_are_right) {
  ASSERT_TRUE(ok(db().put("k", std::string(200'000, 'x'))));
  WriteTransaction txn = begin();
  const Entry entry = txn.get_entry({}, "k").value().value();
  EXPECT_EQ(entry.value.size(), 200'000u);
  EXPECT_EQ(entry.version, txn.snapshot_seq());
  ASSERT_TRUE(ok(txn.compare_and_set({}, "k", entry.version, std::string(300'000, 'y'))));
  EXPECT_TRUE(txn.get("k").value() == std::string(300'000, 'y'));
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, put_if_absent_writes_once) {
  WriteTransaction txn = begin();
  EXPECT_TRUE(txn.put_if_absent({}, "k", "first").value());
  EXPECT_FALSE(txn.put_if_absent({}, "k", "second").value());
  EXPECT_EQ(txn.get("k").value(), "first");
  EXPECT_TRUE(txn.erase("k").value());
  EXPECT_TRUE(txn.put_if_absent({}, "k", "third").value());
  EXPECT_TRUE(ok(txn.commit()));
}

// --- Ranges ----------------------------------------------------------------------------------------------------------

TEST_F(TransactionTest, erase_range_takes_the_lower_bound_and_leaves_the_upper) {
  WriteTransaction txn = begin();
  fill(txn, 1000);
  EXPECT_EQ(txn.erase_range({}, key(100), key(200)).value(), 100u);
  EXPECT_TRUE(txn.contains({}, key(99)).value());
  EXPECT_FALSE(txn.contains({}, key(100)).value());
  EXPECT_FALSE(txn.contains({}, key(199)).value());
  EXPECT_TRUE(txn.contains({}, key(200)).value());
  EXPECT_EQ(txn.count({}).value(), 900u);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, erase_range_without_an_end_stops_at_the_end_of_the_keyspace) {
  WriteTransaction txn = begin();
  const Keyspace next = txn.create_keyspace("next").value();
  fill(txn, 300);
  fill(txn, 300, next);
  EXPECT_EQ(txn.erase_range({}, key(100), std::nullopt).value(), 200u);
  EXPECT_EQ(txn.count({}).value(), 100u);
  EXPECT_EQ(txn.count(next).value(), 300u);
  EXPECT_EQ(txn.erase_range({}, "", std::nullopt).value(), 100u);
  EXPECT_EQ(txn.count(next).value(), 300u);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, an_empty_or_inverted_range_erases_nothing) {
  WriteTransaction txn = begin();
  fill(txn, 1000);
  EXPECT_EQ(txn.erase_range({}, key(500), key(500)).value(), 0u);
  EXPECT_EQ(txn.erase_range({}, key(700), key(200)).value(), 0u);
  EXPECT_EQ(txn.erase_range({}, key(3), "").value(), 0u);
  EXPECT_EQ(txn.erase_range({}, "a", "b").value(), 0u);
  EXPECT_EQ(txn.count({}).value(), 1000u);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, bounds_of_a_range_may_be_longer_than_any_key) {
  const std::size_t key_max = db().info().value().key_size_max;
  WriteTransaction txn = begin();
  const std::string longest(key_max, 'm'), before = "l", behind = "n";
  for (const std::string& k : {before, longest, behind}) ASSERT_TRUE(ok(txn.put(k, "v")));
  const std::string bound(3 * key_max, 'm');
  EXPECT_EQ(txn.erase_range({}, bound, std::nullopt).value(), 1u) << "only what lies behind the bound";
  EXPECT_FALSE(txn.contains({}, behind).value());
  EXPECT_TRUE(txn.contains({}, longest).value());
  EXPECT_EQ(txn.erase_range({}, "", bound).value(), 2u) << "the longest key lies before the bound";
  EXPECT_EQ(txn.count({}).value(), 0u);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, bounds_of_nothing_but_the_highest_byte_stay_inside_the_keyspace) {
  WriteTransaction txn = begin();
  const Keyspace next = txn.create_keyspace("next").value();
  ASSERT_TRUE(ok(txn.put(std::string(100, '\xff'), "v")));
  ASSERT_TRUE(ok(txn.put(next, "a", "v")));
  const std::string top(5000, '\xff');
  EXPECT_EQ(txn.erase_range({}, top, std::nullopt).value(), 0u);
  EXPECT_EQ(txn.erase_range({}, "", top).value(), 1u);
  EXPECT_EQ(txn.count(next).value(), 1u);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionTest, many_keys_are_looked_up_at_once) {
  WriteTransaction txn = begin();
  const Keyspace plain = txn.create_keyspace("plain", {.versions = false}).value();
  EXPECT_EQ(txn.multi_get(plain, {}).value().size(), 0u);
  for (const Keyspace keyspace : {Keyspace{}, plain}) {
    for (int i = 0; i < 3000; i += 2)
      ASSERT_TRUE(ok(txn.put(keyspace, key(i), std::string(static_cast<std::size_t>(i % 7), 'v'))));
    ASSERT_TRUE(ok(txn.put(keyspace, key(1), std::string(100'000, 'x'))));
  }
  const auto agrees = [](const Transaction& with, Keyspace keyspace) {
    std::vector<std::string> keys;
    for (int i = 0; i < 100; ++i) keys.push_back(key(i * 37 % 3011));
    keys.push_back(key(1));
    keys.push_back(keys.front());
    const std::vector<Bytes> views(keys.begin(), keys.end());
    const auto values = with.multi_get(keyspace, views).value();
    ASSERT_EQ(values.size(), keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(values[i], with.get(keyspace, keys[i]).value()) << keys[i];
  };
  for (const Keyspace keyspace : {Keyspace{}, plain}) agrees(txn, keyspace);  // its own writes
  ASSERT_TRUE(ok(txn.commit()));
  const ReadTransaction reader = db().begin_read().value();
  for (const Keyspace keyspace : {Keyspace{}, plain}) agrees(reader, keyspace);
  EXPECT_EQ(reader.multi_get({}, std::vector<Bytes>{"a", ""}).status().code(), ErrorCode::KeyEmpty);
  EXPECT_EQ(txn.multi_get({}, std::vector<Bytes>{"a"}).status().code(), ErrorCode::TransactionFinished);
}

TEST_F(TransactionTest, erasing_a_range_of_large_values_gives_their_space_back) {
  ASSERT_TRUE(ok(db().write([&](WriteTransaction& txn) {
    for (int i = 0; i < 20; ++i) {
      if (Status s = txn.put(key(i), std::string(200'000, 'x')); !s.is_ok()) return s;
    }
    return Status{};
  })));
  ASSERT_TRUE(ok(db().write([&](WriteTransaction& txn) { return txn.erase_range({}, "", std::nullopt).status(); })));
  ASSERT_TRUE(ok(db().checkpoint()));
  ASSERT_TRUE(ok(db().checkpoint()));
  const Stats stats = db().stats().value();
  EXPECT_LT(stats.pages_allocated, 20u);
  EXPECT_EQ(stats.entries, 0u);
}

}  // namespace
}  // namespace vitrine::kv
