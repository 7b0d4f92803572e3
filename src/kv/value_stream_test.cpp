// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>

#include "kv/testing.hpp"

namespace vitrine::kv::testing {
namespace {

class ValueStreamTest : public DatabaseTest {
 protected:
  static std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
    return text;
  }
  static std::string read_all(ValueReader& reader, std::size_t piece) {
    std::string all, buffer(piece, '\0');
    for (;;) {
      const std::size_t got = reader.read_at(all.size(), buffer.data(), piece).value();
      if (got == 0) return all;
      all.append(buffer, 0, got);
    }
  }
};

TEST_F(ValueStreamTest, what_was_appended_in_pieces_of_any_size_is_read_in_pieces_of_any_size) {
  for (const std::size_t size : {0u, 1u, 100u, 5'000u, 300'000u, 3'000'000u}) {
    const std::string value = pattern(size);
    for (const std::size_t piece : {std::size_t{997}, std::size_t{65'536}, value.size() + 1}) {
      WriteTransaction txn = begin();
      ValueWriter writer = txn.write_value({}, "key").value();
      for (std::size_t at = 0; at < value.size(); at += piece) {
        ASSERT_TRUE(ok(writer.append(Bytes(value).substr(at, piece))));
      }
      ASSERT_TRUE(ok(writer.finish()));
      ValueReader reader = txn.open_value({}, "key").value();
      EXPECT_EQ(reader.size(), value.size());
      EXPECT_TRUE(read_all(reader, piece) == value) << size;
      EXPECT_TRUE(txn.get("key").value() == value);
      ASSERT_TRUE(ok(txn.commit()));
    }
  }
}

TEST_F(ValueStreamTest, reading_beyond_the_end_gives_what_is_there) {
  for (const std::size_t size : {0u, 10u, 100'000u}) {
    ASSERT_TRUE(ok(db().put("key", pattern(size))));
    const ReadTransaction txn = db().begin_read().value();
    ValueReader reader = txn.open_value({}, "key").value();
    char buffer[20];
    EXPECT_EQ(reader.read_at(size, buffer, sizeof buffer).value(), 0u);
    EXPECT_EQ(reader.read_at(~std::uint64_t{0}, buffer, sizeof buffer).value(), 0u);
    EXPECT_EQ(reader.read_at(size - std::min<std::size_t>(size, 3), buffer, sizeof buffer).value(),
              std::min<std::size_t>(size, 3));
    EXPECT_EQ(reader.read_at(0, buffer, 0).value(), 0u);
  }
  EXPECT_TRUE(fails(db().begin_read().value().open_value({}, "missing"), ErrorCode::KeyNotFound));
}

TEST_F(ValueStreamTest, an_abandoned_writer_leaves_the_entry_and_no_page) {
  ASSERT_TRUE(ok(db().put("key", "before")));
  WriteTransaction txn = begin();
  {
    ValueWriter writer = txn.write_value({}, "key").value();
    ASSERT_TRUE(ok(writer.append(pattern(500'000))));
    EXPECT_EQ(txn.get("key").value(), "before") << "not before finish";
  }
  EXPECT_EQ(txn.get("key").value(), "before");
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(ValueStreamTest, two_writers_and_other_changes_do_not_mix) {
  WriteTransaction txn = begin();
  ValueWriter one = txn.write_value({}, "one").value(), two = txn.write_value({}, "two").value();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(ok(one.append(std::string(10'000, '1'))));
    ASSERT_TRUE(ok(txn.put("between " + std::to_string(i), std::string(500, 'b'))));
    ASSERT_TRUE(ok(two.append(std::string(10'000, '2'))));
  }
  ASSERT_TRUE(ok(two.finish()));
  ASSERT_TRUE(ok(one.finish()));
  EXPECT_TRUE(txn.get("one").value() == std::string(200'000, '1'));
  EXPECT_TRUE(txn.get("two").value() == std::string(200'000, '2'));
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(ValueStreamTest, a_finished_writer_takes_no_more) {
  WriteTransaction txn = begin();
  ValueWriter writer = txn.write_value({}, "key").value();
  ASSERT_TRUE(ok(writer.finish()));
  EXPECT_TRUE(fails(writer.append("more"), ErrorCode::Misuse));
  EXPECT_TRUE(fails(writer.finish(), ErrorCode::Misuse));
  EXPECT_EQ(txn.get("key").value(), "");
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(ValueStreamTest, a_savepoint_waits_for_writers_and_rolling_back_ends_them) {
  WriteTransaction txn = begin();
  const Savepoint savepoint = txn.savepoint().value();
  ValueWriter writer = txn.write_value({}, "key").value();
  ASSERT_TRUE(ok(writer.append(pattern(100'000))));
  EXPECT_TRUE(fails(txn.savepoint(), ErrorCode::Misuse));
  ASSERT_TRUE(ok(txn.rollback_to(savepoint)));
  EXPECT_TRUE(fails(writer.append("more"), ErrorCode::Misuse));
  EXPECT_TRUE(fails(writer.finish(), ErrorCode::Misuse));
  EXPECT_TRUE(ok(txn.savepoint()));
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(ValueStreamTest, streams_end_with_their_transaction) {
  ASSERT_TRUE(ok(db().put("key", pattern(100'000))));
  WriteTransaction txn = begin();
  ValueWriter writer = txn.write_value({}, "other").value();
  ValueReader reader = txn.open_value({}, "key").value();
  ASSERT_TRUE(ok(txn.commit()));
  char byte = 0;
  EXPECT_TRUE(fails(reader.read_at(0, &byte, 1), ErrorCode::TransactionFinished));
  EXPECT_TRUE(fails(writer.append("more"), ErrorCode::TransactionFinished));
  EXPECT_TRUE(fails(writer.finish(), ErrorCode::TransactionFinished));
}

TEST_F(ValueStreamTest, a_reader_of_a_snapshot_goes_on_while_the_value_is_replaced) {
  const std::string value = pattern(2'000'000);
  ASSERT_TRUE(ok(db().put("key", value)));
  const ReadTransaction txn = db().begin_read().value();
  ValueReader reader = txn.open_value({}, "key").value();
  ASSERT_TRUE(ok(db().put("key", "short")));
  ASSERT_TRUE(ok(db().vacuum()));
  ASSERT_TRUE(ok(db().put("other", pattern(1'000'000))));
  EXPECT_TRUE(read_all(reader, 100'000) == value);
}

}  // namespace
}  // namespace vitrine::kv::testing
