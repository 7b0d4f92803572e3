// SPDX-License-Identifier: MIT OR Apache-2.0
// Keys from keys and from passphrases: HKDF-SHA256, HMAC-SHA256, Argon2id; and comparison in constant time.
//
// Stateless; safe from any thread. Argon2id takes as much memory as its cost says, and gives it back wiped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vitrine/status.hpp"

namespace vitrine::crypto {

using ByteSpan = std::span<const std::byte>;

inline constexpr std::size_t kMacSize = 32;
using Mac = std::array<std::byte, kMacSize>;

// Errors: CryptoFailed.
Status hkdf(ByteSpan secret, ByteSpan salt, std::string_view label, std::span<std::byte> key);
Result<Mac> hmac(ByteSpan key, ByteSpan message);
Result<Mac> sha256(ByteSpan message);
Status private_random(std::span<std::byte> bytes);  // for secrets

bool equal_in_constant_time(ByteSpan left, ByteSpan right) noexcept;

// What one derivation from a passphrase costs. Part of the file format.
struct Argon2Cost {
  std::uint32_t memory_kib = 0;  // 0: no passphrase was ever set
  std::uint32_t passes = 0;
  std::uint32_t lanes = 0;
  bool operator==(const Argon2Cost&) const = default;
};

// The least that is taken from a file or set in one, and the most that a file may make an opener spend.
inline constexpr Argon2Cost kArgon2Floor{19u << 10, 2, 1};
inline constexpr Argon2Cost kArgon2Ceiling{1u << 20, 32, 8};
inline constexpr std::uint64_t kArgon2WorkMax = 4ull << 20;  // memory times passes, in KiB

bool is_acceptable(const Argon2Cost& cost) noexcept;

// The cost at which one derivation takes about `target_ms` here; never below the defaults: 64 MiB in 3 passes.
Result<Argon2Cost> calibrate_argon2(std::uint64_t target_ms);

// Errors: HeaderDamaged when the cost is not acceptable (checked before anything is allocated), OutOfMemory.
Status argon2id(ByteSpan passphrase, ByteSpan salt, const Argon2Cost& cost, std::span<std::byte> key);

}  // namespace vitrine::crypto
