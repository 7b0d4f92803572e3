// SPDX-License-Identifier: MIT OR Apache-2.0
// Authenticated encryption with associated data: bytes are sealed under a key and a nonce, and open only unchanged.
// Knows two ciphers; must not know where keys, nonces or bytes come from.
//
// Invariant of the caller: no key is used twice with the same nonce for different bytes.
//
// Thread safety: one key may be used by any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "vitrine/secret.hpp"
#include "vitrine/status.hpp"

struct evp_cipher_ctx_st;

namespace vitrine::crypto {

inline constexpr std::size_t kKeySize = 32;
inline constexpr std::size_t kNonceSize = 12;
inline constexpr std::size_t kTagSize = 16;

using Tag = std::array<std::byte, kTagSize>;
using Nonce = std::array<std::byte, kNonceSize>;

// A nonce from a number that never repeats under its key.
Nonce counter_nonce(std::uint64_t counter) noexcept;

// AES-256-GCM where the processor computes it, else ChaCha20-Poly1305.
Cipher fastest_cipher() noexcept;

class AeadKey {
 public:
  // `cipher` is not Automatic. Errors: CryptoFailed.
  static Result<std::shared_ptr<const AeadKey>> create(Cipher cipher, std::span<const std::byte, kKeySize> key);
  ~AeadKey();
  AeadKey(const AeadKey&) = delete;
  AeadKey& operator=(const AeadKey&) = delete;

  // Encrypts `data` in place and fills `tag`, which covers `associated` too. Errors: CryptoFailed.
  Status seal(const Nonce& nonce, std::span<const std::byte> associated, std::span<std::byte> data, Tag& tag) const;

  // Decrypts `data` in place. False when anything does not match; `data` is zeros then, so that nothing of it is used.
  bool open(const Nonce& nonce, std::span<const std::byte> associated, std::span<std::byte> data, const Tag& tag) const;

 private:
  using Context = evp_cipher_ctx_st;
  struct Lease;
  enum Direction : int { kOpen = 0, kSeal = 1 };

  AeadKey() = default;
  Context* take(Direction direction) const;

  Context* prototype_[2] = {nullptr, nullptr};  // hold the key schedule; copied for each thread that comes
  mutable std::mutex mutex_;
  mutable std::vector<Context*> idle_[2];  // guarded by mutex_
};

}  // namespace vitrine::crypto
