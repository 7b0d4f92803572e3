// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/aead.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "base/prng.hpp"

namespace vitrine::crypto {
namespace {

std::vector<std::byte> random_bytes(base::Prng& random, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
  return bytes;
}

std::shared_ptr<const AeadKey> key_from(Cipher cipher, std::uint64_t seed) {
  base::Prng random(seed);
  std::array<std::byte, kKeySize> key;
  for (std::byte& byte : key) byte = static_cast<std::byte>(random.next());
  return AeadKey::create(cipher, key).value();
}

class AeadTest : public testing::TestWithParam<Cipher> {};
INSTANTIATE_TEST_SUITE_P(Ciphers, AeadTest, testing::Values(Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305));

TEST_P(AeadTest, opens_what_it_sealed_at_every_size) {
  base::Prng random(1);
  const auto key = key_from(GetParam(), 7);
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 4096u, 65536u}) {
    const std::vector<std::byte> plain = random_bytes(random, size), associated = random_bytes(random, size % 50);
    std::vector<std::byte> data = plain;
    Tag tag;
    ASSERT_TRUE(key->seal(counter_nonce(size), associated, data, tag).is_ok());
    const bool must_differ = size >= 15;  // shorter ones may look alike by chance
    EXPECT_FALSE(must_differ && data == plain);
    EXPECT_TRUE(key->open(counter_nonce(size), associated, data, tag));
    EXPECT_EQ(data, plain);
  }
}

TEST_P(AeadTest, refuses_every_flipped_bit_and_leaves_zeros) {
  base::Prng random(2);
  const auto key = key_from(GetParam(), 7);
  const std::vector<std::byte> associated = random_bytes(random, 9);
  std::vector<std::byte> sealed = random_bytes(random, 33);
  Tag tag;
  ASSERT_TRUE(key->seal(counter_nonce(5), associated, sealed, tag).is_ok());
  const auto opens = [&](std::vector<std::byte> with, std::vector<std::byte> data, Tag claimed, std::uint64_t nonce) {
    const bool opened = key->open(counter_nonce(nonce), with, data, claimed);
    const bool is_zero = std::all_of(data.begin(), data.end(), [](std::byte byte) { return byte == std::byte{0}; });
    EXPECT_NE(opened, is_zero);
    return opened;
  };
  EXPECT_TRUE(opens(associated, sealed, tag, 5));
  for (std::size_t bit = 0; bit < 33 * 8; ++bit) {
    const std::byte flip{static_cast<unsigned char>(1u << bit % 8)};
    std::vector<std::byte> data = sealed, with = associated;
    data[bit / 8] ^= flip;
    EXPECT_FALSE(opens(associated, data, tag, 5)) << bit;
    with[bit / 8 % with.size()] ^= flip;
    EXPECT_FALSE(opens(with, sealed, tag, 5)) << bit;
    Tag claimed = tag;
    claimed[bit / 8 % kTagSize] ^= flip;
    EXPECT_FALSE(opens(associated, sealed, claimed, 5)) << bit;
  }
  EXPECT_FALSE(opens(associated, sealed, tag, 6));
}

TEST_P(AeadTest, refuses_what_another_key_sealed) {
  std::vector<std::byte> data(40);
  Tag tag;
  ASSERT_TRUE(key_from(GetParam(), 1)->seal(counter_nonce(0), {}, data, tag).is_ok());
  EXPECT_FALSE(key_from(GetParam(), 2)->open(counter_nonce(0), {}, data, tag));
}

TEST_P(AeadTest, serves_many_threads_at_once) {
  const auto key = key_from(GetParam(), 3);
  std::vector<std::thread> threads;
  std::array<bool, 4> is_good{};
  for (unsigned t = 0; t < is_good.size(); ++t) {
    threads.emplace_back([&, t] {
      bool good = true;
      for (std::uint64_t i = 0; i < 200; ++i) {
        const std::vector<std::byte> plain(300, static_cast<std::byte>(i + t));
        std::vector<std::byte> data = plain;
        Tag tag;
        good = good && key->seal(counter_nonce(i * 8 + t), {}, data, tag).is_ok() && data != plain &&
               key->open(counter_nonce(i * 8 + t), {}, data, tag) && data == plain;
      }
      is_good[t] = good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const bool good : is_good) EXPECT_TRUE(good);
}

TEST(Aead, counter_nonces_differ) {
  EXPECT_NE(counter_nonce(0), counter_nonce(1));
  EXPECT_NE(counter_nonce(1), counter_nonce(std::uint64_t{1} << 56));
}

}  // namespace
}  // namespace vitrine::crypto
