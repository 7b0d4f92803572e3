// SPDX-License-Identifier: MIT OR Apache-2.0
// The page codec of encrypted files: the same layout as page.hpp, with the body encrypted.
//
// The header stays in clear and is associated data of the seal, so none of its fields can be changed. The trailer holds
// the tag, the salt of the session that wrote the page (the key is derived with it), and the counter of that session
// (the nonce).
//
// Thread safety: as PageCodec; the counter is atomic.
#pragma once

#include <atomic>
#include <memory>

#include "crypto/key_ring.hpp"
#include "format/page.hpp"

namespace vitrine::format {

class SealedPageCodec : public PageCodec {
 public:
  // `salt`: random, never given to another codec. Errors: CryptoFailed, OutOfMemory.
  static Result<std::unique_ptr<PageCodec>> make(FileId file, std::shared_ptr<const crypto::KeyRing> keys,
                                                 const crypto::Salt& salt,
                                                 std::uint64_t bytes_max = crypto::UsageCeiling::kBytesMax);

  Status seal(std::byte* image, std::size_t size) const override;
  Status open(std::byte* image, std::size_t size, const PageRef& expected) const override;

 private:
  SealedPageCodec(FileId file, std::shared_ptr<const crypto::KeyRing> keys, const crypto::Salt& salt,
                  std::shared_ptr<const crypto::AeadKey> own_key, std::uint64_t bytes_max)
      : PageCodec(file), keys_(std::move(keys)), salt_(salt), own_key_(std::move(own_key)), ceiling_(bytes_max) {}

  const std::shared_ptr<const crypto::KeyRing> keys_;
  const crypto::Salt salt_;
  const std::shared_ptr<const crypto::AeadKey> own_key_;
  mutable crypto::UsageCeiling ceiling_;
  mutable std::atomic<std::uint64_t> counter_{0};
};

}  // namespace vitrine::format
