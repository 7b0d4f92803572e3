// SPDX-License-Identifier: MIT OR Apache-2.0
// The page codec of encrypted files: the same layout as page.hpp, with the body encrypted.
//
// The header stays in clear and is associated data of the seal, so none of its fields can be changed. The trailer holds
// the tag, the salt of the session that wrote the page (the key is derived with it), and the counter of that session
// (the nonce).
//
// A rotation moves the codec on to the next key epoch. What was sealed before still opens, but only as a page of a
// version that an earlier epoch can have written: whoever knows old keys alone can make no page of a later version.
//
// Thread safety: as PageCodec. A seal that began before begin_epoch() may end after it, under the old keys.
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "crypto/key_ring.hpp"
#include "format/page.hpp"

namespace vitrine::format {

// Keys of an earlier epoch: of pages of versions up to `until`.
struct OldEpoch {
  std::shared_ptr<const crypto::KeyRing> keys;
  Version until = 0;
};

class SealedPageCodec : public PageCodec {
 public:
  // `salt`: random, never given to another codec. Errors: CryptoFailed, OutOfMemory.
  static Result<std::unique_ptr<SealedPageCodec>> make(FileId file, std::shared_ptr<const crypto::KeyRing> keys,
                                                       const crypto::Salt& salt,
                                                       std::uint64_t bytes_max = crypto::UsageCeiling::kBytesMax);

  // Opens pages of an earlier epoch, too. REQUIRES: nothing was opened yet.
  void add_old_epoch(OldEpoch epoch) { now_->old.push_back(std::move(epoch)); }

  // From now on pages are sealed as by a codec made with these; all of later versions than `until` are of the new
  // epoch. Errors as make(): nothing has changed then.
  Status begin_epoch(std::shared_ptr<const crypto::KeyRing> keys, const crypto::Salt& salt, Version until);

  Status seal(std::byte* image, std::size_t size) const override;
  Status open(std::byte* image, std::size_t size, const PageRef& expected) const override;

 private:
  struct Epoch {
    std::shared_ptr<const crypto::KeyRing> keys;
    crypto::Salt salt;
    std::shared_ptr<const crypto::AeadKey> own_key;
    std::vector<OldEpoch> old;  // newest last
    mutable crypto::UsageCeiling ceiling;
    mutable std::atomic<std::uint64_t> counter{0};

    Epoch(std::shared_ptr<const crypto::KeyRing> ring, const crypto::Salt& with_salt,
          std::shared_ptr<const crypto::AeadKey> key, std::uint64_t bytes_max)
        : keys(std::move(ring)), salt(with_salt), own_key(std::move(key)), ceiling(bytes_max) {}
    const crypto::KeyRing* keys_of(std::uint32_t epoch, const PageRef& expected) const noexcept;
  };
  static Result<std::shared_ptr<Epoch>> make_epoch(std::shared_ptr<const crypto::KeyRing> keys,
                                                   const crypto::Salt& salt, std::uint64_t bytes_max);

  SealedPageCodec(FileId file, std::shared_ptr<Epoch> epoch) : PageCodec(file), now_(std::move(epoch)) {}
  std::shared_ptr<const Epoch> now() const {
    std::shared_lock lock(mutex_);
    return now_;
  }

  mutable std::shared_mutex mutex_;
  std::shared_ptr<Epoch> now_;  // guarded by mutex_; what it points to changes no more once it is used
};

}  // namespace vitrine::format
