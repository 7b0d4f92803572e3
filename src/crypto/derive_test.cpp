// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/derive.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
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

// The most address space that this process ever had, in KiB: no derivation that begins can hide from it.
std::uint64_t peak_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (std::uint64_t value = 0; word == "VmPeak:" && status >> value) return value;
  }
  return 0;
}

// Each field at, and one beyond, both of its bounds, and at the ends of its type; in all combinations.
TEST(Argon2, refuses_hostile_costs_before_it_allocates) {
  const auto values = [](std::uint32_t floor, std::uint32_t ceiling) {
    return std::array{0u, floor - 1, floor, ceiling, ceiling + 1, ~0u};
  };
  const auto is_within = [](std::uint32_t value, std::uint32_t floor, std::uint32_t ceiling) {
    return value >= floor && value <= ceiling;
  };
  const Argon2Cost low = kArgon2Floor, high = kArgon2Ceiling;
  ASSERT_GT(peak_kib(), 0u);
  std::size_t accepted = 0, refused = 0;
  for (const std::uint32_t memory : values(low.memory_kib, high.memory_kib)) {
    for (const std::uint32_t passes : values(low.passes, high.passes)) {
      for (const std::uint32_t lanes : values(low.lanes, high.lanes)) {
        const Argon2Cost cost{memory, passes, lanes};
        const bool is_right = is_within(memory, low.memory_kib, high.memory_kib) &&
                              is_within(passes, low.passes, high.passes) && is_within(lanes, low.lanes, high.lanes) &&
                              std::uint64_t{memory} * passes <= kArgon2WorkMax;
        ASSERT_EQ(is_acceptable(cost), is_right) << memory << ' ' << passes << ' ' << lanes;
        (is_right ? accepted : refused) += 1;
        if (is_right) continue;
        const std::uint64_t before = peak_kib();
        EXPECT_EQ(derive(cost).code(), ErrorCode::HeaderDamaged) << memory << ' ' << passes << ' ' << lanes;
        EXPECT_LT(peak_kib() - before, kArgon2Floor.memory_kib / 2);
      }
    }
  }
  EXPECT_EQ(accepted, 6u);  // of the four in range, the ceilings of memory and passes do not go together
  EXPECT_EQ(refused, 6u * 6 * 6 - accepted);
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
