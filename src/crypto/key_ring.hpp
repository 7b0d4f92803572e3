// SPDX-License-Identifier: MIT OR Apache-2.0
// The keys of one open database. From the master key come three purpose keys (pages, log, header), each bound to file
// id, key epoch and cipher; from those of pages and log comes one key for each session of writing:
//
//   session key = HKDF-SHA256(purpose key, salt), salt: 128 random bits, drawn at each open for writing
//
// Nonces only have to differ within one session, in memory, so a counter that starts at 0 does it: whatever a crash
// forgets, and however many copies of a file are written, the next session has another salt and so another key.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>

#include "crypto/aead.hpp"
#include "crypto/derive.hpp"
#include "crypto/key_table.hpp"

namespace vitrine::crypto {

using Salt = std::array<std::byte, 16>;

enum class Purpose : std::uint8_t { Pages, Log, Header };

// Counts what one session key has sealed. At the bound, an attacker's advantage against AES-256-GCM is below 2^-40.
class UsageCeiling {
 public:
  static constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 46;

  explicit UsageCeiling(std::uint64_t bytes_max = kBytesMax) noexcept : bytes_max_(bytes_max) {}
  // Errors: KeyExhausted; nothing may be sealed then.
  Status count(std::uint64_t bytes) noexcept;
  // Whether count() of so many bytes would still succeed.
  Status check(std::uint64_t bytes) const noexcept;

 private:
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> used_{0};
};

class KeyRing {
 public:
  // Runs the self-test first. Errors: CryptoFailed, OutOfMemory.
  static Result<std::shared_ptr<const KeyRing>> make(ByteSpan master, Cipher cipher, std::uint32_t epoch,
                                                     ByteSpan file_id);
  // The ring of another file with the same master key.
  Result<std::shared_ptr<const KeyRing>> for_file(ByteSpan file_id) const;

  Cipher cipher() const noexcept { return cipher_; }
  std::uint32_t epoch() const noexcept { return epoch_; }
  const MasterKey& master() const noexcept { return master_; }

  // Of pages or log. Errors: CryptoFailed, OutOfMemory.
  Result<std::shared_ptr<const AeadKey>> session_key(Purpose purpose, const Salt& salt) const;

  // Over a block of the file header. Errors: CryptoFailed.
  Result<Mac> header_mac(ByteSpan block) const;

 private:
  using Cache = std::map<Salt, std::shared_ptr<const AeadKey>>;

  KeyRing() = default;
  ByteSpan key_of(Purpose purpose) const noexcept;

  Cipher cipher_ = Cipher::Aes256Gcm;
  std::uint32_t epoch_ = 0;
  MasterKey master_;
  os::SecretMemory purpose_keys_;  // in the order of Purpose
  mutable std::shared_mutex mutex_;
  mutable std::array<Cache, 2> cache_;  // by purpose; guarded by mutex_
};

}  // namespace vitrine::crypto
