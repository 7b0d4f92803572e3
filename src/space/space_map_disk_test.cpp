// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "format/meta.hpp"
#include "space/space_map.hpp"
#include "space/testing.hpp"

namespace vitrine::space {
namespace {

using testing::grow_freely;
using testing::MapDisk;
using testing::state_of;

constexpr std::uint32_t kPageSize = 4096;
constexpr auto kLeaf = static_cast<std::uint32_t>(bits_per_leaf(kPageSize));

FrozenMap freeze(SpaceMap& map, MapDisk& disk) {
  FrozenMap frozen = map.freeze(disk.identify()).value();
  disk.write(frozen);
  return frozen;
}

// What a reopened database sees.
testing::MapState reload(const FrozenMap& frozen, MapDisk& disk, std::uint32_t page_size = kPageSize) {
  SpaceMap map(page_size, grow_freely());
  const Status status = map.load(frozen.root, frozen.page_count, disk.read());
  EXPECT_TRUE(status.is_ok()) << status.to_string();
  return state_of(map);
}

testing::MapState without_held(testing::MapState state) {
  state.held.clear();
  state.held_count = 0;
  return state;
}

// Freezes and reopens: the map on disk is exactly the allocated set.
FrozenMap freeze_and_reload(SpaceMap& map, MapDisk& disk) {
  FrozenMap frozen = freeze(map, disk);
  EXPECT_EQ(reload(frozen, disk), without_held(state_of(map)));
  return frozen;
}

void release_retired(SpaceMap& map, const FrozenMap& frozen) {
  for (const PageRef& ref : frozen.retired) map.release(ref.page());
}

// A map of three leaves and a root, all on disk; one page of the last leaf is free.
struct LargeMap {
  LargeMap() {
    map.reset(3 * kLeaf);
    EXPECT_TRUE(map.allocate(3 * kLeaf - 100).has_value());
    frozen = freeze(map, disk);
  }
  SpaceMap map{kPageSize, grow_freely()};
  MapDisk disk{kPageSize};
  FrozenMap frozen;
};

TEST(FrozenMap, comes_back_equal_at_every_page_size) {
  for (std::uint32_t page_size = 4096; page_size <= 65536; page_size *= 2) {
    for (const std::uint64_t factor : {0u, 1u, 3u}) {
      SpaceMap map(page_size, grow_freely());
      MapDisk disk(page_size);
      map.reset(factor * bits_per_leaf(page_size) + 1000);
      const PageNo page = map.allocate(static_cast<std::uint32_t>(map.page_count() - 100)).value();
      map.free_now(page + 10, 500);
      map.hold(page + 700, 50);
      const FrozenMap frozen = freeze(map, disk);
      EXPECT_EQ(frozen.pages.size(), factor == 0 ? 1 : factor + 2) << page_size;
      EXPECT_EQ(reload(frozen, disk, page_size), without_held(state_of(map))) << page_size << " " << factor;
    }
  }
}

TEST(FrozenMap, of_a_small_file_is_one_leaf) {
  SpaceMap map(8192, grow_freely());
  MapDisk disk(8192);
  map.reset(2);
  const FrozenMap frozen = freeze(map, disk);
  ASSERT_EQ(frozen.pages.size(), 1u);
  EXPECT_EQ(frozen.pages[0].type, format::PageType::MapLeaf);
  EXPECT_TRUE(frozen.pages[0].ref.same(frozen.root));
  EXPECT_TRUE(map.is_allocated(frozen.root.page()));
  EXPECT_TRUE(frozen.retired.empty());
}

TEST(FrozenMap, lies_on_disk_as_the_byte_table_says) {
  SpaceMap map(4096, grow_freely());
  MapDisk disk(4096);
  map.reset(100);
  ASSERT_EQ(map.allocate(6).value(), 4u);
  const FrozenMap frozen = freeze(map, disk);  // takes page 10
  const std::byte* image = frozen.pages[0].image.data();
  const auto header = base::load<format::PageHeader>(image);
  EXPECT_EQ(header.type, format::PageType::MapLeaf);
  EXPECT_EQ(header.level, 0);
  EXPECT_EQ(header.page, 10u);
  EXPECT_EQ(header.generation, frozen.root.generation);
  EXPECT_EQ(header.session, frozen.root.session);
  EXPECT_EQ(base::load<std::uint64_t>(image + 32), 0u);
  EXPECT_EQ(base::load<std::uint64_t>(image + 40), 11u);
  EXPECT_EQ(base::load<std::uint64_t>(image + 64), 0x7ffu);
  EXPECT_TRUE(std::all_of(image + 72, image + 4056, [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST(FrozenMap, of_an_unchanged_map_writes_nothing) {
  LargeMap large;
  const FrozenMap again = freeze(large.map, large.disk);
  EXPECT_TRUE(again.pages.empty());
  EXPECT_TRUE(again.retired.empty());
  EXPECT_TRUE(again.root.same(large.frozen.root));
}

TEST(FrozenMap, writes_only_what_changed_and_retires_what_it_replaces) {
  LargeMap large;
  ASSERT_EQ(large.frozen.pages.size(), 4u);  // their numbers lie in the last leaf
  large.map.free_now(2 * kLeaf + 5);
  const FrozenMap second = freeze_and_reload(large.map, large.disk);
  EXPECT_EQ(second.pages.size(), 2u) << "the last leaf and the root";
  EXPECT_EQ(second.retired.size(), 2u);
  for (const PageRef& ref : second.retired) EXPECT_TRUE(large.map.is_held(ref.page()));
  large.map.free_now(5);
  const FrozenMap third = freeze_and_reload(large.map, large.disk);
  EXPECT_EQ(third.pages.size(), 3u) << "its own pages lie in the first and the last leaf";
}

TEST(FrozenMap, leaves_ranges_without_an_allocated_page_out) {
  SpaceMap map(kPageSize, grow_freely());
  MapDisk disk(kPageSize);
  map.reset(3 * kLeaf);
  EXPECT_EQ(freeze(map, disk).pages.size(), 2u);
  const PageNo page = map.allocate(2 * kLeaf).value();
  EXPECT_EQ(freeze(map, disk).pages.size(), 4u);
  map.free_now(page, 2 * kLeaf);
  const FrozenMap frozen = freeze_and_reload(map, disk);
  EXPECT_EQ(frozen.retired.size(), 4u);
  EXPECT_EQ(frozen.pages.size(), 2u);
}

TEST(FrozenMap, writes_nothing_for_pages_that_came_and_went_in_an_empty_range) {
  SpaceMap map(kPageSize, grow_freely());
  MapDisk disk(kPageSize);
  map.reset(3 * kLeaf);
  ASSERT_TRUE(map.allocate(2 * kLeaf - 4).has_value());
  map.free_now(kLeaf + 1000, kLeaf - 1001);  // room for the map, but not for a leaf's worth of pages
  freeze(map, disk);
  const PageNo page = map.allocate(kLeaf).value();
  ASSERT_EQ(page, 2 * kLeaf);
  map.free_now(page, kLeaf);
  EXPECT_TRUE(freeze(map, disk).pages.empty());
}

TEST(FrozenMap, covers_a_leaf_that_only_its_own_pages_dirty_in_the_last_moment) {
  SpaceMap map(kPageSize, grow_freely());
  MapDisk disk(kPageSize);
  map.reset(4 * kLeaf);
  ASSERT_TRUE(map.allocate(3 * kLeaf - 8).has_value());
  ASSERT_EQ(freeze(map, disk).pages.size(), 4u);  // at the end of leaf 2; leaf 3 is empty
  map.hold(kLeaf, kLeaf);                         // nothing allocated in leaf 1, one page of it free
  map.release(kLeaf + 7);
  map.free_now(1000, 2);
  // Leaf 0, leaf 2 and the root take the free pages, the root the one in leaf 1, which therefore needs a page after
  // all; that lies in leaf 3.
  const FrozenMap frozen = freeze_and_reload(map, disk);
  EXPECT_EQ(frozen.pages.size(), 5u);
}

TEST(FrozenMap, keeps_hints_off_the_disk) {
  SpaceMap map(kPageSize, grow_freely());
  MapDisk disk(kPageSize);
  map.reset(2 * kLeaf);
  ASSERT_TRUE(map.allocate(kLeaf + 500).has_value());
  FrozenMap frozen = map.freeze([](PageNo page) {
                          return PageRef{page | std::uint64_t{9} << 40, format::Generation{page}, 1};
                        })
                         .value();
  ASSERT_EQ(frozen.pages.size(), 3u);
  disk.write(frozen);
  EXPECT_EQ(reload(frozen, disk), state_of(map));
}

TEST(FrozenMap, gains_and_loses_levels_with_the_length_of_the_file) {
  SpaceMap map(kPageSize, grow_freely());
  MapDisk disk(kPageSize);
  map.reset(kLeaf);
  FrozenMap frozen = freeze(map, disk);
  EXPECT_EQ(frozen.pages.size(), 1u);
  const std::uint32_t level_two = kLeaf * 165 + 1;
  const PageNo page = map.allocate(level_two).value();
  release_retired(map, frozen);
  frozen = freeze(map, disk);
  EXPECT_EQ(frozen.pages.size(), 166u + 2 + 1);
  EXPECT_EQ(frozen.pages.back().image[1], std::byte{2});
  EXPECT_TRUE(frozen.pages.back().ref.same(frozen.root));
  EXPECT_EQ(reload(frozen, disk), without_held(state_of(map)));
  release_retired(map, frozen);

  map.free_now(page, level_two);
  frozen = freeze(map, disk);  // new pages lie low now
  release_retired(map, frozen);
  map.trim_end();
  frozen = freeze(map, disk);
  EXPECT_TRUE(frozen.root.page() < 20);
  EXPECT_EQ(reload(frozen, disk).map_pages.size(), 1u) << "a leaf is the root again";
  EXPECT_EQ(reload(frozen, disk), without_held(state_of(map)));
}

TEST(FrozenMap, a_file_that_grows_into_a_new_leaf_while_it_freezes_describes_it) {
  for (std::uint32_t left = 0; left < 4; ++left) {
    SpaceMap map(kPageSize, grow_freely());
    MapDisk disk(kPageSize);
    map.reset(kLeaf);
    ASSERT_TRUE(map.allocate(kLeaf - 4 - left).has_value());
    const FrozenMap frozen = freeze(map, disk);
    EXPECT_EQ(reload(frozen, disk), without_held(state_of(map))) << left;
    EXPECT_EQ(frozen.pages.size(), left == 0 ? 3u : 1u) << left;
    EXPECT_EQ(frozen.page_count, map.page_count());
  }
}

TEST(FrozenMap, a_failure_at_any_growth_changes_nothing) {
  // The file is full and each map page has to be begged for. Failure n of them, until none fails.
  for (std::uint64_t room = 3 * kLeaf;; ++room) {
    std::optional<std::uint64_t> limit;
    SpaceMap map(kPageSize, [&](std::uint64_t page_count) {
      return !limit || page_count <= *limit ? Status{} : Status::error(ErrorCode::DiskFull);
    });
    MapDisk disk(kPageSize);
    map.reset(3 * kLeaf);
    ASSERT_TRUE(map.allocate(3 * kLeaf - 10).has_value());
    const FrozenMap first = freeze(map, disk);
    for (const std::uint32_t leaf : {0u, 1u, 2u}) map.hold(leaf * kLeaf + 1000, 5);
    while (map.free_count() > 0) ASSERT_TRUE(map.allocate().has_value());
    limit = room;
    const auto before = state_of(map);
    const auto frozen = map.freeze(disk.identify());
    if (frozen.has_value()) {
      EXPECT_EQ(room, 3 * kLeaf + 5) << "four leaves, since the file is longer now, and a root";
      break;
    }
    EXPECT_EQ(frozen.status().code(), ErrorCode::DiskFull);
    EXPECT_EQ(state_of(map), before) << room;
    EXPECT_EQ(map.page_count(), room);
    EXPECT_EQ(reload(first, disk).map_pages, before.map_pages);
    limit.reset();
    const FrozenMap second = freeze(map, disk);
    EXPECT_EQ(second.pages.size(), 5u);
    EXPECT_EQ(reload(second, disk), without_held(state_of(map)));
  }
}

TEST(FrozenMap, unfreeze_restores_the_map_before_and_the_next_freeze_writes_all_again) {
  LargeMap large;
  large.map.free_now(5);
  large.map.free_now(kLeaf + 5);
  const auto before = state_of(large.map);
  const FrozenMap lost = large.map.freeze(large.disk.identify()).value();
  EXPECT_NE(state_of(large.map), before);
  large.map.unfreeze(lost);
  EXPECT_EQ(state_of(large.map), before);
  const FrozenMap second = freeze_and_reload(large.map, large.disk);
  EXPECT_EQ(second.pages.size(), lost.pages.size());
}

TEST(FrozenMap, unfreeze_of_the_first_map_and_of_a_new_level_leaves_no_trace) {
  SpaceMap map(kPageSize, grow_freely());
  MapDisk disk(kPageSize);
  map.reset(100);
  const auto empty = state_of(map);
  map.unfreeze(map.freeze(disk.identify()).value());
  EXPECT_EQ(state_of(map), empty);
  ASSERT_EQ(freeze(map, disk).pages.size(), 1u);
  ASSERT_TRUE(map.allocate(2 * kLeaf).has_value());
  const auto one_level = state_of(map);
  map.unfreeze(map.freeze(disk.identify()).value());
  EXPECT_EQ(state_of(map), one_level);
  freeze_and_reload(map, disk);
}

TEST(LoadMap, goes_on_where_the_map_was_left) {
  LargeMap large;
  SpaceMap map(kPageSize, grow_freely());
  ASSERT_TRUE(map.load(large.frozen.root, large.frozen.page_count, large.disk.read()).is_ok());
  EXPECT_TRUE(freeze(map, large.disk).pages.empty()) << "nothing is dirty after loading";
  const PageNo page = map.allocate().value();
  EXPECT_FALSE(large.map.is_allocated(page));
  const FrozenMap frozen = freeze_and_reload(map, large.disk);
  EXPECT_EQ(frozen.pages.size(), 2u);
}

TEST(LoadMap, forgets_what_was_there_before) {
  LargeMap large;
  large.map.free_now(5, 10);
  const FrozenMap frozen = freeze(large.map, large.disk);
  SpaceMap map(kPageSize, grow_freely());
  map.reset(3 * kLeaf);
  map.hold(map.allocate(3 * kLeaf - 50).value(), 1000);
  ASSERT_TRUE(map.allocate().has_value());  // the search remembers where
  ASSERT_TRUE(map.load(frozen.root, frozen.page_count, large.disk.read()).is_ok());
  EXPECT_EQ(state_of(map), without_held(state_of(large.map)));
  EXPECT_EQ(map.allocate().value(), 8u) << "the first free page behind the map's own three";
}

TEST(LoadMap, without_a_root_is_an_empty_file) {
  SpaceMap map(kPageSize, grow_freely());
  ASSERT_TRUE(map.load(PageRef{}, 50, MapDisk(kPageSize).read()).is_ok());
  EXPECT_EQ(map.allocated_count(), format::first_page(kPageSize));
  EXPECT_EQ(map.page_count(), 50u);
}

TEST(LoadMap, accepts_a_file_that_has_grown_since) {
  LargeMap large;
  SpaceMap map(kPageSize, grow_freely());
  ASSERT_TRUE(map.load(large.frozen.root, 200 * std::uint64_t{kLeaf}, large.disk.read()).is_ok());
  EXPECT_EQ(map.allocated_count(), large.map.allocated_count());
  freeze_and_reload(map, large.disk);
}

TEST(LoadMap, passes_on_what_reading_a_page_fails_with) {
  LargeMap large;
  for (const MapPage& page : large.frozen.pages) {
    SpaceMap map(kPageSize, grow_freely());
    const Status status = map.load(large.frozen.root, large.frozen.page_count, [&](const PageRef& ref, std::byte* to) {
      return ref.same(page.ref) ? Status::error(ErrorCode::ReadFailed) : large.disk.read()(ref, to);
    });
    EXPECT_EQ(status.code(), ErrorCode::ReadFailed);
  }
}

// One byte or word of a page overwritten, with a checksum that holds again.
template <typename T>
ErrorCode load_forged(std::size_t page, std::size_t offset, T value) {
  LargeMap large;  // pages: leaf 0, 1, 2 and the root
  large.disk.forge(large.frozen.pages[page].ref, offset, value);
  SpaceMap map(kPageSize, grow_freely());
  return map.load(large.frozen.root, large.frozen.page_count, large.disk.read()).code();
}

TEST(LoadMap, rejects_content_that_breaks_the_format) {
  constexpr auto kBad = ErrorCode::PageMalformed;
  EXPECT_EQ(load_forged(3, 0, std::byte{2}), kBad) << "a tree page as root";
  EXPECT_EQ(load_forged(3, 1, std::byte{0}), kBad) << "an inner page of level 0";
  EXPECT_EQ(load_forged(3, 1, std::byte{2}), kBad) << "children of the wrong level";
  EXPECT_EQ(load_forged(3, 1, std::byte{200}), kBad) << "a level that no file needs";
  EXPECT_EQ(load_forged(1, 1, std::byte{1}), kBad) << "a leaf of level 1";
  EXPECT_EQ(load_forged(1, 0, std::byte{6}), kBad) << "a leaf that calls itself inner";
  EXPECT_EQ(load_forged(1, 32, std::uint64_t{0}), kBad) << "range of another leaf";
  EXPECT_EQ(load_forged(1, 40, std::uint64_t{7}), kBad) << "count of bits";
  EXPECT_EQ(load_forged(3, 40, std::uint64_t{7}), kBad) << "count of refs";
  EXPECT_EQ(load_forged(1, 48, std::uint64_t{1}), kBad) << "zero words";
  EXPECT_EQ(load_forged(1, 4096 - 41, std::byte{1}), kBad) << "unused bytes of a leaf";
  EXPECT_EQ(load_forged(3, 64 + 165 * 24, std::byte{1}), kBad) << "unused bytes of an inner page";
  EXPECT_EQ(load_forged(3, 64 + 5, std::byte{1}), kBad) << "hint on disk";
  EXPECT_EQ(load_forged(3, 64, std::uint64_t{0}), kBad) << "null ref with a generation";
  EXPECT_EQ(load_forged(3, 64, std::uint64_t{4 * kLeaf}), kBad) << "ref past the end of the file";
}

// A map whose own pages lie at the start of the file, `count` others behind them.
FrozenMap freeze_low(SpaceMap& map, MapDisk& disk, std::uint32_t count) {
  const PageNo low = map.allocate(10).value();
  EXPECT_TRUE(map.allocate(count).has_value());
  map.free_now(low, 10);
  return freeze(map, disk);
}

TEST(LoadMap, rejects_pages_allocated_past_the_end_of_the_file) {
  SpaceMap original(kPageSize, grow_freely());
  MapDisk disk(kPageSize);
  original.reset(2000);
  const FrozenMap frozen = freeze_low(original, disk, 900);  // pages 14 to 913, the map at 4
  for (const std::uint64_t page_count : {5u, 64u, 100u, 896u, 913u}) {
    SpaceMap map(kPageSize, grow_freely());
    EXPECT_EQ(map.load(frozen.root, page_count, disk.read()).code(), ErrorCode::PageMalformed) << page_count;
  }
  SpaceMap map(kPageSize, grow_freely());
  EXPECT_TRUE(map.load(frozen.root, 914, disk.read()).is_ok());
}

TEST(LoadMap, rejects_a_leaf_for_pages_past_the_end_of_the_file) {
  SpaceMap original(kPageSize, grow_freely());
  MapDisk disk(kPageSize);
  original.reset(3 * kLeaf);
  freeze_low(original, disk, 2 * kLeaf + 100);
  original.free_now(500, 2 * kLeaf - 500);  // leaf 1 is empty, leaf 2 is not
  const FrozenMap frozen = freeze(original, disk);
  for (const std::uint32_t page_count : {kLeaf, kLeaf + 50, 2 * kLeaf}) {
    SpaceMap map(kPageSize, grow_freely());
    EXPECT_EQ(map.load(frozen.root, page_count, disk.read()).code(), ErrorCode::PageMalformed) << page_count;
  }
}

TEST(LoadMap, rejects_a_root_outside_the_pages_of_the_file_without_reading_it) {
  SpaceMap original(kPageSize, grow_freely());
  MapDisk disk(kPageSize);
  original.reset(100);
  const FrozenMap frozen = freeze(original, disk);
  SpaceMap map(kPageSize, grow_freely());
  EXPECT_EQ(map.load(PageRef{100, {1}, 1}, 100, disk.read()).code(), ErrorCode::PageMalformed);
  const SpaceMap::Read read_anything = [&](const PageRef&, std::byte* to) { return disk.read()(frozen.root, to); };
  EXPECT_EQ(map.load(PageRef{1, {1}, 1}, 100, read_anything).code(), ErrorCode::PageMalformed) << "a header page";
}

TEST(LoadMap, rejects_a_map_that_calls_itself_or_the_header_free) {
  SpaceMap original(kPageSize, grow_freely());
  MapDisk disk(kPageSize);
  original.reset(100);
  const FrozenMap frozen = freeze(original, disk);
  ASSERT_EQ(frozen.root.page(), 4u);
  for (const std::uint64_t bits : {0x0full, 0x1eull, 0x17ull}) {
    disk.forge(frozen.root, 40, std::uint64_t{4});
    disk.forge(frozen.root, 64, bits);
    SpaceMap map(kPageSize, grow_freely());
    EXPECT_EQ(map.load(frozen.root, 100, disk.read()).code(), ErrorCode::PageMalformed) << bits;
  }
}

}  // namespace
}  // namespace vitrine::space
