// SPDX-License-Identifier: MIT OR Apache-2.0
#include "space/free_finder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/prng.hpp"
#include "os/testing.hpp"

namespace vitrine::space {
namespace {

// Two bitmaps and a finder over them, as SpaceMap has them.
struct Pages {
  explicit Pages(std::uint64_t size) {
    first.resize(size);
    second.resize(size);
  }
  bool is_free(std::uint64_t page) const { return !first.test(page) && !second.test(page); }
  void release(std::uint64_t begin, std::uint64_t count) {
    for (std::uint64_t page = begin; page < begin + count; ++page) {
      if (first.test(page)) first.clear(page, 1);
      if (second.test(page)) second.clear(page, 1);
    }
    finder.freed(begin, count, first.size());
  }
  // The lowest run by looking at every page.
  std::optional<std::uint64_t> find_slowly(std::uint64_t count, std::uint64_t end) const {
    std::uint64_t run = 0;
    for (std::uint64_t page = 0; page < end; ++page) {
      run = is_free(page) ? run + 1 : 0;
      if (run == count) return page + 1 - count;
    }
    return std::nullopt;
  }

  PageBitmap first;
  PageBitmap second;
  FreeFinder finder{first, second};
};

TEST(FreeFinder, a_page_is_free_only_when_both_bitmaps_say_so) {
  Pages pages(200);
  pages.first.set(0, 70);
  pages.second.set(71, 5);
  EXPECT_EQ(pages.finder.find(1, 200), 70u);
  EXPECT_EQ(pages.finder.find(2, 200), 76u);
  EXPECT_EQ(pages.finder.find(125, 200), std::nullopt);
}

TEST(FreeFinder, runs_across_words_and_up_to_the_end_are_found) {
  Pages pages(256);
  pages.first.set(0, 60);
  pages.first.set(130, 1);
  EXPECT_EQ(pages.finder.find(70, 256), 60u);
  EXPECT_EQ(pages.finder.find(71, 256), 131u);
  EXPECT_EQ(pages.finder.find(125, 256), 131u);
  EXPECT_EQ(pages.finder.find(126, 256), std::nullopt);
}

TEST(FreeFinder, the_end_of_the_search_cuts_runs) {
  Pages pages(256);
  pages.first.set(0, 100);
  EXPECT_EQ(pages.finder.find(10, 109), std::nullopt);
  EXPECT_EQ(pages.finder.find(10, 110), 100u);
  EXPECT_EQ(pages.finder.find(1, 100), std::nullopt);
  EXPECT_EQ(pages.finder.find(1, 101), 100u);
}

TEST(FreeFinder, finds_the_lowest_run_whatever_happened_before) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  base::Prng random(seed);
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t size = random.between(1, 1500);
    const std::uint64_t density = random.between(1, 12);
    Pages pages(size);
    for (int step = 0; step < 400; ++step) {
      const std::uint64_t begin = random.below(size);
      const std::uint64_t most = random.one_in(3) ? 300 : 6;
      const std::uint64_t count = 1 + random.below(std::min(most, size - begin));
      if (random.below(12) < density) {
        for (std::uint64_t page = begin; page < begin + count; ++page) {
          if (pages.is_free(page)) (random.one_in(2) ? pages.first : pages.second).set(page, 1);
        }
      } else {
        pages.release(begin, count);
      }
      const std::uint64_t wanted = random.one_in(3) ? random.between(1, 400) : random.between(1, 5);
      const std::uint64_t end = random.one_in(4) ? random.between(0, size) : size;
      ASSERT_EQ(pages.finder.find(wanted, end), pages.find_slowly(wanted, end)) << wanted << " below " << end;
    }
  }
}

TEST(FreeFinder, used_end_is_one_past_the_last_used_page) {
  Pages pages(300);
  EXPECT_EQ(pages.finder.used_end(300), 0u);
  pages.first.set(10, 1);
  pages.second.set(129, 1);
  EXPECT_EQ(pages.finder.used_end(300), 130u);
  EXPECT_EQ(pages.finder.used_end(130), 130u);
  EXPECT_EQ(pages.finder.used_end(129), 11u);
}

TEST(FreeFinder, a_run_at_the_end_counts_for_all_lengths_once_the_file_grows) {
  Pages pages(100);
  pages.first.set(0, 100);
  EXPECT_EQ(pages.finder.find(20, 100), std::nullopt);
  pages.release(95, 5);
  pages.first.resize(200);
  pages.second.resize(200);
  EXPECT_EQ(pages.finder.find(20, 200), 95u);
}

TEST(FreeFinder, a_fragmented_map_is_scanned_once_for_each_length_and_not_on_every_search) {
  constexpr std::uint64_t kPages = 1 << 20;
  Pages pages(kPages);
  for (std::uint64_t page = 0; page < kPages; page += 2) pages.first.set(page, 1);
  for (int search = 0; search < 10'000; ++search) {
    ASSERT_EQ(pages.finder.find(2, kPages), std::nullopt);
    ASSERT_EQ(pages.finder.find(7, kPages), std::nullopt);
  }
  EXPECT_LE(pages.finder.words_scanned(), kPages / 64 + 30'000);
}

TEST(FreeFinder, pages_freed_one_by_one_do_not_restart_the_search_for_long_runs) {
  constexpr std::uint64_t kPages = 1 << 20;
  Pages pages(kPages);
  for (std::uint64_t page = 0; page < kPages; page += 4) pages.first.set(page, 3);
  for (int search = 0; search < 3; ++search) EXPECT_EQ(pages.finder.find(8, kPages), std::nullopt);
  const std::uint64_t before = pages.finder.words_scanned();
  for (std::uint64_t page = 2; page < 40'000; page += 4) {
    pages.release(page, 1);  // now a run of two
    ASSERT_EQ(pages.finder.find(8, kPages), std::nullopt);
  }
  EXPECT_LE(pages.finder.words_scanned() - before, kPages / 64 + 20'000);
}

TEST(FreeFinder, one_search_looks_at_a_bounded_number_of_words_and_the_next_goes_on_there) {
  constexpr std::uint64_t kPages = FreeFinder::kScanWords * 64 * 3;
  Pages pages(kPages);
  pages.first.set(0, kPages - 5);
  EXPECT_EQ(pages.finder.find(1, kPages), std::nullopt);
  EXPECT_EQ(pages.finder.words_scanned(), FreeFinder::kScanWords);
  EXPECT_EQ(pages.finder.find(5, kPages), std::nullopt);
  EXPECT_EQ(pages.finder.find(1, kPages), std::nullopt);
  EXPECT_EQ(pages.finder.find(1, kPages), kPages - 5);
  EXPECT_LE(pages.finder.words_scanned(), FreeFinder::kScanWords * 4);
}

TEST(FreeFinder, taking_free_pages_one_after_the_other_scans_every_word_about_once) {
  constexpr std::uint64_t kPages = 1 << 18;
  Pages pages(kPages);
  for (std::uint64_t page = 0; page < kPages; page += 2) pages.first.set(page, 1);
  for (std::uint64_t page = 1; page < kPages; page += 2) {
    ASSERT_EQ(pages.finder.find(1, kPages), page);
    pages.first.set(page, 1);
  }
  EXPECT_LE(pages.finder.words_scanned(), kPages / 2 + kPages / 64);  // one word a page and one step to the next
}

}  // namespace
}  // namespace vitrine::space
