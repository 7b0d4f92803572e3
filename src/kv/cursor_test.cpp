// SPDX-License-Identifier: MIT OR Apache-2.0
#include <cstdint>
#include <string>
#include <vector>

#include "kv/testing.hpp"

namespace vitrine::kv::testing {
namespace {

class CursorTest : public DatabaseTest {
 protected:
  // Keys "b", "d", "f" in the keyspace "middle", with neighbours on both sides that no cursor of it may reach.
  void fill() {
    const Status filled = db().write([&](WriteTransaction& txn) -> Status {
      middle_ = txn.create_keyspace("middle").value();
      const Keyspace after = txn.create_keyspace("after").value();
      for (const Keyspace keyspace : {Keyspace{}, after}) {
        for (const char* key : {"a", "z"}) EXPECT_TRUE(ok(txn.put(keyspace, key, "neighbour")));
      }
      for (const char* key : {"b", "d", "f"}) EXPECT_TRUE(ok(txn.put(middle_, key, key)));
      return {};
    });
    ASSERT_TRUE(ok(filled));
  }
  static std::string at(Cursor& cursor) { return cursor.is_valid() ? std::string(cursor.key()) : "none"; }

  Keyspace middle_;
};

TEST_F(CursorTest, a_new_cursor_is_on_no_entry) {
  fill();
  const ReadTransaction txn = db().begin_read().value();
  Cursor cursor = txn.cursor(middle_);
  EXPECT_FALSE(cursor.is_valid());
  EXPECT_TRUE(fails(cursor.next(), ErrorCode::Misuse));
  EXPECT_TRUE(fails(cursor.prev(), ErrorCode::Misuse));
  EXPECT_TRUE(fails(cursor.value(), ErrorCode::Misuse));
}

TEST_F(CursorTest, every_movement_ends_on_its_entry_or_on_none_and_never_in_a_neighbour) {
  fill();
  const ReadTransaction txn = db().begin_read().value();
  Cursor cursor = txn.cursor(middle_);
  const auto after = [&](const Status& moved) {
    EXPECT_TRUE(ok(moved));
    return at(cursor);
  };
  EXPECT_EQ(after(cursor.seek_first()), "b");
  EXPECT_EQ(after(cursor.prev()), "none");
  EXPECT_EQ(after(cursor.seek_last()), "f");
  EXPECT_EQ(after(cursor.next()), "none");
  const struct {
    Bytes key;
    const char* from;    // seek
    const char* before;  // seek_before
  } cases[] = {{"", "b", "none"}, {"a", "b", "none"}, {"b", "b", "none"}, {"c", "d", "b"},
               {"d", "d", "b"},   {"e", "f", "d"},    {"f", "f", "d"},    {Bytes("f\0", 2), "none", "f"},
               {"g", "none", "f"}};
  for (const auto& each : cases) {
    EXPECT_EQ(after(cursor.seek(each.key)), each.from) << each.key;
    EXPECT_EQ(after(cursor.seek_before(each.key)), each.before) << each.key;
  }
  EXPECT_EQ(after(cursor.seek(std::string(100'000, 'c'))), "d") << "a bound may be longer than any key";
  EXPECT_EQ(after(cursor.seek_before(std::string(100'000, 'c'))), "b");
}

TEST_F(CursorTest, an_empty_keyspace_has_no_place_to_stand) {
  fill();
  ASSERT_TRUE(ok(db().write([&](WriteTransaction& txn) { return txn.drop_keyspace("middle"); })));
  const ReadTransaction txn = db().begin_read().value();
  Cursor cursor = txn.cursor(middle_);
  for (const Status& moved : {cursor.seek_first(), cursor.seek_last(), cursor.seek("d"), cursor.seek_before("d")}) {
    EXPECT_TRUE(ok(moved));
    EXPECT_FALSE(cursor.is_valid());
  }
}

TEST_F(CursorTest, a_cursor_turns_around_at_every_entry) {
  const Status filled = db().write([&](WriteTransaction& txn) -> Status {
    for (int i = 1000; i < 3000; ++i) EXPECT_TRUE(ok(txn.put(std::to_string(i), std::string(20, 'x'))));
    return {};
  });
  ASSERT_TRUE(ok(filled));
  const ReadTransaction txn = db().begin_read().value();
  Cursor cursor = txn.cursor();
  ASSERT_TRUE(ok(cursor.seek_first()));
  for (int i = 1000; i < 2999; ++i) {
    ASSERT_TRUE(ok(cursor.next()));
    ASSERT_EQ(at(cursor), std::to_string(i + 1));
    ASSERT_TRUE(ok(cursor.prev()));
    ASSERT_EQ(at(cursor), std::to_string(i));
    ASSERT_TRUE(ok(cursor.next()));
  }
}

// --- Changes by the transaction itself -------------------------------------------------------------------------------

TEST_F(CursorTest, a_cursor_sees_what_its_transaction_writes) {
  fill();
  WriteTransaction txn = begin();
  Cursor cursor = txn.cursor(middle_);
  ASSERT_TRUE(ok(cursor.seek("d")));
  ASSERT_TRUE(ok(txn.put(middle_, "d", "new")));
  EXPECT_EQ(at(cursor), "d");
  EXPECT_EQ(cursor.value().value(), "new");
  EXPECT_EQ(cursor.version(), txn.snapshot_seq() + 1);
  ASSERT_TRUE(ok(txn.put(middle_, "e", "between")));
  ASSERT_TRUE(ok(cursor.next()));
  EXPECT_EQ(at(cursor), "e");
}

// Near the end of a leaf the cursor has looked at the next one already.
TEST_F(CursorTest, a_cursor_sees_what_its_transaction_writes_in_the_leaf_behind) {
  constexpr int kFirst = 1000, kEnd = 1500;
  WriteTransaction filling = begin();
  for (int i = kFirst; i < kEnd; ++i) ASSERT_TRUE(ok(filling.put(std::to_string(i), std::string(100, 'x'))));
  ASSERT_TRUE(ok(filling.commit()));
  WriteTransaction txn = begin();
  Cursor cursor = txn.cursor();
  ASSERT_TRUE(ok(cursor.seek_first()));
  for (int i = kFirst; i + 1 < kEnd; ++i) {
    const std::string key = std::to_string(i + 1);
    ASSERT_TRUE(ok(txn.put(key, "new")));
    ASSERT_TRUE(ok(cursor.next()));
    ASSERT_EQ(at(cursor), key);
    ASSERT_EQ(cursor.value().value(), "new") << key;
  }
}

TEST_F(CursorTest, after_its_entry_is_erased_it_is_on_the_next_one) {
  fill();
  WriteTransaction txn = begin();
  Cursor cursor = txn.cursor(middle_);
  ASSERT_TRUE(ok(cursor.seek("d")));
  ASSERT_TRUE(txn.erase(middle_, "d").value());
  EXPECT_EQ(at(cursor), "f");
  ASSERT_TRUE(txn.erase(middle_, "f").value());
  EXPECT_EQ(at(cursor), "none") << "the neighbour's entries are not the next ones";
}

TEST_F(CursorTest, the_first_step_after_an_erase_skips_nothing) {
  fill();
  WriteTransaction txn = begin();
  Cursor forwards = txn.cursor(middle_), backwards = txn.cursor(middle_);
  ASSERT_TRUE(ok(forwards.seek("b")));
  ASSERT_TRUE(ok(backwards.seek("f")));
  ASSERT_TRUE(txn.erase(middle_, "b").value());
  ASSERT_TRUE(txn.erase(middle_, "f").value());
  ASSERT_TRUE(ok(forwards.next()));
  EXPECT_EQ(at(forwards), "d");
  ASSERT_TRUE(ok(backwards.prev()));
  EXPECT_EQ(at(backwards), "d");
}

TEST_F(CursorTest, a_loop_that_erases_as_it_walks_erases_everything) {
  fill();
  for (const bool forwards : {true, false}) {
    WriteTransaction txn = begin();
    Cursor cursor = txn.cursor(middle_);
    ASSERT_TRUE(ok(forwards ? cursor.seek_first() : cursor.seek_last()));
    int erased = 0;
    while (cursor.is_valid()) {
      ASSERT_TRUE(txn.erase(middle_, cursor.key()).value());
      ++erased;
      ASSERT_TRUE(ok(forwards ? cursor.next() : cursor.prev()));
    }
    EXPECT_EQ(erased, 3);
    EXPECT_EQ(txn.count(middle_).value(), 0u);
  }
}

TEST_F(CursorTest, rolling_back_to_a_savepoint_brings_its_entry_back) {
  fill();
  WriteTransaction txn = begin();
  const Savepoint savepoint = txn.savepoint().value();
  Cursor cursor = txn.cursor(middle_);
  ASSERT_TRUE(ok(cursor.seek("d")));
  ASSERT_TRUE(txn.erase(middle_, "d").value());
  ASSERT_TRUE(ok(txn.rollback_to(savepoint)));
  EXPECT_EQ(at(cursor), "d");
  EXPECT_EQ(cursor.value().value(), "d");
}

TEST_F(CursorTest, it_ends_with_its_transaction) {
  fill();
  WriteTransaction txn = begin();
  Cursor cursor = txn.cursor(middle_);
  ASSERT_TRUE(ok(cursor.seek_first()));
  ASSERT_TRUE(ok(txn.commit()));
  EXPECT_FALSE(cursor.is_valid());
  EXPECT_TRUE(fails(cursor.seek_first(), ErrorCode::TransactionFinished));
  EXPECT_TRUE(fails(cursor.value(), ErrorCode::TransactionFinished));
}

// --- Scans -----------------------------------------------------------------------------------------------------------

TEST_F(CursorTest, a_scan_visits_what_prefix_bounds_and_limit_leave) {
  const Status filled = db().write([&](WriteTransaction& txn) -> Status {
    for (const char* key : {"a", "b", "ba", "bb", "bc", "b\xff", "b\xff\xff", "c"}) EXPECT_TRUE(ok(txn.put(key, "")));
    return {};
  });
  ASSERT_TRUE(ok(filled));
  const ReadTransaction txn = db().begin_read().value();
  const auto visited = [&](ScanOptions options) {
    std::vector<std::string> keys;
    const auto visit = [&](Bytes key, Bytes) {
      keys.emplace_back(key);
      return true;
    };
    const std::uint64_t count = txn.scan({}, options, visit).value();
    EXPECT_EQ(count, keys.size());
    EXPECT_EQ(txn.count({}, options).value(), keys.size());
    return keys;
  };
  using Keys = std::vector<std::string>;
  const ScanOptions all{.prefix = {}, .from = {}, .to = {}};
  ScanOptions options = all;
  options.prefix = "b\xff";
  EXPECT_EQ(visited(options), (Keys{"b\xff", "b\xff\xff"}));
  options.prefix = "b";
  options.from = "bb";
  EXPECT_EQ(visited(options), (Keys{"bb", "bc", "b\xff", "b\xff\xff"}));
  options.to = "bc";
  EXPECT_EQ(visited(options), (Keys{"bb"}));
  options = all;
  options.to = "b";
  EXPECT_EQ(visited(options), (Keys{"a"}));
  options.to = "";
  EXPECT_EQ(visited(options), Keys{}) << "no key is smaller than the empty one";
  options = all;
  options.from = "c";
  options.to = "a";
  EXPECT_EQ(visited(options), Keys{});
  options.reverse = true;
  EXPECT_EQ(visited(options), Keys{});
  options = all;
  options.limit = 2;
  EXPECT_EQ(visited(options), (Keys{"a", "b"}));
  options.reverse = true;
  EXPECT_EQ(visited(options), (Keys{"c", "b\xff\xff"}));
  options.limit = 0;
  EXPECT_EQ(visited(options), Keys{});
}

}  // namespace
}  // namespace vitrine::kv::testing
