// SPDX-License-Identifier: MIT OR Apache-2.0
// Keys and values at, just below and just above every size at which something changes, with every page size.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "kv/testing.hpp"
#include "tree/node.hpp"

namespace vitrine::kv::testing {
namespace {

class LimitsTest : public DatabaseTest, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  LimitsTest() : DatabaseTest(options()) {}
  static Options options() {
    Options options = small_options();
    options.page_size = GetParam();
    return options;
  }
  std::size_t key_max() { return db().info().value().key_size_max; }
};

TEST_P(LimitsTest, the_page_size_is_the_one_asked_for) { EXPECT_EQ(db().info().value().page_size, GetParam()); }

TEST_P(LimitsTest, the_largest_key_is_a_quarter_of_a_page_and_one_byte_more_is_refused) {
  EXPECT_LE(key_max(), GetParam() / 4);
  EXPECT_GE(key_max() + 16, GetParam() / 4);
  WriteTransaction txn = begin();
  for (const std::size_t less : {0u, 1u, 2u}) {
    const std::string key(key_max() - less, '\xff');
    ASSERT_TRUE(ok(txn.put(key, "value")));
    EXPECT_EQ(txn.get(key).value(), "value");
  }
  const std::string too_long(key_max() + 1, '\xff');
  EXPECT_TRUE(fails(txn.put(too_long, "value"), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn.put_if_absent({}, too_long, "value"), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn.compare_and_set({}, too_long, 0, "value"), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn.write_value({}, too_long), ErrorCode::KeyTooLong));
  EXPECT_TRUE(fails(txn.erase(too_long), ErrorCode::KeyTooLong));
  EXPECT_EQ(txn.count({}).value(), 3u);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_P(LimitsTest, many_keys_of_the_largest_size_are_kept_in_order) {
  WriteTransaction txn = begin();
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    std::string key(key_max(), static_cast<char>(i * 37 % 256));
    if (i % 3 == 0) key = std::string(key_max() - 3, 'p') + std::to_string(100 + i);  // differ in the last bytes only
    ASSERT_TRUE(ok(txn.put(key, std::to_string(i))));
    keys.push_back(key);
  }
  ASSERT_TRUE(ok(txn.commit()));
  std::sort(keys.begin(), keys.end());
  const ReadTransaction read = db().begin_read().value();
  std::size_t seen = 0;
  const auto visit = [&](Bytes key, Bytes) { return key == keys.at(seen++); };
  EXPECT_EQ(read.scan({}, {}, visit).value(), keys.size());
}

// A value moves out of the leaf, and then into more pages and extents.
TEST_P(LimitsTest, values_of_every_size_around_a_border_come_back) {
  const std::size_t page = GetParam();
  std::vector<std::size_t> sizes = {0, 1};
  for (const std::size_t border : {tree::cell_max(GetParam()), page, 2 * page, 4 * page}) {
    for (std::size_t size = border - 40; size <= border + 2; ++size) sizes.push_back(size);
  }
  for (const std::size_t key_size : {std::size_t{4}, key_max()}) {
    WriteTransaction txn = begin();
    for (const std::size_t size : sizes) {
      const std::string key = std::string(key_size - 4, 'k') + std::to_string(size % 9000 + 1000).substr(0, 4);
      const std::string value(size, static_cast<char>('a' + size % 26));
      ASSERT_TRUE(ok(txn.put(key, value))) << size;
      ASSERT_TRUE(txn.get(key).value() == value) << size;
      Cursor cursor = txn.cursor();
      ASSERT_TRUE(ok(cursor.seek(key)));
      ASSERT_EQ(cursor.value_size(), size);
    }
    ASSERT_TRUE(ok(txn.commit()));
  }
}

// Transactions, large values, readers beside the writer and a compaction, with 32 pages of memory.
TEST_P(LimitsTest, the_smallest_cache_serves_data_many_times_its_size) {
  Options options = small_options();
  options.page_size = GetParam();
  options.cache_size = 64u << 10;
  const std::string file = path("lean.vtr");
  Database lean = Database::open(file, OpenMode::CreateNew, options).value();
  const auto key_of = [](unsigned i) { return "key " + std::to_string(i * 2654435761u); };
  const unsigned count = 3000;
  ASSERT_TRUE(ok(lean.write([&](WriteTransaction& txn) -> Status {
    for (unsigned i = 0; i < count; ++i) {
      if (Status put = txn.put(key_of(i), std::string(i % 400, 'v')); !put.is_ok()) return put;
    }
    return txn.put("large", std::string(3u << 20, 'l'));
  })));
  std::atomic<bool> is_over{false};
  std::vector<std::thread> readers;
  for (unsigned reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&, reader] {
      for (unsigned i = reader; !is_over; i = (i + 7) % count) {
        const auto value = lean.get(key_of(i));
        ASSERT_TRUE(ok(value.status()));
        ASSERT_TRUE(value->has_value() && (*value)->size() >= i % 400);
      }
    });
  }
  for (unsigned i = 0; i < count; i += 3) EXPECT_TRUE(ok(lean.put(key_of(i), std::string(i % 400 + 1, 'w'))));
  EXPECT_TRUE(ok(lean.compact().status()));
  EXPECT_TRUE(ok(lean.checkpoint()));
  is_over = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(lean.get("large").value().value().size(), 3u << 20);
  EXPECT_TRUE(verifies_clean(lean));
  const Content content = content_of(lean);
  ASSERT_TRUE(ok(lean.close()));
  expect_content(file, content);
}

INSTANTIATE_TEST_SUITE_P(PageSizes, LimitsTest, ::testing::Values(4096u, 8192u, 16384u, 32768u, 65536u),
                         [](const auto& chosen) { return std::to_string(chosen.param); });

}  // namespace
}  // namespace vitrine::kv::testing
