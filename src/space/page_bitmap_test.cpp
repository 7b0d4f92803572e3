// SPDX-License-Identifier: MIT OR Apache-2.0
#include "space/page_bitmap.hpp"

#include <gtest/gtest.h>

namespace vitrine::space {
namespace {

TEST(PageBitmap, ranges_across_words_are_set_and_cleared_exactly) {
  for (const std::uint64_t begin : {0u, 1u, 63u, 64u, 100u}) {
    for (const std::uint64_t count : {1u, 2u, 63u, 64u, 65u, 128u, 150u}) {
      PageBitmap bits;
      bits.resize(300);
      bits.set(begin, count);
      EXPECT_EQ(bits.count(), count);
      for (std::uint64_t bit = 0; bit < 300; ++bit) {
        ASSERT_EQ(bits.test(bit), bit >= begin && bit < begin + count) << begin << "+" << count << " " << bit;
      }
      bits.clear(begin, count);
      EXPECT_EQ(bits.count(), 0u);
    }
  }
}

TEST(PageBitmap, any_sees_only_its_range) {
  PageBitmap bits;
  bits.resize(200);
  bits.set(130, 1);
  EXPECT_TRUE(bits.any(130, 1));
  EXPECT_TRUE(bits.any(0, 131));
  EXPECT_TRUE(bits.any(130, 1'000'000));
  EXPECT_FALSE(bits.any(0, 130));
  EXPECT_FALSE(bits.any(131, 69));
  EXPECT_FALSE(bits.any(200, 5));
  EXPECT_FALSE(bits.any(130, 0));
}

TEST(PageBitmap, growing_adds_clear_bits_and_keeps_the_others) {
  PageBitmap bits;
  bits.resize(65);
  bits.set(60, 5);
  bits.resize(130);
  EXPECT_EQ(bits.size(), 130u);
  EXPECT_EQ(bits.count(), 5u);
  EXPECT_FALSE(bits.test(65));
  EXPECT_FALSE(bits.test(1'000'000));
}

TEST(PageBitmapDeathTest, a_bit_that_is_not_in_the_expected_state_stops_the_program) {
  PageBitmap bits;
  bits.resize(100);
  bits.set(50, 1);
  EXPECT_DEATH(bits.set(40, 20), "");
  EXPECT_DEATH(bits.clear(50, 2), "");
  EXPECT_DEATH(bits.set(99, 2), "");
  EXPECT_DEATH(bits.set(10, 0), "");
}

}  // namespace
}  // namespace vitrine::space
