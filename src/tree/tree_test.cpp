// SPDX-License-Identifier: MIT OR Apache-2.0
// Single behaviours of the tree: sizes at their limits, how full nodes get, what reorganizing achieves, damage.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/prng.hpp"
#include "os/testing.hpp"
#include "tree/testing.hpp"

namespace vitrine::tree {
namespace {

using testing::expect_map_is;
using testing::Rig;
using testing::survey;
using testing::value_of;

std::string number(unsigned value) {
  std::string key(8, '\0');
  for (std::size_t i = 8; i-- > 0; value >>= 8) key[i] = static_cast<char>(value);
  return key;
}

void put(Rig& rig, Bytes key, Bytes value) {
  const Status status = rig.tree().put(key, {}, value);
  ASSERT_TRUE(status.is_ok()) << status.to_string();
}

bool erase(Rig& rig, Bytes key) { return rig.tree().erase(key).value(); }

TEST(Tree, an_empty_tree_answers_every_question) {
  Rig rig;
  EXPECT_FALSE(find(rig.pool(), rig.tree().root(), "key").value().has_value());
  EXPECT_EQ(depth_of(rig.pool(), rig.tree().root()).value(), 0u);
  EXPECT_FALSE(erase(rig, "key"));
  EXPECT_EQ(rig.tree().erase_range({}, {}).value(), 0u);
  EXPECT_FALSE(rig.tree().move_below(100, {}, 10).value().next.has_value());
  EXPECT_FALSE(rig.tree().merge_thin({}, 10).value().next.has_value());
  EXPECT_FALSE(rig.workspace().has_changes());
}

TEST(Tree, the_last_entry_takes_the_last_page_with_it) {
  Rig rig;
  put(rig, "key", "value");
  EXPECT_TRUE(erase(rig, "key"));
  EXPECT_TRUE(rig.tree().root().page.is_null());
  EXPECT_EQ(rig.tree().root().entries, 0u);
  rig.publish();
  EXPECT_EQ(rig.space().allocated_count(), format::first_page(rig.page_size()));
}

class TreeOfPages : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(PageSizes, TreeOfPages, ::testing::Values(4096u, 8192u, 16384u, 32768u, 65536u),
                         [](const auto& chosen) { return std::to_string(chosen.param); });

TEST_P(TreeOfPages, the_longest_keys_make_a_tree) {
  Rig rig({GetParam()});
  std::vector<std::string> keys;
  for (unsigned i = 0; i < 300; ++i) {
    std::string key(tree_key_max(GetParam()), static_cast<char>('a' + i % 3));
    key.replace(i % 2 == 0 ? 0 : key.size() - 8, 8, number(i * 7919 % 1009));
    keys.push_back(key);
    put(rig, key, std::string(i % 5, 'v'));
  }
  EXPECT_EQ(survey(rig.pool(), rig.tree().root()).entries, keys.size());
  for (const std::string& key : keys) {
    ASSERT_TRUE(erase(rig, key));
    (void)survey(rig.pool(), rig.tree().root());
  }
  EXPECT_TRUE(rig.tree().root().page.is_null());
}

// Separators as long as keys leave inner nodes three or four children, so the tree grows deep; emptied in random order,
// its inner nodes borrow from each other and merge on every level.
TEST_P(TreeOfPages, a_deep_tree_shrinks_level_by_level) {
  Rig rig({GetParam()});
  base::Prng random(os::testing::seed());
  std::vector<std::string> keys;
  for (unsigned group = 0; group < 40; ++group) {
    std::string prefix(tree_key_max(GetParam()) - 2, '\0');
    for (char& byte : prefix) byte = static_cast<char>('a' + random.below(26));
    for (unsigned i = 0; i < 8; ++i) keys.push_back(prefix + static_cast<char>('0' + i));
  }
  const std::string value(cell_max(GetParam()) / 3, 'v');
  for (const std::string& key : keys) put(rig, key, value);
  EXPECT_GE(depth_of(rig.pool(), rig.tree().root()).value(), 4u);
  for (std::size_t left = keys.size(); left > 0; --left) {
    std::swap(keys[random.below(left)], keys[left - 1]);
    ASSERT_TRUE(erase(rig, keys[left - 1]));
    if (left % 4 != 0) continue;
    ASSERT_EQ(survey(rig.pool(), rig.tree().root()).entries, left - 1);
    for (std::size_t i = 0; i + 1 < left; i += 5) ASSERT_EQ(value_of(rig.pool(), rig.tree().root(), keys[i]), value);
  }
  EXPECT_TRUE(rig.tree().root().page.is_null());
  rig.publish();
  EXPECT_EQ(rig.space().allocated_count(), format::first_page(GetParam()));
}

TEST_P(TreeOfPages, values_around_the_largest_inline_size_come_back) {
  Rig rig({GetParam()});
  const std::size_t inline_max = cell_max(GetParam()) - kSlotSize - 3;
  for (std::size_t size = inline_max - 2; size <= inline_max + 2; ++size) {
    const std::string value(size, 'v');
    ASSERT_TRUE(rig.tree().put("key", value.substr(0, 5), value.substr(5)).is_ok());
    EXPECT_EQ(find(rig.pool(), rig.tree().root(), "key").value().large, size > inline_max);
    EXPECT_TRUE(value_of(rig.pool(), rig.tree().root(), "key") == value);
  }
}

TEST_P(TreeOfPages, ascending_keys_fill_their_leaves) {
  Rig rig({GetParam()});
  const unsigned count = 40 * GetParam() / 64;
  for (unsigned i = 0; i < count; ++i) {
    put(rig, number(i), std::string(40, 'v'));
    if (i % 100 == 99) rig.publish();  // the run is seen across transactions
  }
  const auto found = survey(rig.pool(), rig.tree().root());
  EXPECT_GT(found.leaf_bytes, found.leaves * node_capacity(GetParam()) * 85 / 100);
}

// A run of keys is put behind the last one without a way down. It starts among other keys and goes on past the end of
// its leaf and past keys that are there already.
TEST_P(TreeOfPages, a_run_of_keys_goes_on_into_the_next_leaf) {
  Rig rig({GetParam()});
  const std::string value(40, 'v');
  const unsigned count = 4 * GetParam() / 64;
  for (unsigned i = 0; i < count; ++i) put(rig, number(1000 * i), value);
  rig.publish();
  const unsigned run = count / 3;
  for (unsigned i = 0; i < run; ++i) put(rig, number(777 + i * 3000), value);  // so that leaves end with room left
  for (unsigned i = 0; i < 40; ++i) put(rig, number(300 + i), value);          // many between two
  for (unsigned i = 0; i < 400; ++i) put(rig, number(380 + i), i % 2 == 0 ? value : "w");  // up to one that is there
  const auto found = survey(rig.pool(), rig.tree().root());
  EXPECT_EQ(found.entries, count + run + 40 + 399);
  EXPECT_EQ(rig.tree().root().entries, found.entries);
  for (unsigned i = 0; i < 400; ++i) {
    EXPECT_EQ(value_of(rig.pool(), rig.tree().root(), number(380 + i)), i % 2 == 0 ? value : "w");
  }
}

// Whatever changes the leaf of a run otherwise ends the run.
TEST(Tree, a_run_of_keys_survives_all_that_happens_to_its_leaf) {
  Rig rig;
  unsigned next = 0;
  const auto go_on = [&] {
    for (unsigned i = 0; i < 20; ++i) put(rig, number(next += 2), std::string(100, 'v'));
  };
  go_on();
  EXPECT_TRUE(erase(rig, number(next)));
  go_on();
  EXPECT_EQ(rig.tree().erase_range(number(next - 10), {}).value(), 6u);
  go_on();
  EXPECT_EQ(rig.tree().erase_range(number(next - 30), number(next - 1)).value(), 15u);
  go_on();
  const auto mark = rig.workspace().mark().value();
  const TreeRoot root = rig.tree().root();
  go_on();
  rig.workspace().rollback_to(mark);
  rig.tree().set_root(root);
  go_on();
  ASSERT_TRUE(rig.pool().write_back(rig.workspace().working(), [](PageNo, Generation) { return true; }).is_ok());
  go_on();
  rig.publish();
  go_on();
  ASSERT_FALSE(rig.tree().merge_thin({}, 100).value().next.has_value());
  go_on();
  put(rig, number(1), "elsewhere");
  go_on();
  EXPECT_EQ(survey(rig.pool(), rig.tree().root()).entries, rig.tree().root().entries);
  EXPECT_EQ(rig.tree().root().entries, 10 * 20u - 1 - 6 - 15 - 20 + 1);
}

TEST(Tree, random_keys_fill_their_leaves_more_than_half) {
  Rig rig;
  for (unsigned i = 0; i < 20'000; ++i) put(rig, number(i * 2654435761u), std::string(20, 'v'));
  const auto found = survey(rig.pool(), rig.tree().root());
  EXPECT_GT(found.leaf_bytes, found.leaves * node_capacity(4096) * 60 / 100);
}

TEST(Tree, long_keys_do_not_make_a_high_tree) {
  Rig rig;
  // Only the first bytes tell leaves apart, so inner nodes must not hold whole keys.
  for (unsigned i = 0; i < 3000; ++i) put(rig, number(i * 2654435761u).substr(4) + std::string(900, 'k'), "");
  EXPECT_LE(depth_of(rig.pool(), rig.tree().root()).value(), 3u);
}

TEST(Tree, erasing_most_entries_leaves_few_pages) {
  Rig rig;
  for (unsigned i = 0; i < 10'000; ++i) put(rig, number(i), std::string(30, 'v'));
  const auto before = survey(rig.pool(), rig.tree().root());
  for (unsigned i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(i % 20 == 0 || erase(rig, number(i)));
  }
  const auto after = survey(rig.pool(), rig.tree().root());
  EXPECT_LT(after.leaves, before.leaves / 6);
}

TEST(Tree, a_range_is_erased_over_all_levels) {
  for (const unsigned from : {0u, 1u, 777u, 5000u}) {
    for (const unsigned to : {1u, 778u, 2000u, 5001u, 9999u, 10'000u}) {
      if (from >= to) continue;
      Rig rig;
      for (unsigned i = 0; i < 10'000; ++i) put(rig, number(i), std::string(30, 'v'));
      rig.publish();
      EXPECT_EQ(rig.tree().erase_range(number(from), number(to)).value(), to - from);
      rig.publish();
      const auto found = survey(rig.pool(), rig.tree().root());
      EXPECT_EQ(found.entries, 10'000 - (to - from));
      expect_map_is(rig.space(), rig.page_size(), found, 0);
      EXPECT_FALSE(find(rig.pool(), rig.tree().root(), number(from)).value().has_value());
      EXPECT_EQ(find(rig.pool(), rig.tree().root(), number(to)).value().has_value(), to < 10'000);
    }
  }
}

TEST(Tree, a_range_without_entries_changes_nothing) {
  Rig rig;
  for (unsigned i = 0; i < 1000; ++i) put(rig, number(i * 2), "v");
  rig.publish();
  EXPECT_EQ(rig.tree().erase_range(number(101), number(102)).value(), 0u);
  EXPECT_EQ(rig.tree().erase_range(number(200), number(100)).value(), 0u);
  EXPECT_EQ(rig.tree().erase_range(number(5000), {}).value(), 0u);
  EXPECT_FALSE(rig.workspace().has_changes());
}

// --- Reorganizing ------------------------------------------------------------------------------------------------

// Every fifth leaf stays well filled, the others keep few entries.
void make_thin(Rig& rig) {
  for (unsigned i = 0; i < 20'000; ++i) put(rig, number(i), std::string(30, 'v'));
  rig.publish();
  for (unsigned i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(i / 100 % 5 == 0 || i % 5 >= 3 || erase(rig, number(i)));
  }
  rig.publish();
}

TEST(Tree, merging_reaches_the_end_and_fills_leaves) {
  for (const std::uint64_t budget : {1u, 7u, 100'000u}) {
    Rig rig;
    make_thin(rig);
    const auto before = survey(rig.pool(), rig.tree().root());
    std::string from;
    unsigned steps = 0;
    for (;; ++steps) {
      ASSERT_LT(steps, 10'000u);
      const auto step = rig.tree().merge_thin(from, budget).value();
      rig.publish();
      if (!step.next) break;
      ASSERT_GT(*step.next, from);
      from = *step.next;
    }
    const auto after = survey(rig.pool(), rig.tree().root());
    EXPECT_EQ(after.entries, before.entries);
    EXPECT_LT(after.leaves, before.leaves);
    EXPECT_GT(after.leaf_bytes, after.leaves * node_capacity(4096) * 70 / 100);
    expect_map_is(rig.space(), rig.page_size(), after, 0);
  }
}

TEST(Tree, merging_in_small_steps_does_little_at_once) {
  Rig rig;
  for (unsigned i = 0; i < 50'000; ++i) put(rig, number(i), std::string(30, 'v'));  // nothing to merge
  rig.publish();
  const auto step = rig.tree().merge_thin({}, 10).value();
  EXPECT_TRUE(step.next.has_value());
  EXPECT_LT(rig.workspace().pages_born(), 50u);
}

TEST(Tree, moving_reaches_the_end_and_empties_the_tail) {
  for (const std::uint64_t budget : {1u, 20u, 100'000u}) {
    Rig rig;
    for (unsigned i = 0; i < 4000; ++i) put(rig, number(i), std::string(i % 100 == 0 ? 9000 : 100, 'v'));
    rig.publish();
    for (unsigned i = 0; i < 2000; ++i) ASSERT_TRUE(erase(rig, number(i * 7919 % 4000)));
    rig.publish();
    const auto before = survey(rig.pool(), rig.tree().root());
    // Runs of three pages need more room than there are pages.
    const PageNo limit = before.pages.size() + 100;
    std::string from;
    for (unsigned steps = 0;; ++steps) {
      ASSERT_LT(steps, 10'000u);
      const auto step = rig.tree().move_below(limit, from, budget).value();
      rig.publish();
      if (!step.next) break;
      from = *step.next;
    }
    const auto after = survey(rig.pool(), rig.tree().root());
    EXPECT_EQ(after.entries, before.entries);
    EXPECT_EQ(after.pages.size(), before.pages.size());
    EXPECT_LT(after.pages.back(), limit);
    expect_map_is(rig.space(), rig.page_size(), after, 0);
  }
}

TEST(Tree, a_value_that_finds_no_room_below_the_limit_stays) {
  Rig rig;
  for (unsigned i = 0; i < 20; ++i) put(rig, number(i), std::string(9000, 'v'));
  rig.publish();
  const auto before = survey(rig.pool(), rig.tree().root());
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(rig.tree().move_below(before.pages.size() / 2, {}, 1000).has_value());
    rig.publish();
  }
  const auto after = survey(rig.pool(), rig.tree().root());
  EXPECT_LE(after.pages.back(), before.pages.back());
}

// --- Walks -------------------------------------------------------------------------------------------------------

// A thread whose place for visits is taken goes the way with pins.
TEST(Tree, a_cursor_goes_the_same_way_with_and_without_a_visit) {
  Rig rig;
  constexpr unsigned kEntries = 2000;
  for (unsigned i = 0; i < kEntries; ++i) put(rig, number(i), std::string(400, 'v'));
  ASSERT_GT(depth_of(rig.pool(), rig.tree().root()).value(), 2u);
  for (const bool is_visiting : {false, true}) {
    pool::Visits::Visit taken;
    if (is_visiting) taken = rig.pool().visits().enter(pool::Visits::kNone);
    TreeCursor cursor(rig.pool(), rig.tree().root());
    unsigned at = 0;
    for (Status moved = cursor.seek_first(); cursor.is_valid(); moved = cursor.next(), ++at) {
      ASSERT_TRUE(moved.is_ok()) << moved.to_string();
      ASSERT_EQ(cursor.key(), number(at));
    }
    EXPECT_EQ(at, kEntries);
    for (Status moved = cursor.seek_last(); cursor.is_valid(); moved = cursor.prev()) {
      ASSERT_TRUE(moved.is_ok()) << moved.to_string();
      ASSERT_EQ(cursor.key(), number(--at));
    }
    EXPECT_EQ(at, 0u);
  }
}

// --- Damage ------------------------------------------------------------------------------------------------------

TEST(Tree, a_root_that_is_no_node_is_refused) {
  Rig rig;
  TreeRoot root;
  {
    const auto page = rig.workspace().create(format::PageType::Extent, 0, root.page);
    ASSERT_TRUE(page.has_value());
  }
  root.entries = 1;
  rig.tree().set_root(root);
  TreeCursor cursor(rig.pool(), root);
  EXPECT_EQ(find(rig.pool(), root, "key").status().code(), ErrorCode::PageMalformed);
  EXPECT_EQ(cursor.seek("key").code(), ErrorCode::PageMalformed);
  EXPECT_EQ(rig.tree().erase("key").status().code(), ErrorCode::PageMalformed);
  EXPECT_EQ(rig.tree().erase_range({}, {}).status().code(), ErrorCode::PageMalformed);
  EXPECT_EQ(rig.tree().move_below(1, {}, 1).status().code(), ErrorCode::PageMalformed);
  EXPECT_EQ(rig.tree().merge_thin({}, 1).status().code(), ErrorCode::PageMalformed);
  EXPECT_EQ(rig.tree().put("key", {}, "value").code(), ErrorCode::PageMalformed);
}

// A tree of two levels whose second child is `ref` instead.
TreeRoot with_forged_child(Rig& rig, const PageRef& ref) {
  for (unsigned i = 0; i < 300; ++i) put(rig, number(i), std::string(30, 'v'));
  PageRef root = rig.tree().root().page;
  auto page = rig.workspace().make_mutable(root).value();
  Node(page.data(), rig.page_size()).set_child(1, ref);
  return rig.tree().root();
}

void expect_refused(Rig& rig, const TreeRoot& root) {
  rig.tree().set_root(root);
  EXPECT_EQ(find(rig.pool(), root, number(100)).status().code(), ErrorCode::PageMalformed);
  TreeCursor cursor(rig.pool(), root);
  ASSERT_TRUE(cursor.seek_first().is_ok());
  Status status;
  while (status.is_ok() && cursor.is_valid()) status = cursor.next();
  EXPECT_EQ(status.code(), ErrorCode::PageMalformed);
  EXPECT_FALSE(cursor.is_valid());
  EXPECT_EQ(rig.tree().put(number(100), {}, "value").code(), ErrorCode::PageMalformed);
  EXPECT_EQ(rig.tree().erase(number(100)).status().code(), ErrorCode::PageMalformed);
  EXPECT_EQ(rig.tree().erase_range({}, {}).status().code(), ErrorCode::PageMalformed);
}

TEST(Tree, a_child_of_another_kind_is_refused) {
  Rig rig;
  PageRef extent;
  { ASSERT_TRUE(rig.workspace().create(format::PageType::Extent, 0, extent).has_value()); }
  expect_refused(rig, with_forged_child(rig, extent));
}

TEST(Tree, a_node_that_is_its_own_child_is_refused) {
  Rig rig;
  for (unsigned i = 0; i < 300; ++i) put(rig, number(i), std::string(30, 'v'));
  expect_refused(rig, with_forged_child(rig, rig.tree().root().page));
}

}  // namespace
}  // namespace vitrine::tree
