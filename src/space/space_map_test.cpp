// SPDX-License-Identifier: MIT OR Apache-2.0
#include "space/space_map.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "format/meta.hpp"
#include "space/testing.hpp"

namespace vitrine::space {
namespace {

using testing::grow_freely;

// A disk with room for `room` pages that keeps what it was asked for.
struct LimitedFile {
  std::uint64_t room;
  std::vector<std::uint64_t> asked;

  SpaceMap::Grow grow() {
    return [this](std::uint64_t page_count) {
      asked.push_back(page_count);
      return page_count <= room ? Status{} : Status::error(ErrorCode::DiskFull);
    };
  }
};

TEST(SpaceMap, an_empty_file_has_its_header_pages_allocated_and_the_rest_free) {
  for (std::uint32_t page_size = 4096; page_size <= 65536; page_size *= 2) {
    SpaceMap map(page_size, grow_freely());
    map.reset(10);
    const PageNo first = format::first_page(page_size);
    EXPECT_EQ(map.allocated_count(), first);
    EXPECT_EQ(map.free_count(), 10 - first);
    EXPECT_TRUE(map.is_allocated(first - 1));
    EXPECT_FALSE(map.is_allocated(first));
    EXPECT_EQ(map.allocate().value(), first);
  }
}

TEST(SpaceMap, hold_free_leaves_no_free_page_and_says_which_they_were) {
  SpaceMap map(8192, grow_freely());
  map.reset(100);
  const PageNo first = map.allocate(6).value();
  map.free_now(first + 1, 2);
  map.hold(first + 4);
  const std::vector<SpaceMap::Run> runs = map.hold_free();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].page, first + 1);
  EXPECT_EQ(runs[0].count, 2u);
  EXPECT_EQ(runs[1].page, first + 6);
  EXPECT_EQ(runs[1].count, 100 - (first + 6));
  EXPECT_EQ(map.free_count(), 0u);
  EXPECT_EQ(map.allocate().value(), 100u) << "the file grows";
  map.release(runs[0].page, 2);
  EXPECT_EQ(map.allocate(2).value(), first + 1);
  EXPECT_TRUE(map.is_held(first + 4));
}

TEST(SpaceMap, pages_go_through_their_states) {
  SpaceMap map(8192, grow_freely());
  map.reset(100);
  const PageNo page = map.allocate(3).value();
  EXPECT_TRUE(map.is_allocated(page + 2));
  map.hold(page, 3);
  EXPECT_FALSE(map.is_allocated(page));
  EXPECT_TRUE(map.is_held(page + 2));
  EXPECT_EQ(map.held_count(), 3u);
  EXPECT_EQ(map.allocate().value(), page + 3) << "held pages are not handed out";
  map.unhold(page + 1, 1);
  EXPECT_TRUE(map.is_allocated(page + 1));
  map.free_now(page + 1);
  EXPECT_EQ(map.allocate().value(), page + 1);
  map.release(page, 1);
  EXPECT_EQ(map.allocate().value(), page);
  EXPECT_EQ(map.held_count(), 1u);
  EXPECT_EQ(map.allocated_count(), format::first_page(8192) + 3);
  EXPECT_EQ(map.free_count(), 100 - format::first_page(8192) - 4);
}

TEST(SpaceMap, a_file_grows_by_sixteen_pages_at_first_and_by_an_eighth_later) {
  LimitedFile file{1'000'000, {}};
  SpaceMap map(8192, file.grow());
  map.reset(2);
  ASSERT_TRUE(map.allocate().has_value());
  EXPECT_EQ(file.asked.back(), 18u);
  EXPECT_EQ(map.page_count(), 18u);
  ASSERT_TRUE(map.allocate(1000).has_value());
  EXPECT_EQ(file.asked.back(), 1003u) << "what is needed is more than the step";
  ASSERT_TRUE(map.allocate().has_value());
  EXPECT_EQ(file.asked.back(), 1003u + 1003 / 8);
}

TEST(SpaceMap, a_file_grows_by_64_mib_at_most) {
  for (const std::uint32_t page_size : {4096u, 65536u}) {
    SpaceMap map(page_size, grow_freely());
    map.reset(1'000'000);
    ASSERT_TRUE(map.allocate(1'000'000 - static_cast<std::uint32_t>(map.allocated_count())).has_value());
    ASSERT_TRUE(map.allocate().has_value());
    EXPECT_EQ(map.page_count(), 1'000'000 + (64u << 20) / page_size);
  }
}

TEST(SpaceMap, growth_uses_the_free_pages_at_the_end_of_the_file) {
  SpaceMap map(8192, grow_freely());
  map.reset(12);
  const PageNo first = format::first_page(8192);
  EXPECT_EQ(map.allocate(100).value(), first);
}

TEST(SpaceMap, a_full_disk_gives_what_is_needed_down_to_the_last_page) {
  LimitedFile file{20, {}};
  SpaceMap map(8192, file.grow());
  map.reset(2);
  for (PageNo page = 2; page < 20; ++page) ASSERT_EQ(map.allocate().value(), page);
  EXPECT_EQ(map.page_count(), 20u);
  const auto refused = map.allocate();
  EXPECT_EQ(refused.status().code(), ErrorCode::DiskFull);
  EXPECT_EQ(map.page_count(), 20u);
  EXPECT_EQ(map.allocated_count(), 20u);
  map.free_now(7);
  EXPECT_EQ(map.allocate(2).status().code(), ErrorCode::DiskFull);
  EXPECT_EQ(map.allocate().value(), 7u);
}

TEST(SpaceMap, only_a_full_disk_makes_it_ask_again_for_less) {
  int calls = 0;
  SpaceMap map(8192, [&](std::uint64_t) {
    ++calls;
    return Status::error(ErrorCode::WriteFailed);
  });
  map.reset(2);
  EXPECT_EQ(map.allocate().status().code(), ErrorCode::WriteFailed);
  EXPECT_EQ(calls, 1);
}

TEST(SpaceMap, a_full_disk_finds_free_pages_that_a_quick_search_does_not_reach) {
  constexpr std::uint64_t kPages = FreeFinder::kScanWords * 64 * 2;
  LimitedFile file{kPages, {}};
  SpaceMap map(8192, file.grow());
  map.reset(kPages);
  ASSERT_TRUE(map.allocate(kPages - 2).has_value());
  map.free_now(kPages - 100, 40);
  map.free_now(5, 1);  // the search for single pages starts here again
  EXPECT_EQ(map.allocate().value(), 5u);
  EXPECT_EQ(map.allocate(40).value(), kPages - 100);
}

TEST(SpaceMap, allocate_below_takes_the_lowest_page_under_the_limit_only) {
  SpaceMap map(8192, grow_freely());
  map.reset(50);
  ASSERT_TRUE(map.allocate(48).has_value());
  map.free_now(30);
  map.free_now(20);
  EXPECT_EQ(map.allocate_below(20), std::nullopt);
  EXPECT_EQ(map.allocate_below(21), 20u);
  EXPECT_EQ(map.allocate_below(1'000), 30u);
  EXPECT_EQ(map.allocate_below(1'000), std::nullopt);
  EXPECT_EQ(map.page_count(), 50u);
}

TEST(SpaceMap, trim_end_cuts_up_to_the_last_page_in_use) {
  SpaceMap map(8192, grow_freely());
  map.reset(100);
  const PageNo page = map.allocate(40).value();
  EXPECT_EQ(map.trim_end(), page + 40);
  map.hold(page + 39);
  map.free_now(page + 20, 19);
  EXPECT_EQ(map.trim_end(), page + 40) << "held pages stay";
  map.release(page + 39);
  EXPECT_EQ(map.trim_end(), page + 20);
  EXPECT_EQ(map.page_count(), page + 20);
  EXPECT_EQ(map.free_count(), 0u);
  EXPECT_EQ(map.allocate().value(), page + 20) << "grows again from there";
}

TEST(SpaceMap, reset_forgets_everything) {
  SpaceMap map(8192, grow_freely());
  map.reset(100'000);
  ASSERT_TRUE(map.allocate(90'000).has_value());
  ASSERT_TRUE(map.allocate(38).has_value());  // the search remembers where
  map.hold(70'000, 5);
  ASSERT_TRUE(map.freeze([](PageNo page) { return PageRef{page, {1}, 1}; }).has_value());
  map.reset(40);
  map.each_map_page([](const PageRef&) { ADD_FAILURE() << "a map page of the file before"; });
  EXPECT_EQ(map.page_count(), 40u);
  EXPECT_EQ(map.held_count(), 0u);
  EXPECT_EQ(map.allocate(38).value(), 2u);
}

TEST(SpaceMapDeathTest, header_pages_cannot_be_given_up) {
  SpaceMap map(4096, grow_freely());
  map.reset(10);
  EXPECT_DEATH(map.free_now(3), "");
  EXPECT_DEATH(map.hold(0), "");
}

}  // namespace
}  // namespace vitrine::space
