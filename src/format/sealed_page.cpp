// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/sealed_page.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"

namespace vitrine::format {
namespace {

std::span<std::byte> body_of(std::byte* image, std::size_t size) noexcept {
  return {image + kPageHeaderSize, size - kPageHeaderSize - kPageTrailerSize};
}

std::span<const std::byte> header_of(const std::byte* image) noexcept { return {image, kPageHeaderSize}; }

}  // namespace

Result<std::shared_ptr<SealedPageCodec::Epoch>> SealedPageCodec::make_epoch(std::shared_ptr<const crypto::KeyRing> keys,
                                                                            const crypto::Salt& salt,
                                                                            std::uint64_t bytes_max) {
  std::shared_ptr<const crypto::AeadKey> own_key = TRY(keys->session_key(crypto::Purpose::Pages, salt));
  return std::make_shared<Epoch>(std::move(keys), salt, std::move(own_key), bytes_max);
}

Result<std::unique_ptr<SealedPageCodec>> SealedPageCodec::make(FileId file, std::shared_ptr<const crypto::KeyRing> keys,
                                                               const crypto::Salt& salt, std::uint64_t bytes_max) {
  std::shared_ptr<Epoch> epoch = TRY(make_epoch(std::move(keys), salt, bytes_max));
  return std::unique_ptr<SealedPageCodec>(new SealedPageCodec(file, std::move(epoch)));
}

Status SealedPageCodec::begin_epoch(std::shared_ptr<const crypto::KeyRing> keys, const crypto::Salt& salt,
                                    Version until) {
  const std::shared_ptr<Epoch> next = TRY(make_epoch(std::move(keys), salt, crypto::UsageCeiling::kBytesMax));
  const std::shared_ptr<const Epoch> before = now();
  next->old = before->old;
  next->old.push_back({before->keys, until});
  std::unique_lock lock(mutex_);
  now_ = next;
  return {};
}

// Null: no page of this epoch can be what is expected.
const crypto::KeyRing* SealedPageCodec::Epoch::keys_of(std::uint32_t epoch, const PageRef& expected) const noexcept {
  if (epoch == keys->epoch()) return keys.get();
  for (const OldEpoch& before : old) {
    if (epoch == before.keys->epoch() && expected.generation.version() <= before.until) return before.keys.get();
  }
  return nullptr;
}

Status SealedPageCodec::seal(std::byte* image, std::size_t size) const {
  VITRINE_ASSERT(size >= kPageHeaderSize + kPageTrailerSize);
  const std::shared_ptr<const Epoch> epoch = now();
  CHECK(epoch->ceiling.count(size));
  const std::uint64_t counter = epoch->counter.fetch_add(1, std::memory_order_relaxed);
  base::store(image + offsetof(PageHeader, key_epoch), epoch->keys->epoch());
  crypto::Tag tag;
  CHECK(epoch->own_key->seal(crypto::counter_nonce(counter), header_of(image), body_of(image, size), tag));
  PageTrailer trailer{};
  std::memcpy(&trailer, tag.data(), tag.size());
  std::memcpy(trailer.salt, epoch->salt.data(), epoch->salt.size());
  trailer.counter = counter;
  base::store(image + size - kPageTrailerSize, trailer);
  return {};
}

Status SealedPageCodec::open(std::byte* image, std::size_t size, const PageRef& expected) const {
  VITRINE_ASSERT(size >= kPageHeaderSize + kPageTrailerSize);
  const std::shared_ptr<const Epoch> epoch = now();
  const auto header = base::load<PageHeader>(image);
  const crypto::KeyRing* const keys = epoch->keys_of(header.key_epoch, expected);
  if (keys == nullptr) {
    std::ranges::fill(body_of(image, size), std::byte{0});  // as when it does not open
    return Status::error(ErrorCode::PageForged).with("page", expected.page());
  }
  const auto trailer = base::load<PageTrailer>(image + size - kPageTrailerSize);
  crypto::Tag tag;
  crypto::Salt salt;
  std::memcpy(tag.data(), &trailer, tag.size());
  std::memcpy(salt.data(), trailer.salt, salt.size());
  const bool is_own = keys == epoch->keys.get() && salt == epoch->salt;
  const std::shared_ptr<const crypto::AeadKey> key =
      is_own ? epoch->own_key : TRY(keys->session_key(crypto::Purpose::Pages, salt));
  if (!key->open(crypto::counter_nonce(trailer.counter), header_of(image), body_of(image, size), tag)) {
    return Status::error(ErrorCode::PageForged).with("page", expected.page());
  }
  return check_identity(header, expected);
}

}  // namespace vitrine::format
