// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/sealed_page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/codec.hpp"
#include "base/prng.hpp"

namespace vitrine::format {
namespace {

constexpr FileId kFile{1, 2};
constexpr PageRef kRef{97, Generation::of(5, 3), 0x5e55};
constexpr std::size_t kSize = 4096;
using Image = std::vector<std::byte>;

std::shared_ptr<const crypto::KeyRing> ring_of(std::uint8_t master, FileId file = kFile,
                                               Cipher cipher = Cipher::Aes256Gcm) {
  const std::array<std::byte, 32> key{std::byte{master}};
  return crypto::KeyRing::make(key, cipher, 1, std::as_bytes(std::span(&file, 1))).value();
}

std::unique_ptr<PageCodec> codec_of(std::uint8_t salt, FileId file = kFile, std::uint8_t master = 1,
                                    std::uint64_t bytes_max = crypto::UsageCeiling::kBytesMax) {
  return SealedPageCodec::make(file, ring_of(master, file), crypto::Salt{std::byte{salt}}, bytes_max).value();
}

Image plain_page(const PageRef& ref = kRef, std::size_t size = kSize) {
  Image image(size);
  base::Prng random(size);
  for (std::byte& byte : image) byte = static_cast<std::byte>(random.next());
  base::store(image.data(), PageHeader{PageType::Leaf, 0, 0, 0, ref.page(), ref.generation, ref.session});
  return image;
}

Image sealed_page(const PageCodec& codec, const PageRef& ref = kRef, std::size_t size = kSize) {
  Image image = plain_page(ref, size);
  EXPECT_TRUE(codec.seal(image.data(), image.size()).is_ok());
  return image;
}

ErrorCode open(const PageCodec& codec, Image image, const PageRef& ref = kRef) {
  return codec.open(image.data(), image.size(), ref).code();
}

bool same_body(const Image& left, const Image& right) {
  return std::equal(left.begin() + kPageHeaderSize, left.end() - kPageTrailerSize, right.begin() + kPageHeaderSize);
}

// Of key epoch 2.
std::shared_ptr<const crypto::KeyRing> next_ring() {
  const std::array<std::byte, 32> key{std::byte{2}};
  return crypto::KeyRing::make(key, Cipher::Aes256Gcm, 2, std::as_bytes(std::span(&kFile, 1))).value();
}

TEST(SealedPageCodec, opens_pages_of_the_epoch_before_up_to_the_last_version_of_it) {
  constexpr PageRef kLater{97, Generation::of(6, 0), 0x5e55};
  const auto codec = SealedPageCodec::make(kFile, ring_of(1), crypto::Salt{std::byte{1}}).value();
  const Image old = sealed_page(*codec), too_late = sealed_page(*codec, kLater);
  ASSERT_TRUE(codec->begin_epoch(next_ring(), crypto::Salt{std::byte{2}}, 5).is_ok());
  const Image renewed = sealed_page(*codec), later = sealed_page(*codec, kLater);
  EXPECT_EQ(base::load<PageHeader>(renewed.data()).key_epoch, 2u);
  EXPECT_EQ(open(*codec, old), ErrorCode::Ok);
  EXPECT_EQ(open(*codec, renewed), ErrorCode::Ok);
  EXPECT_EQ(open(*codec, later, kLater), ErrorCode::Ok);
  // What whoever knows the old keys alone can make.
  EXPECT_EQ(open(*codec, too_late, kLater), ErrorCode::PageForged);

  const auto reopened = SealedPageCodec::make(kFile, next_ring(), crypto::Salt{std::byte{3}}).value();
  EXPECT_EQ(open(*reopened, old), ErrorCode::PageForged);
  EXPECT_EQ(open(*reopened, renewed), ErrorCode::Ok);
  reopened->add_old_epoch({ring_of(1), 5});
  EXPECT_EQ(open(*reopened, old), ErrorCode::Ok);
  EXPECT_EQ(open(*reopened, too_late, kLater), ErrorCode::PageForged);
}

TEST(SealedPageCodec, opens_in_a_later_session_what_it_sealed) {
  for (const Cipher cipher : {Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305}) {
    for (const std::size_t size : {kSize, std::size_t{65536}, 3 * kSize}) {
      const auto ring = ring_of(1, kFile, cipher);
      const auto writer = SealedPageCodec::make(kFile, ring, crypto::Salt{std::byte{1}}).value();
      const auto reader = SealedPageCodec::make(kFile, ring, crypto::Salt{std::byte{2}}).value();
      Image image = sealed_page(*writer, kRef, size);
      EXPECT_FALSE(same_body(image, plain_page(kRef, size)));
      ASSERT_TRUE(reader->open(image.data(), size, kRef).is_ok());
      EXPECT_TRUE(same_body(image, plain_page(kRef, size)));
    }
  }
}

TEST(SealedPageCodec, refuses_every_flipped_bit_and_shows_nothing) {
  const auto codec = codec_of(1);
  const Image sealed = sealed_page(*codec);
  for (std::size_t bit = 0; bit < kSize * 8; bit += bit < 256 || bit > (kSize - 48) * 8 ? 1 : 13) {
    Image forged = sealed;
    forged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    ASSERT_EQ(codec->open(forged.data(), kSize, kRef).code(), ErrorCode::PageForged) << bit;
    ASSERT_TRUE(std::all_of(forged.begin() + kPageHeaderSize, forged.end() - kPageTrailerSize,
                            [](std::byte byte) { return byte == std::byte{0}; }));
  }
}

TEST(SealedPageCodec, tells_moved_and_replayed_pages_from_forged_ones) {
  const auto codec = codec_of(1);
  EXPECT_EQ(open(*codec, sealed_page(*codec, {98, kRef.generation, kRef.session})), ErrorCode::PageMisplaced);
  EXPECT_EQ(open(*codec, sealed_page(*codec, {97, Generation::of(5, 2), kRef.session})), ErrorCode::PageStale);
  EXPECT_EQ(open(*codec, sealed_page(*codec, {97, kRef.generation, 1})), ErrorCode::PageStale);
  EXPECT_EQ(open(*codec, sealed_page(*codec_of(1, {1, 3}))), ErrorCode::PageForged);
  EXPECT_EQ(open(*codec, sealed_page(*codec_of(1, kFile, 2))), ErrorCode::PageForged);
  EXPECT_EQ(open(*codec, sealed_page(PageCodec(kFile))), ErrorCode::PageForged);
  EXPECT_EQ(open(*codec, Image(kSize)), ErrorCode::PageForged);
}

TEST(SealedPageCodec, never_uses_a_nonce_twice_in_a_session) {
  const auto codec = codec_of(1);
  std::vector<std::vector<std::uint64_t>> seen(4);
  std::vector<std::thread> threads;
  for (auto& mine : seen) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const Image image = sealed_page(*codec);
        mine.push_back(base::load<PageTrailer>(image.data() + kSize - kPageTrailerSize).counter);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::uint64_t> all;
  for (const auto& mine : seen) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 2000u);
}

TEST(SealedPageCodec, refuses_to_seal_above_the_ceiling) {
  const auto codec = codec_of(1, kFile, 1, 3 * kSize);
  for (int i = 0; i < 3; ++i) sealed_page(*codec);
  Image image = plain_page();
  EXPECT_EQ(codec->seal(image.data(), kSize).code(), ErrorCode::KeyExhausted);
  EXPECT_EQ(image, plain_page());
}

}  // namespace
}  // namespace vitrine::format
