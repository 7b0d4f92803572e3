// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/derive.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/known_answers.hpp"

namespace vitrine::crypto {
namespace {

const std::array<std::byte, 16> kSalt{};

Status derive(const Argon2Cost& cost) {
  std::array<std::byte, 32> key;
  return argon2id(kSalt, kSalt, cost, key);
}

TEST(SelfTest, finds_the_published_vectors) {
  const Status outcome = self_test();
  EXPECT_TRUE(outcome.is_ok()) << outcome.to_string();
}

TEST(Argon2, refuses_hostile_costs_before_it_allocates) {
  const Argon2Cost hostile[] = {{},
                                {kArgon2Floor.memory_kib - 1, 2, 1},
                                {kArgon2Floor.memory_kib, 1, 1},
                                {kArgon2Floor.memory_kib, 2, 0},
                                {kArgon2Ceiling.memory_kib + 1, 2, 1},
                                {0xffffffff, 2, 1},
                                {kArgon2Floor.memory_kib, kArgon2Ceiling.passes + 1, 1},
                                {kArgon2Floor.memory_kib, 0xffffffff, 1},
                                {kArgon2Floor.memory_kib, 2, kArgon2Ceiling.lanes + 1},
                                {kArgon2Ceiling.memory_kib, 5, 1}};
  for (const Argon2Cost& cost : hostile) {
    EXPECT_EQ(derive(cost).code(), ErrorCode::HeaderDamaged) << cost.memory_kib << " " << cost.passes;
  }
}

TEST(Argon2, takes_the_floor_and_what_calibration_chooses) {
  EXPECT_TRUE(derive(kArgon2Floor).is_ok());
  for (const std::uint64_t target_ms : {0u, 200u, 100'000u}) {
    const Argon2Cost cost = calibrate_argon2(target_ms).value();
    EXPECT_TRUE(is_acceptable(cost)) << cost.memory_kib << " " << cost.passes;
    EXPECT_GE(cost.memory_kib, 64u << 10);
    EXPECT_GE(cost.passes, 3u);
  }
}

TEST(Derivation, depends_on_every_input) {
  std::array<std::byte, 32> first, second;
  const std::array<std::byte, 16> other{std::byte{1}};
  ASSERT_TRUE(hkdf(kSalt, kSalt, "a", first).is_ok());
  ASSERT_TRUE(hkdf(kSalt, kSalt, "b", second).is_ok());
  EXPECT_NE(first, second);
  ASSERT_TRUE(hkdf(kSalt, other, "a", second).is_ok());
  EXPECT_NE(first, second);
  ASSERT_TRUE(hkdf(other, kSalt, "a", second).is_ok());
  EXPECT_NE(first, second);
  ASSERT_TRUE(hkdf(kSalt, kSalt, "a", second).is_ok());
  EXPECT_EQ(first, second);
}

TEST(Comparison, looks_at_size_and_every_byte) {
  std::vector<std::byte> left(20), right(20);
  EXPECT_TRUE(equal_in_constant_time(left, right));
  for (std::byte& byte : right) {
    byte = std::byte{1};
    EXPECT_FALSE(equal_in_constant_time(left, right));
    byte = std::byte{0};
  }
  right.resize(19);
  EXPECT_FALSE(equal_in_constant_time(left, right));
}

}  // namespace
}  // namespace vitrine::crypto
