// SPDX-License-Identifier: MIT OR Apache-2.0
// The header of an encrypted file: what its authentication covers, and which blocks count.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/codec.hpp"
#include "format/checksum.hpp"
#include "format/meta.hpp"

namespace vitrine::format {
namespace {

constexpr FileId kFile{1, 2};

std::shared_ptr<const crypto::KeyRing> ring_of(std::uint8_t master) {
  const std::array<std::byte, 32> key{std::byte{master}};
  return crypto::KeyRing::make(key, Cipher::Aes256Gcm, 1, std::as_bytes(std::span(&kFile, 1))).value();
}

Meta sample(std::uint64_t checkpoint) {
  Meta meta;
  meta.features = kMetaEncrypted;
  meta.page_size = 4096;
  meta.file = kFile;
  meta.checkpoint = checkpoint;
  meta.page_count = 100;
  meta.cipher = 1;
  meta.key_epoch = 1;
  meta.keys.id[0] = std::byte{7};
  meta.keys.slots[2].kind = 3;
  return meta;
}

std::vector<std::byte> area_of(const crypto::KeyRing& ring) {
  std::vector<std::byte> area(kMetaAreaSize);
  for (const std::uint64_t checkpoint : {4u, 5u}) {
    for (unsigned copy = 0; copy < 2; ++copy) {
      const MetaBlock block = seal_meta(sample(checkpoint), copy, &ring).value();
      std::memcpy(area.data() + (meta_slot(checkpoint) * 2 + copy) * kMetaBlockSize, block.data(), block.size());
    }
  }
  return area;
}

// Changes one bit and makes the checksum right again, as somebody would who knows the format but no key.
void forge(std::vector<std::byte>& area, std::size_t index, std::size_t bit) {
  std::byte* const block = area.data() + index * kMetaBlockSize;
  block[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
  base::store(block + 4080, checksum(block, 4080));
}

TEST(SealedMeta, is_read_back_with_its_keys) {
  const auto ring = ring_of(1);
  const MetaBlock block = seal_meta(sample(4), 1, ring.get()).value();
  const Result<Meta> meta = decode_meta(block, 0, 1, ring.get());
  ASSERT_TRUE(meta.has_value()) << meta.status().to_string();
  EXPECT_TRUE(meta->is_encrypted());
  EXPECT_EQ(meta->keys, sample(4).keys);
  EXPECT_EQ(meta->cipher, 1u);
  EXPECT_EQ(meta->key_epoch, 1u);
  EXPECT_TRUE(decode_meta(block, 0, 1).has_value()) << "the key table is found without keys";
}

TEST(SealedMeta, refuses_other_keys_and_blocks_that_are_not_encrypted) {
  const MetaBlock block = seal_meta(sample(4), 0, ring_of(1).get()).value();
  EXPECT_EQ(decode_meta(block, 0, 0, ring_of(2).get()).status().code(), ErrorCode::HeaderDamaged);
  Meta plain = sample(4);
  plain.features = plain.cipher = plain.key_epoch = 0;
  plain.keys = {};
  EXPECT_TRUE(decode_meta(encode_meta(plain, 0), 0, 0).has_value());
  EXPECT_EQ(decode_meta(encode_meta(plain, 0), 0, 0, ring_of(1).get()).status().code(), ErrorCode::HeaderDamaged);
}

TEST(SealedMeta, finds_every_flipped_bit_behind_a_right_checksum) {
  const auto ring = ring_of(1);
  const std::vector<std::byte> area = area_of(*ring);
  for (std::size_t bit = 0; bit < 4072 * 8; ++bit) {
    std::vector<std::byte> forged = area;
    forge(forged, 0, bit);
    EXPECT_FALSE(decode_meta(meta_block(forged, 0), 0, 0, ring.get()).has_value()) << bit;
  }
}

TEST(SealedMeta, an_area_with_forged_blocks_is_read_from_the_others) {
  const auto ring = ring_of(1);
  std::vector<std::byte> area = area_of(*ring);
  constexpr std::size_t kEntryCount = 152 * 8;
  forge(area, 2, kEntryCount);
  EXPECT_EQ(choose_meta(area, ring.get())->meta.checkpoint, 5u);
  forge(area, 3, kEntryCount);
  EXPECT_EQ(choose_meta(area, ring.get())->meta.checkpoint, 4u);
  forge(area, 0, kEntryCount);
  forge(area, 1, kEntryCount);
  EXPECT_EQ(choose_meta(area, ring.get()).status().code(), ErrorCode::HeaderDamaged);
}

TEST(SealedMeta, key_fields_need_the_flag_and_the_flag_needs_them) {
  Meta meta = sample(4);
  meta.features = 0;
  EXPECT_EQ(decode_meta(encode_meta(meta, 0), 0, 0).status().code(), ErrorCode::HeaderDamaged);
  for (const std::uint32_t cipher : {0u, 3u}) {
    meta = sample(4);
    meta.cipher = cipher;
    EXPECT_EQ(decode_meta(encode_meta(meta, 0), 0, 0).status().code(), ErrorCode::HeaderDamaged);
  }
  meta = sample(4);
  meta.key_epoch = 0;
  EXPECT_EQ(decode_meta(encode_meta(meta, 0), 0, 0).status().code(), ErrorCode::HeaderDamaged);
}

}  // namespace
}  // namespace vitrine::format
