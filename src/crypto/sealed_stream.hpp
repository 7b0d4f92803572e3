// SPDX-License-Identifier: MIT OR Apache-2.0
// A stream sealed in chunks, each of which can be opened and believed before the next one is there: the STREAM
// construction of Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
// Misuse-Resistance", CRYPTO 2015. Knows chunks in memory; must not know files.
//
//   nonce (12 bytes) = number of the chunk from 0 (8 bytes), 3 bytes of 0, 1 for the last chunk and else 0
//
// So a chunk that is changed, left out, repeated, put elsewhere, taken from another stream or followed by more than the
// stream had does not open, and a stream that ends early has no last chunk.
//
// Invariant of the caller: a key seals one stream.
//
// Thread safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "crypto/aead.hpp"
#include "crypto/key_ring.hpp"

namespace vitrine::crypto {

class SealedStream {
 public:
  static constexpr std::size_t kChunkSize = 64u << 10;  // of every chunk but the last; part of the export format
  static constexpr std::size_t kSealedSize = kChunkSize + kTagSize;

  // `cipher` is not Automatic. Errors: CryptoFailed.
  static Result<SealedStream> create(Cipher cipher, std::span<const std::byte, kKeySize> key) {
    Result<std::shared_ptr<const AeadKey>> made = AeadKey::create(cipher, key);
    if (!made.has_value()) return made.status();
    return SealedStream(std::move(*made));
  }

  // The next chunk, in place. Errors: CryptoFailed, KeyExhausted.
  Status seal(std::span<std::byte> chunk, bool is_last, Tag& tag);

  // The same backwards. False, and all zeros, for anything but the next chunk of the stream.
  bool open(std::span<std::byte> chunk, bool is_last, const Tag& tag);

  std::uint64_t chunks() const noexcept { return number_; }

 private:
  explicit SealedStream(std::shared_ptr<const AeadKey> key) : key_(std::move(key)) {}
  Nonce next_nonce(bool is_last) noexcept;

  std::shared_ptr<const AeadKey> key_;
  std::uint64_t number_ = 0;
  bool is_over_ = false;
};

}  // namespace vitrine::crypto
