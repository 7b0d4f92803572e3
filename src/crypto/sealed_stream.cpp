// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/sealed_stream.hpp"

#include "base/assert.hpp"
#include "base/codec.hpp"

namespace vitrine::crypto {

Nonce SealedStream::next_nonce(bool is_last) noexcept {
  VITRINE_ASSERT(!is_over_);
  is_over_ = is_last;
  Nonce nonce{};
  base::store(nonce.data(), number_++);
  nonce.back() = is_last ? std::byte{1} : std::byte{0};
  return nonce;
}

Status SealedStream::seal(std::span<std::byte> chunk, bool is_last, Tag& tag) {
  VITRINE_ASSERT(is_last ? chunk.size() <= kChunkSize : chunk.size() == kChunkSize);
  if (number_ >= UsageCeiling::kBytesMax / kChunkSize) return Status::error(ErrorCode::KeyExhausted);
  return key_->seal(next_nonce(is_last), {}, chunk, tag);
}

bool SealedStream::open(std::span<std::byte> chunk, bool is_last, const Tag& tag) {
  return key_->open(next_nonce(is_last), {}, chunk, tag);
}

}  // namespace vitrine::crypto
