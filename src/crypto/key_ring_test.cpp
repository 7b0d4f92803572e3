// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/key_ring.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace vitrine::crypto {
namespace {

const std::array<std::byte, 32> kMaster{std::byte{1}};
const std::array<std::byte, 16> kFile{std::byte{2}};

std::shared_ptr<const KeyRing> ring_of(ByteSpan file, std::uint32_t epoch = 1, Cipher cipher = Cipher::Aes256Gcm) {
  return KeyRing::make(kMaster, cipher, epoch, file).value();
}

// Does one ring open what the other sealed?
bool opens(const KeyRing& sealer, Purpose purpose, const Salt& salt, const KeyRing& opener, Purpose as,
           const Salt& with) {
  std::vector<std::byte> data(64);
  Tag tag;
  EXPECT_TRUE(sealer.session_key(purpose, salt).value()->seal(Nonce{}, {}, data, tag).is_ok());
  return opener.session_key(as, with).value()->open(Nonce{}, {}, data, tag);
}

TEST(KeyRing, binds_keys_to_file_epoch_cipher_purpose_and_session) {
  const Salt salt{}, other_salt{std::byte{9}};
  const auto ring = ring_of(kFile);
  EXPECT_TRUE(opens(*ring, Purpose::Pages, salt, *ring_of(kFile), Purpose::Pages, salt));
  EXPECT_FALSE(opens(*ring, Purpose::Pages, salt, *ring, Purpose::Log, salt));
  EXPECT_FALSE(opens(*ring, Purpose::Pages, salt, *ring, Purpose::Pages, other_salt));
  EXPECT_FALSE(opens(*ring, Purpose::Pages, salt, *ring_of(kFile, 2), Purpose::Pages, salt));
  const std::array<std::byte, 16> other_file{};
  EXPECT_FALSE(opens(*ring, Purpose::Pages, salt, *ring_of(other_file), Purpose::Pages, salt));
  EXPECT_TRUE(opens(*ring->for_file(other_file).value(), Purpose::Log, salt, *ring_of(other_file), Purpose::Log, salt));
  const auto other_cipher = ring_of(kFile, 1, Cipher::ChaCha20Poly1305);
  EXPECT_FALSE(opens(*ring, Purpose::Pages, salt, *other_cipher, Purpose::Pages, salt));
  EXPECT_NE(ring->header_mac(kFile).value(), ring_of(other_file)->header_mac(kFile).value());
}

TEST(KeyRing, keeps_serving_after_more_sessions_than_it_remembers) {
  const auto ring = ring_of(kFile);
  for (unsigned i = 0; i < 600; ++i) {
    const Salt salt{static_cast<std::byte>(i), static_cast<std::byte>(i >> 8)};
    EXPECT_TRUE(opens(*ring, Purpose::Pages, salt, *ring, Purpose::Pages, salt));
  }
}

TEST(UsageCeiling, refuses_what_would_go_over_it) {
  UsageCeiling ceiling(100);
  EXPECT_TRUE(ceiling.count(60).is_ok());
  EXPECT_EQ(ceiling.count(41).code(), ErrorCode::KeyExhausted);
  EXPECT_EQ(ceiling.check(~std::uint64_t{0}).code(), ErrorCode::KeyExhausted);
  EXPECT_TRUE(ceiling.count(40).is_ok());
  EXPECT_EQ(ceiling.count(1).code(), ErrorCode::KeyExhausted);
}

}  // namespace
}  // namespace vitrine::crypto
