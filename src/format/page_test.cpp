// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/page.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/codec.hpp"
#include "base/prng.hpp"
#include "format/checksum.hpp"

namespace vitrine::format {
namespace {

constexpr FileId kFile{0x1122334455667788, 0x99aabbccddeeff00};
constexpr PageRef kRef{97, Generation::of(5, 3), 0x5e55};

// A sealed page of repeatable random bytes under the identity `ref`.
std::vector<std::byte> make_page(std::size_t size, const PageRef& ref, FileId file = kFile) {
  std::vector<std::byte> image(size);
  base::Prng random(size);
  for (auto& byte : image) byte = static_cast<std::byte>(random.next());
  base::store(image.data(), PageHeader{PageType::Leaf, 0, 0, 0, ref.page(), ref.generation, ref.session});
  EXPECT_TRUE(PageCodec(file).seal(image.data(), size).is_ok());
  return image;
}

Status open(std::vector<std::byte> image, const PageRef& expected, FileId file = kFile) {
  return PageCodec(file).open(image.data(), image.size(), expected);
}

TEST(PageCodec, opens_what_it_sealed_at_every_page_size_and_as_an_extent) {
  for (std::size_t size = kPageSizeMin; size <= kPageSizeMax; size *= 2) {
    EXPECT_TRUE(open(make_page(size, kRef), kRef).is_ok()) << size;
    EXPECT_TRUE(open(make_page(3 * size, kRef), kRef).is_ok()) << size;
  }
}

TEST(PageCodec, ignores_the_hint_of_the_expected_ref) {
  PageRef hinted = kRef;
  hinted.where |= std::uint64_t{0xabc} << 40;
  EXPECT_TRUE(open(make_page(4096, kRef), hinted).is_ok());
}

TEST(PageCodec, changes_nothing_but_the_trailer) {
  const auto image = make_page(4096, kRef);
  auto again = image;
  std::memset(again.data() + 4096 - kPageTrailerSize, 0xff, kPageTrailerSize);
  ASSERT_TRUE(PageCodec(kFile).seal(again.data(), again.size()).is_ok());
  EXPECT_EQ(image, again);
}

// The file format: a second implementation must compute the same. XXH3-128 over the image without its trailer; the
// seed is XXH3-64 over the id.
TEST(PageCodec, places_the_tag_where_the_byte_table_says) {
  const auto image = make_page(4096, kRef);
  const Checksum tag = checksum(image.data(), 4056, checksum_seed(kFile));
  EXPECT_EQ(base::load<std::uint64_t>(image.data() + 4056), tag.low);
  EXPECT_EQ(base::load<std::uint64_t>(image.data() + 4064), tag.high);
  for (std::size_t i = 4072; i < 4096; ++i) EXPECT_EQ(image[i], std::byte{0}) << i;
}

TEST(Checksum, matches_the_published_values_of_xxh3) {
  EXPECT_EQ(checksum("", 0), (Checksum{0x6001c324468d497f, 0x99aa06d3014798d8}));
  const FileId id{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  EXPECT_NE(checksum_seed(id), checksum_seed(FileId{id.high, id.low}));
}

TEST(PageCodec, detects_every_flipped_bit) {
  auto image = make_page(4096, kRef);
  const PageCodec codec(kFile);
  for (std::size_t bit = 0; bit < image.size() * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1u << (bit % 8));
    image[bit / 8] ^= mask;
    ASSERT_EQ(codec.open(image.data(), image.size(), kRef).code(), ErrorCode::PageChecksum) << bit;
    ASSERT_FALSE(codec.is_intact(image.data(), image.size())) << bit;
    image[bit / 8] ^= mask;
  }
  EXPECT_TRUE(codec.open(image.data(), image.size(), kRef).is_ok());
}

TEST(PageCodec, detects_a_torn_page) {
  const auto before = make_page(4096, kRef);
  PageRef later = kRef;
  later.generation = Generation::of(6, 0);
  const auto after = make_page(4096, later);
  for (std::size_t sector = 512; sector < 4096; sector += 512) {
    auto torn = before;
    std::memcpy(torn.data(), after.data(), sector);
    EXPECT_EQ(open(torn, later).code(), ErrorCode::PageChecksum) << sector;
  }
}

TEST(PageCodec, calls_a_page_of_another_place_misplaced_and_names_both) {
  PageRef expected = kRef;
  expected.where = 98;
  const Status status = open(make_page(4096, kRef), expected);
  EXPECT_EQ(status.code(), ErrorCode::PageMisplaced);
  EXPECT_EQ(status.detail("page"), "98");
  EXPECT_EQ(status.detail("found_page"), "97");
}

TEST(PageCodec, calls_another_generation_or_session_stale) {
  PageRef expected = kRef;
  expected.generation = Generation::of(5, 4);
  const Status rewritten = open(make_page(4096, kRef), expected);
  EXPECT_EQ(rewritten.code(), ErrorCode::PageStale);
  EXPECT_EQ(rewritten.detail("found_generation"), std::to_string((5u << 20) + 3));
  EXPECT_EQ(rewritten.detail("expected_generation"), std::to_string((5u << 20) + 4));
  expected = kRef;
  ++expected.session;
  EXPECT_EQ(open(make_page(4096, kRef), expected).code(), ErrorCode::PageStale);
}

TEST(PageCodec, rejects_a_page_of_another_file) {
  const FileId other{kFile.low, kFile.high + 1};
  EXPECT_EQ(open(make_page(4096, kRef, other), kRef).code(), ErrorCode::PageChecksum);
}

TEST(PageCodec, rejects_lost_writes_that_read_as_zeros_and_images_too_short_for_a_trailer) {
  EXPECT_EQ(open(std::vector<std::byte>(4096), kRef).code(), ErrorCode::PageChecksum);
  EXPECT_EQ(open(std::vector<std::byte>(kPageHeaderSize + kPageTrailerSize - 1), kRef).code(), ErrorCode::PageChecksum);
}

TEST(Generation, keeps_version_and_rewrite_apart) {
  const Generation last = Generation::of(kVersionMax, Generation::kRewriteMax);
  EXPECT_EQ(last.version(), kVersionMax);
  EXPECT_EQ(last.rewrite(), Generation::kRewriteMax);
  EXPECT_EQ(Generation::of(7, 0).rewrite(), 0u);
}

}  // namespace
}  // namespace vitrine::format
