// SPDX-License-Identifier: MIT OR Apache-2.0
// Encryption of log frames. A frame is sealed under the key of its session with its LSN as nonce: one session never
// writes two frames at one LSN, and the next session has another key (crypto/key_ring.hpp). The frame header is
// associated data.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>
#include <span>

#include "crypto/key_ring.hpp"
#include "format/log.hpp"

namespace vitrine::format {

class LogSeal {
 public:
  // `salt`: random, never given to another LogSeal. Errors: CryptoFailed, OutOfMemory.
  static Result<std::unique_ptr<LogSeal>> make(std::shared_ptr<const crypto::KeyRing> keys, const crypto::Salt& salt,
                                               std::uint64_t bytes_max = crypto::UsageCeiling::kBytesMax);

  const crypto::Salt& salt() const noexcept { return salt_; }

  // KeyExhausted when not so many bytes may be sealed any more.
  Status check_room(std::uint64_t bytes) const noexcept { return ceiling_.check(bytes); }

  // Encrypts `payload` in place. Errors: CryptoFailed, KeyExhausted.
  Status seal(Lsn lsn, std::span<const std::byte> header, std::span<std::byte> payload, crypto::Tag& tag) const;

  // Decrypts `payload` in place. False, and zeros, when anything does not match.
  bool open(std::span<const std::byte, kFrameSaltSize> salt, Lsn lsn, std::span<const std::byte> header,
            std::span<std::byte> payload, const crypto::Tag& tag) const;

 private:
  LogSeal(std::shared_ptr<const crypto::KeyRing> keys, const crypto::Salt& salt,
          std::shared_ptr<const crypto::AeadKey> own_key, std::uint64_t bytes_max)
      : keys_(std::move(keys)), salt_(salt), own_key_(std::move(own_key)), ceiling_(bytes_max) {}

  const std::shared_ptr<const crypto::KeyRing> keys_;
  const crypto::Salt salt_;
  const std::shared_ptr<const crypto::AeadKey> own_key_;
  mutable crypto::UsageCeiling ceiling_;
};

}  // namespace vitrine::format
